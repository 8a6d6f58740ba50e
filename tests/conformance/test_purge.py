"""Whatever was built by hand, a purge brings every node back to where it began; ``ip``, ``bridge`` and ``nft`` are the witnesses."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.cases import POST
from conformance.meaning import meaning
from helpers.lab import Lab, lab, told
from helpers.sandboxed import answers, sandboxed, sh
from helpers.waiting import eventually

MESSES = {
    "several bridges and cables between containers": """
        setsid unshare --net --mount --uts --ipc sh -c 'hostname c2; exec sleep 1000' >/dev/null 2>&1 &
        until grep -q sleep /proc/$!/comm; do sleep 0.01; done
        ip link add one type bridge; ip link add two type bridge; ip link set one up; ip link set two up
        ip link add va type veth peer name vb; ip link set vb netns $C1
        ip link add vc type veth peer name vd; ip link set vc netns $C1; ip link set vd netns $!
        ip link set va master one
        ip -n box link add inner type bridge
        ip -n box link add in1 type veth peer name in2
        ip -n box link set in1 master inner
    """,
    "macvlan, vxlan and tun": """
        ip link add mv0 link eth0 type macvlan mode bridge; ip link set mv0 netns $C1; ip -n box link set mv0 up
        ip link add mv1 link eth0 type macvlan mode private
        ip link add vx0 type vxlan id 42 local 203.0.113.2 dstport 4789 dev eth0; ip link set vx0 up
        ip link add br0 type bridge; ip link set vx0 master br0; ip link set br0 up
        bridge fdb append 00:00:00:00:00:00 dev vx0 dst 203.0.113.1
        test ! -w /dev/net/tun || ip tuntap add tap0 mode tap
    """,
    "addresses, routes, rules and neighbours on what was there before": """
        ip addr add 10.9.9.1/24 dev eth0; ip addr add fd00:9::1/64 dev eth0; ip addr add 10.9.9.2/32 dev lo
        ip route add 10.62.0.0/24 via 203.0.113.1; ip route add 10.63.0.0/24 via 203.0.113.1 table 77 metric 5
        ip route add blackhole 10.64.0.0/24; ip route add prohibit 10.65.0.0/24; ip route add default via 203.0.113.9 metric 50
        ip rule add from 10.0.0.2 prohibit; ip rule add fwmark 1 table 77; ip -6 rule add from fd00::/8 table 77
        ip neigh replace 203.0.113.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
        ip neigh replace 203.0.113.7 lladdr 02:00:00:00:00:07 dev eth0 nud permanent
        ip -n box link set lo up
        ip -n box addr add 10.1.1.1/32 dev lo
    """,
    "what was there before taken away": """
        ip addr flush dev eth0; ip route flush table main; ip link set eth0 down
        ip rule flush; ip rule add prio 5 lookup 254
    """,
    "links bent out of shape": """
        ip link set eth0 down; ip link set eth0 name uplink; ip link set uplink address 02:00:00:00:00:01 mtu 1400
        ip link set uplink alias mine; ip link property add dev uplink altname another; ip link set uplink arp off promisc on
        ip link add br0 type bridge; ip link set uplink master br0; ip link add eth0 type bridge; ip link set eth0 up
        tc qdisc add dev uplink root tbf rate 1mbit burst 5kb latency 50ms
    """,
    "the uplink deleted": "ip link del eth0",
    "the uplink deleted, and what the next one copies": """
        sysctl -qw net.ipv4.conf.default.arp_ignore=2 net.ipv4.conf.all.forwarding=1 net.ipv6.conf.default.hop_limit=7
        ip link del eth0
    """,
    "the uplink moved into a container": "ip link set eth0 netns $C1; ip -n box addr add 203.0.113.2/24 dev eth0",
    "the uplink moved into a namespace that dies": """
        unshare -n sleep 1000 >/dev/null 2>&1 & far=$!
        until grep -q sleep /proc/$far/comm; do sleep 0.01; done
        ip link set eth0 netns $far; kill -9 $far; sleep 0.005
    """,
    "the uplink moved into a namespace that only has a name": "ip netns add decoy; ip link set eth0 netns decoy",
    "everything deleted": "for n in $(ls /sys/class/net); do ip link del $n 2>/dev/null || true; done; ip route flush table main",
    "firewalls of every kind": """
        nft add table ip lab; nft 'add chain ip lab forward { type filter hook forward priority filter; policy drop; }'
        nft add table inet odd; nft 'add chain inet odd in { type filter hook input priority 0; policy drop; }'
        nft add table bridge b; nft add set inet odd s '{ type ipv4_addr; }'
        iptables -P FORWARD DROP; iptables -t nat -A POSTROUTING -j MASQUERADE; ip6tables -A INPUT -j DROP
        if iptables-legacy -P FORWARD DROP; then iptables-legacy -t nat -A POSTROUTING -j MASQUERADE; iptables-legacy -N mine; fi
    """,
    "settings": """
        sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth0.forwarding=0 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=2
        sysctl -qw net.ipv4.conf.eth0.proxy_arp=1 net.ipv4.icmp_echo_ignore_all=1 net.ipv6.conf.all.forwarding=1
        ip netns exec box sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_echo_ignore_all=1
    """,
    "settings that no lesson speaks of": """
        sysctl -qw net.ipv4.conf.all.arp_ignore=8 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.default.arp_ignore=1
        sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.lo.disable_ipv6=1
        sysctl -qw net.ipv4.neigh.eth0.gc_stale_time=3 net.ipv4.neigh.eth0.retrans_time_ms=3000 net.ipv4.tcp_syncookies=0
        sysctl -qw net.ipv4.ip_unprivileged_port_start=5000 net.ipv4.ip_local_port_range='6000 7000'
        sysctl -qw net.netfilter.nf_conntrack_udp_timeout=5 net.netfilter.nf_conntrack_tcp_loose=0 net.core.somaxconn=7
        nsenter -n -t $C1 sysctl -qw net.ipv4.conf.all.arp_ignore=8 net.ipv4.conf.lo.arp_announce=1 net.ipv4.ip_default_ttl=7
    """,
    "a cable bent where no picture shows it": """
        ip link set eth0 txqueuelen 7 allmulticast on multicast off group 42 gso_max_size 30000
        ip link set eth0 mtu 1000; ip link set eth0 mtu 1500; ip link set lo txqueuelen 9 mtu 1200
        nsenter -n -t $C1 ip link set lo txqueuelen 9 group 7
    """,
    "disciplines at both ends of a link": """
        tc qdisc add dev eth0 clsact; tc qdisc add dev lo ingress; tc qdisc add dev eth0 root pfifo
        nsenter -n -t $C1 tc qdisc add dev lo clsact
    """,
    "policies of IPsec": """
        ip xfrm policy add src 10.0.0.0/24 dst 198.51.100.0/24 dir out tmpl src 203.0.113.2 dst 203.0.113.1 proto esp mode tunnel
        ip xfrm policy add src 10.0.0.0/24 dst 198.51.100.0/24 dir in action block; ip xfrm policy setdefault fwd block
        nsenter -n -t $C1 ip xfrm policy add src 10.0.0.0/24 dst 10.0.0.0/24 dir out action block
    """,
    "proxies and next hops": """
        ip neigh add proxy 203.0.113.77 dev eth0; ip -6 neigh add proxy fd00::7 dev eth0
        ip nexthop add id 5 via 203.0.113.1 dev eth0; ip nexthop add id 6 group 5; ip nexthop add id 7 blackhole
        ip route add 10.66.0.0/24 nhid 6
    """,
    "details of addresses": """
        ip addr del 203.0.113.2/24 dev eth0; ip addr add 203.0.113.2/24 broadcast 203.0.113.77 dev eth0 label eth0:mine metric 7
        ip addr add fe80::77/64 dev lo; ip addr add fd00:8::1/64 dev eth0 valid_lft 600 preferred_lft 500
        ip addr change 127.0.0.1/8 dev lo valid_lft 600 preferred_lft 500
        nsenter -n -t $C1 ip link set lo up
        nsenter -n -t $C1 ip addr add fe80::78/64 dev lo
    """,
    "details of routes": """
        ip route change default via 203.0.113.1 mtu 1300 advmss 500; ip route add local 10.79.0.0/24 dev lo
        ip route add broadcast 10.79.1.255 dev eth0; ip route add 10.79.2.0/24 dev eth0 src 203.0.113.2 realm 7
        ip route del local 203.0.113.2 dev eth0 table local; ip -6 route add local fd00:79::/64 dev lo
        ip route add 10.79.3.0/24 tos 4 via 203.0.113.1; ip route add throw 10.79.4.0/24 table 9
    """,
    "rules that no picture can tell apart": """
        ip rule del pref 32766; ip rule add not from all lookup main pref 32766; ip rule del pref 0; ip rule add pref 0 lookup local
        ip rule add from all fwmark 5 lookup 42 suppress_prefixlength 0; ip rule add ipproto tcp dport 80 lookup 42
        ip -6 rule add iif lo lookup 42 protocol 99; ip rule add from all iif eth9 lookup 9; ip mrule add lookup 9; ip -6 mrule add lookup 9
        nsenter -n -t $C1 sh -c 'ip -6 rule flush; ip mrule add lookup 9; ip rule add not to 10.0.0.0/8 blackhole'
    """,
    "labels, frames and neighbours that no picture shows": """
        ip addrlabel add prefix fd00:7::/64 label 77; ip addrlabel del prefix 2002::/16 label 2
        ip maddr add 33:33:00:00:00:99 dev eth0; ip maddr add 01:00:5e:00:00:99 dev eth0
        bridge fdb add 02:00:00:00:00:05 dev eth0; bridge fdb add 02:00:00:00:00:06 dev lo self || true
        ip neigh add 203.0.113.9 lladdr 02:00:00:00:00:09 dev eth0 nud noarp
        nsenter -n -t $C1 ip addrlabel add prefix fd00:9::/64 label 9
    """,
    "a token and an address that it makes": """
        ip link set eth0 addrgenmode eui64; ip token set ::7 dev eth0; ip link set eth0 down; ip link set eth0 up
    """,
    "more roads for one connection": """
        ip mptcp endpoint add 203.0.113.2 dev eth0 id 7 subflow; ip mptcp limits set subflow 3 add_addr_accepted 4
        nsenter -n -t $C1 ip mptcp limits set subflow 5
    """,
    "tables and sets without a chain": """
        nft add table ip empty; nft add table bridge nothing; nft add table inet kept
        nft 'add set inet kept outs { type ifname; elements = { "br0" } }'; nft 'add map inet kept m { type ipv4_addr : ipv4_addr; }'
    """,
    "names and files": """
        ip netns add decoy; ip netns add 'we ird'; ln -s /proc/99999/ns/net /run/netns/dangling; touch /run/netns/stray; mkdir -p /run/netns/folder/in
        ip link add far type veth peer name near netns decoy; ip -n decoy link add br9 type bridge
        ip netns attach other $C1
        mkdir -p /etc/netns/decoy; echo nameserver 127.0.0.53 > /etc/netns/decoy/resolv.conf
        echo nameserver 1.2.3.4 > /etc/resolv.conf
        nsenter -t $C1 -m sh -c 'echo nameserver 9.9.9.9 > /etc/resolv.conf'
    """,
    "names with every odd character": r"""
        ip link add 'a.b' type bridge; ip link add 'ünïcode' type bridge; ip link add '$x;y' type bridge
        ip link add '"q"' type veth peer name "'p'"; ip link set "'p'" master a.b; ip link set a.b up
    """,
}


def differing(now: Any, before: Any, at: str = "") -> list[str]:
    """Every place in which two nests of dicts differ, with both values."""
    if isinstance(now, dict) and isinstance(before, dict):
        keys = sorted(now.keys() | before.keys())
        return [line for key in keys for line in differing(now.get(key), before.get(key), f"{at} {key}")]
    if isinstance(now, list) and isinstance(before, list):
        return [f"{at}: + {own}" for own in now if own not in before] + [f"{at}: - {own}" for own in before if own not in now]
    return [] if now == before else [f"{at}: {now!r}, was {before!r}"]


ABOUT_ADDRESSES = ("label", "broadcast", "metric", "scope", "valid_life_time", "preferred_life_time", "noprefixroute")
ABOUT_LINKS = ("txqlen", "group", "broadcast", "gso_max_size", "gso_max_segs", "gro_max_size", "inet6_addr_gen_mode", "num_tx_queues", "link_netnsid")


def settings(own: Lab, node: str) -> dict[str, str]:
    """Every setting below /proc/sys/net that its owner may read and write, as ``grep`` reads it: file -> value."""
    listed = own.shell(node, "find /proc/sys/net -type f -perm -600 -exec grep -sH '' {} + || true")
    return dict(line.split(":", 1) for line in listed.splitlines())


def tools_say(own: Lab) -> dict[str, Any]:
    """Every node as ip(8), bridge(8) and nft(8) see it, without what no purge can or should bring back: counters and ages."""
    said: dict[str, Any] = {}
    for node in ("host", "internet", "c1"):
        links = told(own, node, "ip -d -j addr")
        said[node] = {
            "links": {
                entry["ifname"]: (
                    entry["address"], entry["mtu"], sorted(set(entry["flags"]) - {"NO-CARRIER", "LOWER_UP", "M-DOWN"}), entry.get("master"),
                    sorted(f"{own['local']}/{own['prefixlen']}" for own in entry["addr_info"] if own["scope"] == "global"),
                    entry.get("ifalias"), entry.get("altnames"), "UP" in entry["flags"] and entry["qdisc"], entry.get("promiscuity"),
                )
                for entry in links
            },
            "routes": sorted(re.sub(r" linkdown", "", line) for line in own.shell(node, "ip route show table all").splitlines()),
            "rules": own.shell(node, "ip rule; ip -6 rule").replace("\t", " "),
            "permanent": [entry for entry in told(own, node, "ip -j neigh") if "PERMANENT" in entry["state"]],
            "nft": own.shell(node, "nft list ruleset"),
            "settings": settings(own, node),
            "about links": {entry["ifname"]: {word: entry.get(word) for word in ABOUT_LINKS} for entry in told(own, node, "ip -d -j link")},
            "tc": sorted(line for line in own.shell(node, "tc qdisc").splitlines() if " noqueue " not in line),
            "xfrm": own.shell(node, "ip xfrm policy; ip xfrm state; ip xfrm policy getdefault"),
            "details of addresses": sorted(
                f"{entry['ifname']} {own['local']} {[own.get(word) for word in ABOUT_ADDRESSES]}"
                for entry in links for own in entry["addr_info"] if own.get("protocol") != "kernel_ll"
            ),
            "mrules": own.shell(node, "ip mrule; ip -6 mrule"),
            "labels": sorted(line.strip() for line in own.shell(node, "ip addrlabel").splitlines()),
            "frames": sorted(own.shell(node, "bridge fdb; ip maddr | grep link || true").split("\n")),
            "tokens": own.shell(node, "ip token"),
            "mptcp": own.shell(node, "ip mptcp endpoint; ip mptcp limits"),
            "noarp": sorted(line for line in own.shell(node, "ip neigh show nud noarp").splitlines() if not line.startswith(("ff02:", "224.")) and " lo " not in line),
            "proxies": own.shell(node, "ip neigh show proxy; ip -6 neigh show proxy"),
            "next hops": own.shell(node, "ip nexthop"),
            "resolv": own.shell(node, "grep nameserver /etc/resolv.conf || true"),
        }  # fmt: skip
    said["names"] = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []
    said["etc"] = sorted(os.listdir("/etc/netns")) if os.path.isdir("/etc/netns") else []
    return said


@pytest.mark.parametrize("mess", MESSES, ids=lambda name: name.replace(" ", "-").replace(",", ""))
@sandboxed
def test_any_mess_ends_where_it_began(mess: str) -> None:
    """After the purge the tools say what they said at first, the snapshot means what it meant, and the internet answers again."""
    with lab() as own:
        before, meant = tools_say(own), meaning(own.snapshot())
        own.do({"name-symlink": "box", "of": "c1"})
        sh(f"C1={own.refs()['c1'].pid}\n" + MESSES[mess])
        assert tools_say(own) != before, "the mess makes no difference"
        assert own.purge() == ()
        # the kernel itself gives a link its last routes of IPv6 when it has noticed its carrier, in the background
        assert eventually(lambda: not differing(tools_say(own), before)), differing(tools_say(own), before)
        assert meaning(own.snapshot()) == meant
        own.do(*POST)
        assert [to for to in ("10.0.0.2", "203.0.113.1", "198.51.100.10") if not answers(to)] == []


@pytest.mark.parametrize("seed", range(8))
@sandboxed
def test_any_mix_of_messes_ends_where_it_began(seed: int) -> None:
    """Several messes on top of one another, in any order, each as far as the one before lets it: after the purge the tools say the same."""
    chance = random.Random(seed)
    with lab() as own:
        before, meant = tools_say(own), meaning(own.snapshot())
        own.do({"name-symlink": "box", "of": "c1"})
        for mess in chance.sample(sorted(MESSES), 5):
            subprocess.run(["sh", "-c", f"C1={own.refs()['c1'].pid}\n{MESSES[mess]}"], capture_output=True, check=False)
        assert tools_say(own) != before
        assert own.purge() == ()
        assert eventually(lambda: not differing(tools_say(own), before)), differing(tools_say(own), before)
        assert meaning(own.snapshot()) == meant


TAKES_BACK = """
import glob
for path in sorted(glob.glob("/proc/sys/net/**", recursive=True)):
    try:
        with open(path, "r+b", buffering=0) as file:
            file.write(file.read())
    except OSError:
        continue
    print(path)
