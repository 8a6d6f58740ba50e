"""The snapshot against ``ip -j``, ``bridge -j`` and ``ss``: whatever is built by hand, the reader and the tools agree."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.sandboxed import answers, container, sandboxed, sh, tun_is_lent
from helpers.wires import own_node
from netless_lab.kernel.namespace import Namespace, call_in
from netless_lab.kernel.read import NodeRef, Reader
from netless_lab.model.snapshot import Link, Node, Peer, Snapshot


@contextmanager
def reading(**pids: int) -> Iterator[Any]:
    """A function that takes a snapshot of ``host`` (our own namespace) and of the containers given by pid."""
    refs = [own_node(), *(NodeRef(name, "container", Namespace.of_pid(pid), pid) for name, pid in pids.items())]
    reader = Reader()
    try:
        yield lambda: reader.snapshot(refs)
    finally:
        reader.close()
        for ref in refs:
            ref.namespace.close()


def ip(node: Node, command: str) -> list[dict[str, Any]]:
    """``ip -j ...`` run inside ``node``."""
    found: list[dict[str, Any]] = json.loads(sh(f"nsenter --net=/proc/{node.pid}/ns/net {command.replace('ip ', 'ip -j ', 1)}") or "[]")
    return found


def bridge(command: str) -> list[dict[str, Any]]:
    """``bridge -j ...`` in our own namespace."""
    found: list[dict[str, Any]] = json.loads(sh(f"bridge -j {command}"))
    return found


def node(snapshot: Snapshot, name: str) -> Node:
    """The node called ``name``, which must be there."""
    found = snapshot.node(name)
    assert found is not None
    return found


def link(snapshot: Snapshot, where: str, name: str) -> Link:
    """A link, which must be there."""
    found = node(snapshot, where).link(name)
    assert found is not None
    return found


def check_links(node: Node) -> None:
    """Every link of a node says what ``ip -d -j addr`` says."""
    seen = {link.name: link for link in node.links}
    told = {entry["ifname"]: entry for entry in ip(node, "ip -d addr")}
    assert seen.keys() == told.keys()
    for name, entry in told.items():
        ours, flags, info = seen[name], entry["flags"], entry.get("linkinfo", {})
        assert ours.ifindex == entry["ifindex"] and ours.mtu == entry["mtu"] and ours.mac == entry.get("address", "")
        assert ours.up == ("UP" in flags) and ours.arp == ("NOARP" not in flags) and ours.promisc == ("PROMISC" in flags)
        assert ours.carrier == ("NO-CARRIER" not in flags) or not ours.up
        assert ours.kind == info.get("info_kind", "loopback") and ours.master == entry.get("master")
        assert ours.kind == "bridge" or ours.operstate == entry["operstate"].lower(), "a bridge's may change by itself between two looks"
        assert ours.alias == entry.get("ifalias", "")
        assert list(ours.altnames) == entry.get("altnames", [])
        assert [(own.address, own.prefix, own.scope, own.tentative, own.duplicate) for own in ours.addresses] == [
            (own["local"], own["prefixlen"], own["scope"], own.get("tentative", False), own.get("dadfailed", False))
            for own in entry["addr_info"]
        ]
        data = info.get("info_data", {})
        assert ours.mode == {"macvlan": data.get("mode"), "tun": data.get("type")}.get(ours.kind)
        port = info.get("info_slave_data")
        if info.get("info_slave_kind") == "bridge":
            assert ours.port is not None and ours.port.state == port["state"]
            assert (ours.port.hairpin, ours.port.isolated, ours.port.learning, ours.port.flood, ours.port.broadcast, ours.port.locked) == (
                port["hairpin"], port["isolated"], port["learning"], port["flood"], port["bcast_flood"], port["locked"],
            )  # fmt: skip
        else:
            assert ours.port is None


def check_routes(node: Node) -> None:
    """Routes, rules and neighbours of a node are those of ip(8), less the local table."""
    told = [
        (
            route["dst"], route.get("gateway") or route.get("via", {}).get("host"), route.get("dev"), route.get("metric", 0),
            route.get("prefsrc"), route.get("type", "unicast"),
        )
        for option in ("-4", "-6")
        for route in ip(node, f"ip {option} -d route show table all")
        if route.get("table") != "local" and route.get("type") not in ("multicast", "broadcast", "anycast")
    ]
    ours = [(r.dst.removesuffix("/32").removesuffix("/128"), r.via, r.dev, r.metric, r.src, r.type) for r in node.routes]
    assert sorted(ours, key=str) == sorted(told, key=str)
    rules = [rule for option in ("-4", "-6") for rule in ip(node, f"ip {option} rule")]
    assert sorted(rule.priority for rule in node.policy) == sorted(rule["priority"] for rule in rules)
    told_neighbours = {(entry["dst"], entry["dev"], entry.get("lladdr")) for entry in ip(node, "ip neigh show nud all") if _is_real(entry)}
    assert {(entry.address, entry.dev, entry.mac) for entry in node.neighbours} == told_neighbours


def _is_real(entry: dict[str, Any]) -> bool:
    return not {"NOARP", "NONE"} & set(entry["state"])


POST = """
ip link set lo up; ip link add br0 type bridge; ip addr add 10.0.0.1/24 dev br0; ip link set br0 up
ip link add veth2 type veth peer name veth1; ip link set veth1 netns {c1}; ip link set veth2 master br0 up
nsenter --net=/proc/{c1}/ns/net sh -ec 'ip link set lo up; ip addr add 10.0.0.2/24 dev veth1; ip link set veth1 up
  ip route add default via 10.0.0.1'
