"""What is broken where cables, ports, bridges, MACs and addresses are concerned, by ``ip`` and ``bridge``."""

from __future__ import annotations

from helpers.broken import SITE, Broken, ping
from netless_lab.model.probe import Connect

MAC_OF_C2 = """$(ip -n c2 -o link show veth3 | sed 's/.*ether \\([^ ]*\\).*/\\1/')"""
MAC_OF_C1 = """$(ip -n c1 -o link show veth1 | sed 's/.*ether \\([^ ]*\\).*/\\1/')"""
FORGET = "ip -n c2 neigh flush all; ip neigh flush all; ip -n c1 neigh flush all"
"""The prober forgets last: somebody else who makes sure of an old neighbour would tell it who he is (neighbour probes, arp(7))."""
WIDE = "c1| ip addr del 10.0.0.2/24 dev veth1; ip addr add 10.0.0.2/8 dev veth1; ip route replace default via 10.0.0.1"
ELSEWHERE = f"""{WIDE}
ip addr add 10.0.0.1/8 dev br0; ip addr del 10.0.0.1/24 dev br0
ip link add br1 type bridge; ip addr add 10.1.0.1/24 dev br1; ip link set br1 up; ip link set veth4 master br1
c2| ip addr flush dev veth3; ip addr add 10.1.0.3/24 dev veth3; ip route add default via 10.1.0.1"""
"""Nobody beside c1 has another prefix than its own; c2, behind another bridge, has."""