"""


def takes_back(own: Lab, node: str) -> list[str]:
    """The settings whose own value the kernel accepts; without ping_group_range of a user namespace in which its groups do not exist."""
    return own.shell(node, f"exec {sys.executable} -I - <<'END'{TAKES_BACK}END").split()


SOME = 120
"""How many settings of each node one test changes."""


@pytest.mark.parametrize("seed", range(6))
@sandboxed
def test_whatever_was_set_is_put_back(seed: int) -> None:
    """Settings drawn at random on every node, to whatever value the kernel takes, are what they were after the purge."""
    chance = random.Random(seed)
    with lab() as own:
        before = tools_say(own)
        own.do({"veth": "veth1", "peer": "veth2"}, {"bridge": "br0"})
        for node in ("host", "internet", "c1"):
            chosen = chance.sample(takes_back(own, node), SOME)
            lines = [f"echo {chance.choice((0, 1, 2, 3, 7, 60, 1000, 4096))} 2>/dev/null >{path} || true" for path in chosen]
            own.shell(node, "exec 2>/dev/null\n" + "\n".join(lines))
        changed = [node for node in ("host", "internet", "c1") if settings(own, node).items() - before[node]["settings"].items()]
        assert changed == ["host", "internet", "c1"]
        assert own.purge() == ()
        assert differing(tools_say(own), before) == []


@sandboxed
def test_legacy_rules_are_emptied() -> None:
    """iptables-legacy is invisible to nft: its own listing must be empty after the purge."""
    with lab() as own:
        sh("iptables-legacy -P FORWARD DROP; iptables-legacy -t nat -A POSTROUTING -j MASQUERADE; iptables-legacy -N mine")
        assert own.purge() == ()
        assert "DROP" not in sh("iptables-legacy -S") and "mine" not in sh("iptables-legacy -S")
        assert "MASQUERADE" not in sh("iptables-legacy -t nat -S")


@sandboxed
def test_a_table_that_a_program_keeps_for_itself_keeps_no_other() -> None:
    """Nobody but its owner may delete it (nft(8), ``flags owner``): all other tables go, and it is told. With the program it goes itself."""
    with lab() as own:
        sh("nft add table ip first; nft 'table inet other { chain f { type filter hook forward priority 0; policy drop; }; }'")
        with subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as owner:
            assert owner.stdin is not None
            print("add table ip kept { flags owner; }", file=owner.stdin, flush=True)
            assert eventually(lambda: "table ip kept" in sh("nft list tables"))
            (problem,) = own.purge()
            assert "kept in host" in problem
            assert sh("nft list tables") == "table ip kept\n"
        assert eventually(lambda: sh("nft list tables") == "")
        assert own.purge() == ()


@sandboxed
def test_connections_are_forgotten() -> None:
    """An old connection must not carry a new lesson's packets: conntrack -L is empty after the purge."""
    with lab() as own:
        own.do(
            *POST, {"masquerade": "10.0.0.0/24", "except": "br0"}, {"route": "default", "via": "10.0.0.1", "in": "c1"}, {"forwarding": True}
        )
        assert answers("198.51.100.10", own.refs()["c1"].pid)
        assert "198.51.100.10" in sh("conntrack -L 2>/dev/null")
        own.purge()
        assert sh("conntrack -L 2>/dev/null") == ""