"""


@sandboxed
def test_the_post_reads_as_ip_shows_it() -> None:
    """One container on a bridge: links, addresses, ports, routes, rules and neighbours agree in both namespaces."""
    with container() as c1, reading(c1=c1) as snapshot:
        sh(POST.format(c1=c1))
        assert answers("10.0.0.1", c1)
        taken = snapshot()
        for each in taken.nodes:
            check_links(each)
            check_routes(each)
        assert link(taken, "host", "veth2").peer == Peer("c1", "veth1", link(taken, "c1", "veth1").ifindex)
        assert link(taken, "c1", "veth1").peer == Peer("host", "veth2", link(taken, "host", "veth2").ifindex)
        assert link(taken, "host", "veth2").port is not None and node(taken, "c1").netns == Path(f"/proc/{c1}/ns/net").stat().st_ino
        told = {(entry["mac"], entry["ifname"], entry.get("master")) for entry in bridge("fdb") if not int(entry["mac"][:2], 16) & 1}
        assert {(entry.mac, entry.dev, entry.master) for entry in node(taken, "host").fdb} == told


@sandboxed
def test_a_peer_is_found_wherever_it_lies() -> None:
    """Cables within a namespace, between two containers (same names, same indexes), and into a namespace nobody told us of."""
    with container() as c1, container() as c2, container() as hidden, reading(c1=c1, c2=c2) as snapshot:
        sh(f"""ip link add p0 type veth peer name p1
            nsenter --net=/proc/{c1}/ns/net ip link add eth0 type veth peer name eth0 netns /proc/{c2}/ns/net
            ip link add far type veth peer name gone netns /proc/{hidden}/ns/net""")
        taken = snapshot()
        assert link(taken, "host", "p0").peer == Peer("host", "p1", link(taken, "host", "p1").ifindex)
        assert link(taken, "c1", "eth0").peer == Peer("c2", "eth0", link(taken, "c2", "eth0").ifindex)
        assert link(taken, "c2", "eth0").peer == Peer("c1", "eth0", link(taken, "c1", "eth0").ifindex)
        far = link(taken, "host", "far").peer
        assert far is not None and (far.node, far.name) == ("", "")


@sandboxed
def test_a_peer_is_followed_when_it_moves() -> None:
    """The second snapshot of the same reader knows the new place although the near end sent no event."""
    with container() as c1, container() as c2, reading(c1=c1, c2=c2) as snapshot:
        sh("ip link add p0 type veth peer name p1")
        for place, pid in (("c1", c1), ("c2", c2)):
            sh(f"ip link set p1 netns {pid} 2>/dev/null || nsenter --net=/proc/{c1}/ns/net ip link set p1 netns {pid}")
            peer = link(snapshot(), "host", "p0").peer
            assert peer is not None and (peer.node, peer.name) == (place, "p1")


@pytest.mark.kernel_may_lack
@sandboxed
def test_tun_devices_say_whether_they_carry_packets_or_frames() -> None:
    """A tun and a tap are of one kind; their mode tells them apart, as in ``ip -d link``."""
    if not tun_is_lent():
        return
    with reading() as snapshot:
        sh("ip tuntap add tun0 mode tun; ip tuntap add tap0 mode tap")
        taken = snapshot()
        check_links(node(taken, "host"))
        assert (link(taken, "host", "tun0").mode, link(taken, "host", "tap0").mode) == ("tun", "tap")


@sandboxed
def test_an_address_that_somebody_has_is_read_as_a_duplicate() -> None:
    """Two ends of a cable with one IPv6 address: the second one is refused by the kernel, and ip says so."""
    with container() as c1, reading(c1=c1) as snapshot:
        sh(f"""for f in all default; do echo 0 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done
            ip link add p0 type veth peer name p1 netns {c1}; ip addr add fd00::1/64 dev p0 nodad; ip link set p0 up
            exec nsenter --net=/proc/{c1}/ns/net sh -ec 'for f in all default p1; do echo 0 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done
                ip link set p1 up; ip addr add fd00::1/64 dev p1
                until ip -6 addr show dev p1 to fd00::1 | grep -q dadfailed; do sleep 0.02; done'""")
        taken = snapshot()
        for each in taken.nodes:
            check_links(each)
        assert [own.duplicate for own in link(taken, "c1", "p1").addresses if own.address == "fd00::1"] == [True]