BROKEN = (
    Broken("own link down", "c1| ip link set veth1 down", ping(SITE), "link-down", "c1:veth1"),
    Broken("port down", "ip link set veth2 down", ping("10.0.0.1"), "port-down", "host:veth2"),
    Broken("neighbour's port down", "ip link set veth4 down", ping("10.0.0.3"), "port-down", "host:veth4"),
    Broken("neighbour's link down", "c2| ip link set veth3 down", ping("10.0.0.3"), "link-down", "c2:veth3"),
    Broken("uplink down", "ip link set eth0 down", ping(SITE), "link-down", "host:eth0"),
    Broken("bridge down, to the host", "ip link set br0 down", ping("10.0.0.1"), "bridge-down", "host:br0"),
    Broken("bridge down, to a neighbour", "ip link set br0 down", ping("10.0.0.3"), "bridge-down", "host:br0"),
    Broken("bridge down, from the host", "ip link set br0 down", ping("10.0.0.2", "host"), "bridge-down", "host:br0"),
    Broken("port unplugged, to the host", "ip link set veth2 nomaster", ping("10.0.0.1"), "port-unplugged", "host:veth2"),
    Broken("port unplugged, to a neighbour", "ip link set veth4 nomaster", ping("10.0.0.3"), "port-unplugged", "host:veth4"),
    Broken(
        "port in another bridge", "ip link add br1 type bridge\nip link set br1 up\nip link set veth4 master br1", ping("10.0.0.3"),
        "port-wrong-bridge", "host:veth4",
    ),
    Broken(
        "port waits for STP", "ip link set br0 type bridge stp_state 1\nip link set veth4 down\nip link set veth4 up", ping("10.0.0.3"),
        "port-state", "host:veth4",
    ),
    Broken(
        "isolated ports", "bridge link set dev veth2 isolated on\nbridge link set dev veth4 isolated on", ping("10.0.0.3"),
        "isolated-ports", "host:veth4",
    ),
    Broken("no broadcast out", f"{FORGET}\nbridge link set dev veth4 flood off bcast_flood off", ping("10.0.0.3"), "port-flood", "host:veth4"),
    Broken(
        "port locked", f"{FORGET}\nbridge link set dev veth2 locked on learning off\nip link set br0 type bridge fdb_flush",
        ping("10.0.0.3"), "port-locked", "host:veth2",
    ),
    Broken(
        "both ports locked", f"{FORGET}\nbridge link set dev veth2 locked on\nbridge link set dev veth4 locked on\nip link set br0 type bridge fdb_flush",
        ping("10.0.0.3"), "port-locked", "host:veth2",
    ),
    Broken(
        "MAC nailed to the wrong port", f"bridge fdb replace {MAC_OF_C2} dev veth2 master static sticky", ping("10.0.0.3"),
        "fdb-wrong", "host:veth2",
    ),
    Broken("one MAC of two, and the old one remembered", f"ip -n c2 link set veth3 address {MAC_OF_C1}", ping("10.0.0.3"), "duplicate-mac", "c1:veth1"),
    Broken("one MAC of two, and the router remembers the old one", f"ip -n c2 link set veth3 address {MAC_OF_C1}", ping("10.0.0.3", "host"), "duplicate-mac", "c2:veth3"),
    # c1 is to say nothing of its own accord meanwhile: no questions whether a neighbour is still there (DELAY, PROBE), no solicitations of IPv6 (RFC 4861)
    Broken(
        "one MAC of two, and the other takes the packet",
        "c1| sysctl -qw net.ipv6.conf.veth1.disable_ipv6=1; ip neigh flush dev veth1\n"
        f"ip -n c2 link set veth3 address {MAC_OF_C1}\nc2| ping -n -q -c1 -W0.3 10.0.0.1 >/dev/null || true",
        ping("10.0.0.2", "host"), "duplicate-mac", "c2:veth3",
    ),
    Broken("two with one MAC", f"ip -n c1 link set veth1 address {MAC_OF_C2}", ping("10.0.0.3"), "duplicate-mac", "c1:veth1"),
    Broken("bridge lost its address", "ip addr flush dev br0", ping("10.0.0.1"), "bridge-without-address", "host:br0"),
    Broken("bridge lost its address, beyond", "ip addr flush dev br0", ping(SITE), "bridge-without-address", "host:br0"),
    Broken("bridge lost its address, asked anew", f"ip addr flush dev br0\n{FORGET}", ping(SITE), "bridge-without-address", "host:br0"),
    Broken("address on a port", "ip addr flush dev br0\nip addr add 10.0.0.1/24 dev veth2", ping("10.0.0.1"), "address-on-port", "host:veth2"),
    Broken(
        "address on a port, and on its bridge as well",
        "ip addr flush dev br0; ip addr add 10.0.0.1/24 dev veth2; ip addr add 10.0.0.1/24 dev br0; ip neigh flush dev veth2",
        ping("10.0.0.2", "host"), "address-on-port", "host:veth2",
    ),
    Broken("ARP off, sender", "c1| ip link set veth1 arp off", ping("10.0.0.3"), "arp-off", "c1:veth1"),
    Broken("ARP off, target", f"{FORGET}\nc2| ip link set veth3 arp off", ping("10.0.0.3"), "arp-off", "c2:veth3"),
    Broken(
        "ARP ignored", f"c2| sysctl -qw net.ipv4.conf.all.arp_ignore=8\n{FORGET}", ping("10.0.0.3"), "arp-ignored", "c2:neighbour",
        "c2| sysctl -qw net.ipv4.conf.all.arp_ignore=0",
    ),
    Broken(
        "wrong MAC remembered", "c1| ip neigh replace 10.0.0.3 lladdr 02:00:00:00:00:99 dev veth1 nud permanent", ping("10.0.0.3"),
        "neighbour-wrong", "c1:neighbour",
    ),
    Broken(
        "wrong MAC remembered by the router", "ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev br0 nud permanent", ping(SITE),
        "neighbour-wrong", "host:neighbour",
    ),
    Broken(
        "the bridge took another port's MAC",
        """ip link add vlow type veth peer name vlowp; ip link set vlow address 02:00:00:00:00:01; ip link set vlow master br0 up; ip link set vlowp up
           c1| ip neigh flush all; ping -c1 -W1 10.0.0.1 > /dev/null
           ip link del vlow""",
        ping("10.0.0.1"), "neighbour-wrong", "c1:neighbour",
    ),
    Broken(
        "the gateway's bridge lost a port, asked beyond it",
        """ip link set veth4 address 02:00:00:00:00:01
           c1| ip neigh flush all; ping -c1 -W2 10.0.0.1 > /dev/null
           ip link add br1 type bridge; ip link set br1 up; ip addr add 10.1.0.1/24 dev br1; ip link set veth4 master br1
           nft insert rule ip lab forward iifname br0 oifname br1 accept; nft insert rule ip lab forward iifname br1 oifname br0 accept
           c2| ip addr del 10.0.0.3/24 dev veth3; ip addr add 10.1.0.3/24 dev veth3; ip route replace default via 10.1.0.1""",
        ping("10.1.0.3"), "neighbour-wrong", "c1:neighbour",
    ),
    Broken(
        "port unplugged, and its MAC was the bridge's",
        """ip link set br0 address $(cat /sys/class/net/veth2/address)
           c1| ip neigh flush all; ping -c1 -W2 10.0.0.1 > /dev/null
           ip link set veth2 nomaster""",
        ping(SITE), "port-unplugged", "host:veth2",
    ),
    Broken(
        "port unplugged, and the host sees whether the container is still there",
        """ip link set br0 address $(cat /sys/class/net/veth2/address)
           c1| ip neigh flush all; ping -c1 -W2 10.0.0.1 > /dev/null
           sysctl -qw net.ipv4.neigh.br0.ucast_solicit=60
           ip link set veth2 nomaster
           ip neigh change 10.0.0.2 dev br0 nud probe""",
        ping(SITE), "port-unplugged", "host:veth2",
    ),
    Broken("nobody there", "true", ping("10.0.0.99"), "neighbour-unanswered", "c1:neighbour"),
    Broken("no address", "c1| ip addr flush dev veth1", ping("10.0.0.1"), "address-missing", "c1:veth1"),
    Broken("target without address", "c2| ip addr flush dev veth3", ping("10.0.0.3"), "address-missing", "c2:veth3"),
    Broken("uplink without address", "ip addr flush dev eth0", ping(SITE), "address-missing", "host:eth0"),
    Broken(
        "address of another subnet", "c1| ip addr flush dev veth1; ip addr add 10.0.1.2/24 dev veth1", ping("10.0.0.1"),
        "address-wrong", "c1:veth1",
    ),
    Broken(
        "target in another subnet", f"c2| ip addr flush dev veth3; ip addr add 10.0.7.3/24 dev veth3\n{FORGET}", ping("10.0.0.3"),
        "address-wrong", "c2:veth3",
    ),
    Broken(
        "gateway's bridge in another subnet", f"ip addr flush dev br0; ip addr add 10.0.9.1/24 dev br0\n{FORGET}", ping("10.0.0.1"),
        "address-wrong", "host:br0",
    ),
    Broken("prefix /32", "c1| ip addr flush dev veth1; ip addr add 10.0.0.2/32 dev veth1", ping("10.0.0.1"), "prefix-wrong", "c1:veth1"),
    Broken("bridge with prefix /32", "ip addr flush dev br0; ip addr add 10.0.0.1/32 dev br0", ping("10.0.0.1"), "prefix-wrong", "host:br0"),
    Broken(
        "unplugged, and in a narrower subnet", f"{WIDE}\nip addr add 10.0.0.1/8 dev br0; ip addr del 10.0.0.1/24 dev br0; ip link set veth4 nomaster\n"
        "c2| ip addr flush dev veth3; ip addr add 10.1.0.3/24 dev veth3; ip route add 10.0.0.2 dev veth3", ping("10.1.0.3"), "port-unplugged", "host:veth4",
    ),
    Broken("too wide for who is elsewhere", ELSEWHERE, ping("10.1.0.3"), "prefix-wrong", "c1:veth1"),
    Broken("broadcast by prefix /30", "c1| ip addr flush dev veth1; ip addr add 10.0.0.2/30 dev veth1", ping("10.0.0.3"), "prefix-wrong", "c1:veth1"),
    Broken("two with one address", "c2| ip addr add 10.0.0.1/24 dev veth3", Connect("c1", "10.0.0.1", 80), "duplicate-address", "c2:veth3", served=False),
    Broken("the sender's address twice", "c2| ip addr add 10.0.0.2/24 dev veth3", ping("10.0.0.3"), "duplicate-address", "c2:veth3"),
    Broken("lo down", "c1| ip link set lo down", ping("10.0.0.2"), "lo-down", "c1:lo"),
    Broken("cable gone", "ip link del veth2", ping("10.0.0.1"), "cable-missing", "c1"),
    Broken("cable gone, from the other side", "ip link del veth2", ping("10.0.0.2", "host"), "cable-missing", "c1"),
    Broken(
        "decoy namespace",
        """ip -n c1 link del veth1; ip netns del c1; ip netns add c1
           ip link add veth1 netns c1 type veth peer name veth2; ip link set veth2 master br0 up; ip -n c1 link set veth1 up""",
        ping("10.0.0.1"), "decoy-namespace", "c1",
    ),
    Broken("narrow port", "ip link set veth2 mtu 600", ping("10.0.0.1", size=900), "mtu-wrong", "host:veth2"),
    Broken("wide end", "c1| ip link set veth1 mtu 9000", ping("10.0.0.3", size=5000), "mtu-wrong", "c1:veth1"),
    Broken(
        "a queue that gives nothing out", "tc -n c1 qdisc add dev veth1 root tbf rate 8bit burst 10 limit 10", ping(SITE), "queue-drop", "c1:veth1"
    ),
    Broken("a queue that takes nothing in", "tc qdisc add dev br0 root pfifo limit 0; ip neigh flush dev br0", ping("10.0.0.2", "host"), "queue-drop", "host:br0"),
)  # fmt: skip