@sandboxed
def test_purge_twenty_times_without_a_pause() -> None:
    """Names are free when a purge returns: the same lab can be built again at once, every time."""
    with lab() as own:
        for _ in range(20):
            own.do(*POST)
            assert own.purge() == ()
        assert [entry["ifname"] for entry in told(own, "host", "ip -j link")] == ["lo", "eth0"]


@sandboxed
def test_purge_of_a_clean_lab_changes_nothing() -> None:
    """Nothing is made again that was not lost, and ``ip monitor`` hears of no link that comes or goes."""
    with lab() as own:
        before = tools_say(own)
        with subprocess.Popen(["ip", "-o", "monitor", "link"], stdout=subprocess.PIPE, text=True) as monitor:
            assert eventually(lambda: f" {monitor.pid} " in Path("/proc/net/netlink").read_text()), "it does not listen"
            assert own.purge() == ()
            sh("ip link add heard type bridge")
            assert monitor.stdout is not None
            first = monitor.stdout.readline()
            monitor.kill()
        sh("ip link del heard")
        assert " heard: " in first
        assert tools_say(own) == before


@sandboxed
def test_a_container_started_anew_is_bare() -> None:
    """A killed container comes back with nothing but lo, and its cable's other end is gone from the host."""
    with lab() as own:
        own.do(*POST)
        own.stop("c1")
        assert own.purge() == ()
        assert [entry["ifname"] for entry in told(own, "c1", "ip -j link")] == ["lo"]
        assert eventually(lambda: [entry["ifname"] for entry in told(own, "host", "ip -j link")] == ["lo", "eth0"])