@sandboxed
def test_devices_of_other_kinds_are_complete() -> None:
    """macvlan, vxlan, alias, altname, promisc, arp off, stp, port flags: everything a learner can set is in the link."""
    with container() as c1, reading(c1=c1) as snapshot:
        sh(f"""ip link add up0 type veth peer name up1; ip link set up0 up
            ip link add mv0 link up0 type macvlan mode bridge; ip link set mv0 netns {c1}
            ip link add vx0 type vxlan id 42 dstport 4789 local 10.9.0.1 remote 10.9.0.2 dev up0
            ip link add br0 type bridge stp_state 1 forward_delay 400; ip link set up1 master br0
            bridge link set dev up1 hairpin on isolated on learning off flood off bcast_flood off
            ip link add left type veth peer name right; ip link set right master br0; bridge link set dev right locked on
            ip link set up1 alias 'to the lab' promisc on arp off mtu 1400; ip link property add dev up1 altname uplink
            bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.9.0.3""")
        taken = snapshot()
        for each in taken.nodes:
            check_links(each)
        mv0, vx0, br0 = link(taken, "c1", "mv0"), link(taken, "host", "vx0"), link(taken, "host", "br0")
        assert mv0.mode == "bridge" and mv0.peer == Peer("host", "up0", link(taken, "host", "up0").ifindex)
        assert vx0.vxlan is not None and (vx0.vxlan.vni, vx0.vxlan.port, vx0.vxlan.local, vx0.vxlan.remote) == (
            42, 4789, "10.9.0.1", "10.9.0.2",
        )  # fmt: skip
        assert br0.stp and br0.forward_delay_s == 4
        fdb = node(taken, "host").fdb
        assert {entry.dst for entry in fdb if entry.dev == "vx0"} == {"10.9.0.2", "10.9.0.3"}
        assert {entry.dev for entry in fdb if entry.local} == {"up1", "right"}, "the MACs of the ports themselves, and nobody else's"
        assert link(taken, "host", "uplink").name == "up1"


