"""Walk-throughs as people publish them: the commands in their own order, with names, addresses and tools of their own.

Each begins where a container runs and its namespace may be named. ``{pid}`` is the container's process.
"""

from __future__ import annotations

from dataclasses import dataclass

BY_ROUTE, BY_MASQUERADE = "internet/default-route", "internet/masquerade"


@dataclass(frozen=True)
class Walk:
    """One walk-through: how the container's namespace is called, every command typed on the host, and the last step it gets to."""

    name: str
    called: str
    commands: tuple[str, ...]
    reaches: str


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


ENDS_UP_FIRST = Walk(
    "both ends of each cable on the host are raised before they are moved or plugged in",
    "x1",
    _lines("""
        ip netns add x2
        ip link add xeth1 type veth peer name xpeer1
        ip link add xeth2 type veth peer name xpeer2
        ip link set xeth1 up
        ip link set xeth2 up
        ip link set xpeer1 netns x1
        ip link set xpeer2 netns x2
        ip netns exec x1 ip link set lo up
        ip netns exec x2 ip link set lo up
        ip netns exec x1 ip link set xpeer1 up
        ip netns exec x2 ip link set xpeer2 up
        ip netns exec x1 ip addr add 10.11.0.10/16 dev xpeer1
        ip netns exec x2 ip addr add 10.11.0.20/16 dev xpeer2
        ip link add xavki0 type bridge
        ip link set xavki0 up
        ip link set xeth1 master xavki0
        ip link set xeth2 master xavki0
        ip addr add 10.11.0.1/16 dev xavki0
        ip netns exec x1 ip route add default via 10.11.0.1
        ip netns exec x2 ip route add default via 10.11.0.1
        echo 1 > /proc/sys/net/ipv4/ip_forward
        iptables -t nat -A POSTROUTING -s 10.11.0.0/16 ! -o xavki0 -j MASQUERADE
    """),
    BY_MASQUERADE,
)

BRIDGE_OF_A_DAEMON = Walk(
    "the bridge, forwarding and NAT are there already, the namespace is called by the pid, and the end is renamed inside",
    "{pid}",
    _lines("""
        ip link add docker0 type bridge
        ip addr add 172.17.42.1/16 dev docker0
        ip link set docker0 up
        sysctl -w net.ipv4.ip_forward=1
        iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
        ip netns exec {pid} ip link set lo up
        ip link add A type veth peer name B
        brctl addif docker0 A
        ip link set A up
        ip link set B netns {pid}
        ip netns exec {pid} ip link set dev B name eth0
        ip netns exec {pid} ip link set eth0 up
        ip netns exec {pid} ip addr add 172.17.42.99/16 dev eth0
        ip netns exec {pid} ip route add default via 172.17.42.1
    """),
    BY_MASQUERADE,
)

ADDRESS_BEFORE_UP = Walk(
    "two containers, addressed before anything is up; the loopbacks come last but one",
    "con1",
    _lines("""
        ip netns add con2
        ip link add veth10 type veth peer name veth11
        ip link add veth20 type veth peer name veth21
        ip link set veth11 netns con1
        ip link set veth21 netns con2
        ip netns exec con1 ip addr add 176.16.0.2/24 dev veth11
        ip netns exec con2 ip addr add 176.16.0.3/24 dev veth21
        ip netns exec con1 ip link set dev veth11 up
        ip netns exec con2 ip link set dev veth21 up
        ip link add name br0 type bridge
        ip link set dev veth10 master br0
        ip link set dev veth20 master br0
        ip addr add 176.16.0.1/24 dev br0
        ip link set dev br0 up
        ip link set dev veth10 up
        ip link set dev veth20 up
        ip netns exec con1 ip link set lo up
        ip netns exec con2 ip link set lo up
        ip netns exec con1 ip route add default via 176.16.0.1 dev veth11
        ip netns exec con2 ip route add default via 176.16.0.1 dev veth21
    """),
    BY_ROUTE,
)

BRIDGE_UP_AT_ONCE = Walk(
    "the bridge is raised when it is made, and addressed when the ports are in it; the ends inside come up before their address",
    "netns0",
    _lines("""
        ip link add veth0 type veth peer name ceth0
        ip link set veth0 up
        ip link set ceth0 netns netns0
        nsenter --net=/var/run/netns/netns0 ip link set lo up
        nsenter --net=/var/run/netns/netns0 ip link set ceth0 up
        nsenter --net=/var/run/netns/netns0 ip addr add 172.18.0.10/16 dev ceth0
        ip netns add netns1
        ip link add veth1 type veth peer name ceth1
        ip link set veth1 up
        ip link set ceth1 netns netns1
        nsenter --net=/var/run/netns/netns1 ip link set lo up
        nsenter --net=/var/run/netns/netns1 ip link set ceth1 up
        nsenter --net=/var/run/netns/netns1 ip addr add 172.18.0.20/16 dev ceth1
        ip link add br0 type bridge
        ip link set br0 up
        ip link set veth0 master br0
        ip link set veth1 master br0
        ip addr add 172.18.0.1/16 dev br0
        nsenter --net=/var/run/netns/netns0 ip route add default via 172.18.0.1
        nsenter --net=/var/run/netns/netns1 ip route add default via 172.18.0.1
        echo 1 > /proc/sys/net/ipv4/ip_forward
        iptables -t nat -A POSTROUTING -s 172.18.0.0/16 ! -o br0 -j MASQUERADE
    """),
    BY_MASQUERADE,
)