@sandboxed
def test_policy_rules_are_read_whole() -> None:
    """A *not*, a suppressed prefix and every other selector are in the snapshot, and each rule reads as ``ip rule`` prints it."""
    with reading() as snapshot:
        sh("""ip link add p0 type veth peer name p1
            ip rule add not fwmark 51820 lookup 51820 priority 300; ip rule add lookup main suppress_prefixlength 0 priority 200
            ip rule add from 10.1.0.0/16 to 10.2.0.0/16 iif p0 fwmark 0x1/0xff lookup 77 priority 100
            ip rule add ipproto tcp dport 80-90 lookup 78 priority 110; ip rule add uidrange 0-0 prohibit priority 120""")
        read = {rule.priority: rule.text for rule in node(snapshot(), "host").policy if rule.family == 4}
        names = {"local": "255", "main": "254", "default": "253"}
        told = [line.split(":\t") for line in sh("ip rule").splitlines()]
        assert read == {int(number): " ".join(names.get(word, word) for word in words.split()) for number, words in told}


@sandboxed
def test_routes_of_every_kind_are_read() -> None:
    """Several tables, blackholes, metrics, two next hops, next hops of the other family, a link that is down, IPv6, and rules with marks."""
    with reading() as snapshot:
        sh("""ip link set lo up; ip link add p0 type veth peer name p1; ip addr add 10.1.0.1/24 dev p0; ip link set p0 up; ip link set p1 up
            ip addr add fd00::1/64 dev p0 nodad
            ip route add 10.2.0.0/16 via 10.1.0.2 metric 50; ip route add blackhole 10.3.0.0/16; ip route add prohibit 10.4.0.0/16
            ip route add 10.5.0.0/16 table 77 via 10.1.0.9 src 10.1.0.1; ip route add unreachable default metric 9000
            ip route add 10.7.0.0/16 via inet6 fd00::3 dev p0; ip -6 route add multicast ff05::/16 dev p0 table 77
            ip route add 10.6.0.0/16 nexthop via 10.1.0.2 nexthop via 10.1.0.3; ip -6 route add default via fd00::2
            ip rule add from 10.9.0.0/24 lookup 77; ip rule add fwmark 5 to 10.8.0.0/16 prohibit; ip rule add iif p0 lookup 77""")
        host = node(snapshot(), "host")
        two = {(route.via, route.dev) for route in host.routes if route.dst == "10.6.0.0/16"}
        assert two == {("10.1.0.2", "p0"), ("10.1.0.3", "p0")}
        sh("ip route del 10.6.0.0/16")
        host = node(snapshot(), "host")
        check_routes(host)
        assert {route.table for route in host.routes if route.dst == "10.5.0.0/16"} == {77}
        rules = {(rule.action, rule.src, rule.dst, rule.table, rule.iif, rule.mark) for rule in host.policy if rule.family == 4}
        assert {
            ("lookup", "10.9.0.0/24", "all", 77, None, None),
            ("prohibit", "all", "10.8.0.0/16", 0, None, "0x5"),
            ("lookup", "all", "all", 77, "p0", None),
            ("lookup", "all", "all", 255, None, None),
        } <= rules
        sh("""ip route add 10.6.0.0/16 nexthop via 10.1.0.2 nexthop via 10.1.0.3
            ip link set p1 down; until ip route show dev p0 | grep -q linkdown; do sleep 0.01; done""")
        down = [route for route in node(snapshot(), "host").routes if route.dev == "p0" and route.family == 4]
        assert [route.via for route in down if route.dst == "10.6.0.0/16"] == ["10.1.0.2", "10.1.0.3"]
        assert all(route.linkdown for route in down)


@sandboxed
def test_names_of_namespaces_and_where_they_lead() -> None:
    """A mount, the learner's symbolic link, a dangling link, and what is no network namespace at all; a node knows its names."""
    with container() as c1, reading(c1=c1) as snapshot:
        sh(f"""ip netns add other; ln -s /proc/{c1}/ns/net /run/netns/c1; ln -s /proc/4194000/ns/net /run/netns/dead
            touch /run/netns/empty; echo >/run/netns/plain; mkdir /run/netns/folder; mkfifo /run/netns/pipe; ip netns attach again {c1}
            for kind in mnt uts user cgroup; do ln -s /proc/{c1}/ns/$kind /run/netns/$kind; done; ln -s /run/netns/empty /run/netns/second
            touch /run/netns/mounted; mount --bind /proc/{c1}/ns/ipc /run/netns/mounted""")
        taken = snapshot()
        told = {name.name: (name.how, name.netns, name.pid) for name in taken.names if name.instead is None}
        instead = {name.name: (name.how, name.instead, name.pid) for name in taken.names if name.instead is not None}
        inode = {name: os.stat(f"/run/netns/{name}").st_ino for name in ("other", "c1")}
        assert told == {
            "other": ("mount", inode["other"], None),
            "c1": ("symlink", inode["c1"], c1),
            "again": ("mount", inode["c1"], None),
            "dead": ("symlink", None, 4194000),
        }
        assert instead == {
            "empty": ("file", "empty", None), "plain": ("file", "file", None), "folder": ("file", "folder", None),
            "pipe": ("file", "other", None), "second": ("symlink", "empty", None), "mounted": ("mount", "ipc", None),
            **{kind: ("symlink", kind, c1) for kind in ("mnt", "uts", "user", "cgroup")},
        }  # fmt: skip
        assert all(name.netns is None for name in taken.names if name.instead is not None)
        assert node(taken, "c1").names == ("again", "c1") and node(taken, "host").names == ()


@sandboxed
def test_sysctls_listeners_and_resolvers_belong_to_the_node() -> None:
    """Knobs of the whole namespace and of single devices, sockets that wait, and name servers are read where they are set; a server whose line is
    indented is none (resolv.conf(5)).
    """
    with container() as c1, reading(c1=c1) as snapshot:
        before = node(snapshot(), "host").sysctls
        assert before["ip_forward"] == "0" and "/" not in "".join(before)
        sh(f"""ip link add p0 type veth peer name p1; sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=2
            sysctl -qw net.ipv4.conf.p0.forwarding=0 net.ipv4.conf.p0.route_localnet=1 net.ipv4.conf.p1.rp_filter=1
            nsenter --net=/proc/{c1}/ns/net sysctl -qw net.ipv4.icmp_echo_ignore_all=1 net.ipv6.conf.all.forwarding=1
            ip netns attach c1 {c1}; mkdir -p /etc/netns/c1; echo 'nameserver 198.51.100.53' > /etc/netns/c1/resolv.conf
            rm -f /etc/resolv.conf; printf '# no\\nsearch x\\nnameserver 10.0.0.53\\nnameserver\\t10.0.0.54\\n nameserver 10.0.0.55\\n' > /etc/resolv.conf""")
        with Namespace.of_pid(c1) as inside:
            sockets = call_in(inside, listen)
        taken = snapshot()
        host, c1_node = node(taken, "host").sysctls, node(taken, "c1").sysctls
        assert (host["ip_forward"], host["rp_filter"], host["icmp_echo_ignore_all"]) == ("1", "2", "0")
        assert (host["forwarding/p0"], host["route_localnet/p0"], host["rp_filter/p1"]) == ("0", "1", "1") and "forwarding/p1" not in host
        assert (c1_node["icmp_echo_ignore_all"], c1_node["ip_forward"], c1_node["v6.forwarding"]) == ("1", "0", "1")
        assert node(taken, "host").resolvers == ("10.0.0.53", "10.0.0.54")
        ours = {(entry.protocol, entry.address, entry.port) for entry in node(taken, "c1").listeners}
        assert ours == {("tcp", "127.0.0.1", 8080), ("tcp", "::", 81), ("udp", "0.0.0.0", 53)} and node(taken, "host").listeners == ()
        assert len(sh(f"nsenter --net=/proc/{c1}/ns/net ss -Hltun").splitlines()) == len(ours)
        for opened in sockets:
            opened.close()