SMALL_NETWORK = Walk(
    "brctl beside ip, a network of 64 addresses, names as long as the kernel takes them; NAT for the network, not for one address of it",
    "ns1",
    _lines("""
        ip link add ns1-namespaceIf type veth peer name ns1-rootIf
        ip link set ns1-namespaceIf netns ns1
        ip netns exec ns1 ip link set lo up
        brctl addbr mybr
        ip addr add dev mybr 192.168.0.1/26
        ip link set mybr up
        brctl addif mybr ns1-rootIf
        ip link set ns1-rootIf up
        ip netns exec ns1 ip addr add dev ns1-namespaceIf 192.168.0.10/26
        ip netns exec ns1 ip link set ns1-namespaceIf up
        ip netns exec ns1 ip route add default via 192.168.0.1 dev ns1-namespaceIf
        sysctl -w net.ipv4.ip_forward=1
        iptables -t nat -A POSTROUTING -o eth0 -s 192.168.0.0/26 -j MASQUERADE
    """),
    BY_MASQUERADE,
)

OLD_TOOLS = Walk(
    "brctl, ifconfig and route, which raise what they address; NAT by the true uplink, forwarding first of all",
    "ns1",
    _lines("""
        echo 1 > /proc/sys/net/ipv4/ip_forward
        brctl addbr br0
        ifconfig br0 192.168.100.1 netmask 255.255.255.0 up
        ip link add veth-a type veth peer name veth-b
        brctl addif br0 veth-b
        ip link set veth-a netns ns1
        ifconfig veth-b up
        ip netns exec ns1 ifconfig lo up
        ip netns exec ns1 ifconfig veth-a 192.168.100.2 netmask 255.255.255.0 up
        ip netns exec ns1 route add default gw 192.168.100.1
        iptables -t nat -A POSTROUTING -s 192.168.100.0/24 -o eth0 -j MASQUERADE
    """),
    BY_MASQUERADE,
)

PLUGIN = Walk(
    "the cable is born in the container, where its end is called like the host's uplink; forwarding device by device, NAT by a chain of its own",
    "cni-1",
    _lines("""
        ip link add cni0 type bridge
        ip link set cni0 up
        ip -n cni-1 link add eth0 mtu 1450 type veth peer name veth0a1b2c3d netns 1
        ip -n cni-1 link set eth0 up
        ip link set veth0a1b2c3d up
        ip link set veth0a1b2c3d master cni0
        bridge link set dev veth0a1b2c3d hairpin on
        ip addr add 10.88.0.1/16 brd + dev cni0
        ip -n cni-1 addr add 10.88.0.5/16 brd + dev eth0
        ip -n cni-1 route add default via 10.88.0.1 dev eth0
        ip -n cni-1 link set lo up
        sysctl -w net.ipv4.conf.cni0.forwarding=1 net.ipv4.conf.eth0.forwarding=1
        iptables -t nat -N CNI-abc
        iptables -t nat -A CNI-abc -d 10.88.0.0/16 -j ACCEPT
        iptables -t nat -A CNI-abc ! -d 224.0.0.0/4 -j MASQUERADE
        iptables -t nat -A POSTROUTING -s 10.88.0.0/16 -j CNI-abc
    """),
    BY_MASQUERADE,
)

WALKS = (ENDS_UP_FIRST, BRIDGE_OF_A_DAEMON, ADDRESS_BEFORE_UP, BRIDGE_UP_AT_ONCE, SMALL_NETWORK, OLD_TOOLS, PLUGIN)

EVERYTHING = _lines("""
    mkdir -p /run/netns
    ln -s /proc/{pid}/ns/net /run/netns/blue
    ip netns attach red {other}
    ip link add name lan type bridge
    ip link set lan up
    ip addr add 192.168.15.1/24 dev lan
    ip link add red-out type veth peer name red-in
    ip link set red-out master lan up
    ip link set red-in netns red
    ip -n red link set lo up
    ip -n red link set red-in up
    ip -n red addr add 192.168.15.20/24 dev red-in
    ip -n red route add default via 192.168.15.1
    ip link add blue-out type veth peer name blue-in
    ip link set blue-out master lan up
    ip link set blue-in netns blue
    ip -n blue link set lo up
    ip -n blue link set blue-in up
    ip -n blue addr add 192.168.15.10/24 dev blue-in
    ip -n blue route add default via 192.168.15.1
    sysctl -w net.ipv4.ip_forward=1
    iptables -t nat -A POSTROUTING -s 192.168.15.0/24 ! -o lan -j MASQUERADE
    iptables -P FORWARD DROP
    iptables -A FORWARD -i lan -j ACCEPT
    iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    nsenter -t {pid} -m sh -c 'echo nameserver 198.51.100.53 > /etc/resolv.conf'
    ip netns exec blue ping -n -c1 192.168.15.20
""")
"""Both containers and all between them and a web page, the second one first. ``{other}`` is the process of the second container."""

BY_HAND = {
    "netless/decoy": "ip netns add spare",
    "netless/tidy": "ip netns del spare",
    "neighbour/no-router": "sysctl -w net.ipv4.ip_forward=0",
    "neighbour/everyone": "sysctl -w net.ipv4.ip_forward=1",
}
"""What a step has one take away again, or put back."""