def listen() -> list[socket.socket]:
    """Three sockets that wait, in whatever namespace this is called in."""
    one, two, three = socket.socket(), socket.socket(socket.AF_INET6), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sh("ip link set lo up")
    for opened, address in ((one, ("127.0.0.1", 8080)), (two, ("::", 81)), (three, ("0.0.0.0", 53))):
        opened.bind(address)
    one.listen()
    two.listen()
    return [one, two, three]


@sandboxed
def test_rules_of_iptables_legacy_are_noticed() -> None:
    """nf_tables cannot see them, so the snapshot names the tables that hold a rule, a chain or a policy; a mere listing is nothing."""
    with reading() as snapshot:

        def after(script: str) -> tuple[str, ...]:
            sh(script)
            return node(snapshot(), "host").xtables

        assert after("iptables-legacy -t nat -L; iptables-legacy -L; ip6tables-legacy -L") == ()
        assert set(Path("/proc/net/ip_tables_names").read_text().split()) == {"filter", "nat"}
        assert after("iptables-legacy -P FORWARD DROP") == ("filter",)
        assert after("iptables-legacy -t nat -A POSTROUTING -j MASQUERADE") == ("filter", "nat")
        assert after("ip6tables-legacy -P INPUT DROP") == ("filter", "ip6 filter", "nat")
        assert after("iptables-legacy -P FORWARD ACCEPT; ip6tables-legacy -P INPUT ACCEPT; iptables-legacy -t nat -F") == ()
        assert after("ip6tables-legacy -N MINE") == ("ip6 filter",)


@sandboxed
def test_a_node_that_ends_is_left_out_and_let_go() -> None:
    """After the last handle is closed the namespace is gone with its devices: the reader does not keep it."""
    reader, host = Reader(), own_node()
    with container() as c1:
        ref = NodeRef("c1", "container", Namespace.of_pid(c1), c1)
        sh(f"ip link add p0 type veth peer name p1 netns {c1}")
        assert [each.name for each in reader.snapshot([host, ref]).nodes] == ["host", "c1"]
    assert [each.name for each in reader.snapshot([host, ref]).nodes] == ["host", "c1"]
    ref.namespace.close()
    taken = reader.snapshot([host])
    assert [each.name for each in taken.nodes] == ["host"]
    for _ in range(200):
        if "p0@" not in sh("ip link"):
            break
        sh("sleep 0.01")
    assert "p0@" not in sh("ip link")
    reader.close()


@sandboxed
def test_a_snapshot_in_the_middle_of_a_storm_is_whole() -> None:
    """While links come and go in two namespaces no snapshot fails, every peer that is named exists, and the last one is exact."""
    with container() as c1, reading(c1=c1) as snapshot:
        storm = subprocess.Popen(["sh", "-c", f"""for i in $(seq 60); do ip link add h$i type veth peer name e$i netns {c1}
            ip addr add 10.0.$i.1/24 dev h$i; ip link set h$i up; ip link del h$i; done"""])
        taken = 0
        while storm.poll() is None:
            seen = snapshot()
            assert [each.name for each in seen.nodes] == ["host", "c1"] and node(seen, "host").link("lo") is not None
            taken += 1
        assert taken > 20 and storm.returncode == 0
        for each in snapshot().nodes:
            check_links(each)


@sandboxed
def test_chains_are_part_of_the_node_that_has_them() -> None:
    """Rules of a container are the container's."""
    with container() as c1, reading(c1=c1) as snapshot:
        sh(f"nsenter --net=/proc/{c1}/ns/net nft 'add table ip t; add chain ip t c; add rule ip t c iif lo counter accept'")
        taken = snapshot()
        assert [rule.text for chain in node(taken, "c1").chains for rule in chain.rules] == ['iif "lo" counter accept']
        assert node(taken, "host").chains == ()
