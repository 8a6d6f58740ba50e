"""Any right answer counts: the same end by other tools, other words and other names is met; an end that only looks alike is not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from helpers.lab import Table, expectation, lab
from helpers.sandboxed import answers, sandboxed_once
from netless_lab.primitives.base import CannotTell, Met, NotMet

POST = """
ip link add veth1 type veth peer name veth2; ip link set veth1 netns $C1
in_c1() { nsenter -t $C1 -n "$@"; }
in_c1 ip addr add 10.0.0.2/24 dev veth1; in_c1 ip link set veth1 up; in_c1 ip link set lo up
ip link add br0 type bridge; ip link set br0 up; ip link set veth2 master br0; ip link set veth2 up; ip addr add 10.0.0.1/24 dev br0
"""
POSTROUTING = "{ type nat hook postrouting priority srcnat; policy accept; }"
FORWARD = "{ type filter hook forward priority filter; policy drop; }"
MASQUERADE: Table = {"masquerade": "10.0.0.0/24", "except": "br0"}
FROM_BRIDGE: Table = {"forward-accept": "br0"}
ANSWERS: Table = {"forward-accept": "established"}
ANSWERED = "until ping -qnc1 -W1 10.0.0.2; do sleep 0.01; done"
DROPS: Table = {"forward-policy": "drop"}
VIA: Table = {"route": "default", "via": "10.0.0.1", "in": "c1"}
HALVES = "in_c1 ip route add 0.0.0.0/1 via 10.0.0.{}; in_c1 ip route add 128.0.0.0/1 via 10.0.0.{};"
NEIGHBOUR = (
    "ip netns add r; ip link add r1 type veth peer name r2; ip link set r1 netns r; ip link set r2 master br0 up; ip -n r link set r1 up;"
    "ip -n r addr add 10.0.0.5/24 dev r1; ip -n r route add default via 10.0.0.1; in_c1 ip route add default via 10.0.0.5;"
    "until ip netns exec r ping -qnc1 -W1 10.0.0.1; do sleep 0.01; done;"
)

ANOTHER_BRIDGE = (
    "ip addr del 10.0.0.1/24 dev br0; ip link add br1 type bridge; ip link set br1 up; ip link set veth2 master br1; ip addr add 10.0.0.1/24 dev br1;"
)
"""br0 is left without ports and address, and br1 has them."""


@dataclass(frozen=True)
class Answer:
    """What somebody typed after the post, and whether it is right. ``told`` is false where the rules alone do not say, and the packets have to.
    ``pings`` is true where a ping gets through all the same."""

    name: str
    script: str
    expect: Table
    right: bool = True
    told: bool = True
    pings: bool = False


def nat(rule: str, family: str = "ip", chain: str = POSTROUTING) -> str:
    """One rule in a NAT chain of some table."""
    return f"nft add table {family} mine; nft 'add chain {family} mine out {chain}'; nft 'add rule {family} mine out {rule}'"


def firewall(*rules: str, family: str = "ip", chain: str = FORWARD) -> str:
    """Rules in a forward chain of some table."""
    lines = [f"nft add table {family} mine", f"nft 'add chain {family} mine way {chain}'"]
    return "; ".join([*lines, *(f"nft 'add rule {family} mine way {rule}'" for rule in rules)])


RIGHT = (
    Answer("masquerade by the way out", nat("ip saddr 10.0.0.0/24 oifname eth0 masquerade"), MASQUERADE),
    Answer("masquerade by index", nat("ip saddr 10.0.0.0/24 oif eth0 counter masquerade"), MASQUERADE),
    Answer("masquerade all that leaves by eth0", nat("oifname eth0 masquerade"), MASQUERADE),
    Answer("masquerade a wider network", nat("ip saddr 10.0.0.0/8 oifname != br0 masquerade"), MASQUERADE),
    Answer("masquerade in inet", nat('meta nfproto ipv4 ip saddr 10.0.0.0/24 oifname != "br0" masquerade', "inet"), MASQUERADE),
    Answer("masquerade by destination", nat("ip saddr 10.0.0.0/24 ip daddr != 10.0.0.0/24 masquerade"), MASQUERADE),
    Answer("masquerade a set", nat("ip saddr { 10.0.0.0/24, 10.1.0.0/24 } oifname != { br0, br1 } masquerade"), MASQUERADE),
    Answer("masquerade any veth but", nat('ip saddr 10.0.0.0/24 oifname "eth*" masquerade'), MASQUERADE),
    Answer("snat", nat("ip saddr 10.0.0.0/24 oifname eth0 snat to 203.0.113.2"), MASQUERADE),
    Answer("masquerade with random ports", nat("ip saddr 10.0.0.0/24 oifname eth0 masquerade random"), MASQUERADE),
    Answer(
        "masquerade after a return for neighbours",
        nat("oifname br0 return") + "; nft 'add rule ip mine out ip saddr 10.0.0.0/24 masquerade'",
        MASQUERADE,
    ),
    Answer(
        "masquerade in a chain of its own",
        nat("counter") + "; nft add chain ip mine c; nft add rule ip mine c oifname eth0 masquerade; nft add rule ip mine out jump c",
        MASQUERADE,
    ),
    Answer("iptables", "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE", MASQUERADE),
    Answer("iptables by the way out", "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE", MASQUERADE),
    Answer("iptables snat", "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j SNAT --to-source 203.0.113.2", MASQUERADE),
    Answer("masquerade of the old iptables", "iptables-legacy -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE", MASQUERADE),
    Answer(
        "masquerade what was marked",
        "iptables -t nat -A PREROUTING -i br0 -j MARK --set-xmark 0x4000/0x4000;"
        "iptables -t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 ! -o br0 -j MASQUERADE",
        MASQUERADE,
    ),
    Answer(
        "masquerade what is not ours and not redirected",
        "iptables -t nat -A POSTROUTING -m conntrack ! --ctstate DNAT -m addrtype ! --src-type LOCAL ! -o br0 -j MASQUERADE",
        MASQUERADE,
    ),
    Answer(
        "masquerade a named set",
        nat('counter') + "; nft 'add set ip mine nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 } }';"
        "nft 'add rule ip mine out ip saddr @nets oifname != \"br0\" masquerade'",
        MASQUERADE,
    ),
    Answer("masquerade one host of the network", nat("ip saddr 10.0.0.99 oifname eth0 masquerade"), MASQUERADE, right=False),
    Answer("snat to an address that is nobody's", nat("ip saddr 10.0.0.0/24 oifname eth0 snat to 203.0.113.99"), MASQUERADE, right=False),
    Answer("masquerade TCP only", nat("meta l4proto tcp oifname eth0 masquerade"), MASQUERADE, right=False),
    Answer(
        "masquerade what is not tracked",
        "iptables -t raw -A PREROUTING -i br0 -j CT --notrack; " + nat("oifname eth0 masquerade"),
        MASQUERADE,
        right=False,
    ),
    Answer("masquerade towards the site", nat("ip saddr 10.0.0.0/24 ip daddr 198.51.100.0/24 masquerade"), MASQUERADE, told=False),
    Answer("masquerade at a rate", nat("limit rate 100/second oifname eth0 masquerade"), MASQUERADE, told=False),
    Answer("masquerade in a filter chain's table of IPv6", nat("oifname eth0 masquerade", "ip6"), MASQUERADE, right=False),
    Answer(
        "a chain nobody jumps to",
        nat("counter") + "; nft 'add chain ip mine c'; nft 'add rule ip mine c masquerade'",
        MASQUERADE,
        right=False,
    ),
    Answer("an accept before it", nat("accept") + "; nft 'add rule ip mine out masquerade'", MASQUERADE, right=False),
    Answer("masquerade only TCP port 80", nat("ip saddr 10.0.0.0/24 tcp dport 80 masquerade"), MASQUERADE, right=False),
    Answer("snat by a map", nat("snat to ip saddr map { 10.0.0.0/24 : 203.0.113.2 }"), MASQUERADE, told=False),
    Answer("snat to addresses of which one is ours", nat("oifname eth0 snat to 203.0.113.2-203.0.113.9"), MASQUERADE, right=False, pings=False),
    Answer("masquerade in a table that is switched off", nat("masquerade") + "; nft 'add table ip mine { flags dormant; }'", MASQUERADE, right=False),
    Answer("drop in a table that is switched off", firewall() + "; nft 'add table ip mine { flags dormant; }'", DROPS, right=False),
    Answer("drop by a policy before which all is accepted", firewall("accept"), DROPS, right=False),
    Answer("drop by policy", firewall(), DROPS),
    Answer("drop in inet", firewall(family="inet"), DROPS),
    Answer("drop early", firewall(chain="{ type filter hook forward priority -10; policy drop; }"), DROPS),
    Answer("drop by a last rule", firewall("iifname lo accept", "counter drop", chain="{ type filter hook forward priority 0; }"), DROPS),
    Answer("reject by a last rule", firewall("reject", chain="{ type filter hook forward priority 0; }"), DROPS),
    Answer("iptables policy", "iptables -P FORWARD DROP", DROPS),
    Answer("drop of one thing only", firewall("tcp dport 23 drop", chain="{ type filter hook forward priority 0; }"), DROPS, right=False),
    Answer("accept the bridge", firewall("iifname br0 accept"), FROM_BRIDGE),
    Answer("accept the bridge towards the way out", firewall("iifname br0 oifname eth0 accept"), FROM_BRIDGE),
    Answer("accept the network", firewall("ip saddr 10.0.0.0/24 accept"), FROM_BRIDGE),
    Answer("accept any new", firewall("ct state new,established iifname br0 accept"), FROM_BRIDGE),
    Answer("accept by iptables", "iptables -P FORWARD DROP; iptables -A FORWARD -i br0 -j ACCEPT", FROM_BRIDGE),
    Answer(
        "accept in both chains",
        firewall("iifname br0 accept") + "; iptables -P FORWARD DROP; iptables -A FORWARD -i br0 -j ACCEPT",
        FROM_BRIDGE,
    ),
    Answer("accept pings only", firewall("iifname br0 ip protocol icmp accept"), FROM_BRIDGE, right=False, pings=True),
    Answer("accept some ports only", firewall("iifname br0 tcp dport { 80, 443 } accept", "iifname br0 icmp type echo-request accept"),
           FROM_BRIDGE, right=False, pings=True),
    Answer("accept all but private addresses", firewall("iifname br0 ip daddr != { 10.0.0.0/8, 192.168.0.0/16 } accept"), FROM_BRIDGE, told=False),
    Answer("accept by the port of the bridge", firewall("iifname veth2 accept"), FROM_BRIDGE, right=False),
    Answer(
        "accept in a table that is switched off",
        "nft 'add table ip off { flags dormant; }'; nft 'add chain ip off way " + FORWARD + "'; " + firewall("iifname br0 accept"),
        FROM_BRIDGE,
    ),
    Answer("accept a range", firewall("ip saddr 10.0.0.2-10.0.0.254 accept"), FROM_BRIDGE),
    Answer("accept by iprange", "iptables -P FORWARD DROP; iptables -A FORWARD -m iprange --src-range 10.0.0.2-10.0.0.254 -j ACCEPT", FROM_BRIDGE),
    Answer(
        "accept a named set of interfaces",
        "nft add table ip mine; nft 'add set ip mine ins { type ifname; elements = { br0 } }';" + firewall("iifname @ins accept"),
        FROM_BRIDGE,
    ),
    Answer(
        "accept by a named map",
        "nft add table ip mine; nft 'add chain ip mine from_bridge'; nft 'add rule ip mine from_bridge accept';"
        "nft 'add map ip mine jumps { type ifname : verdict; elements = { br0 : jump from_bridge } }';" + firewall("iifname vmap @jumps"),
        FROM_BRIDGE,
    ),
    Answer("accept at a rate", firewall("iifname br0 limit rate 100/second accept"), FROM_BRIDGE, told=False),
    Answer("accept one host", firewall("ip saddr 10.0.0.99 accept"), FROM_BRIDGE, right=False),
    Answer("accept beside the old iptables' drop", firewall("iifname br0 accept") + "; iptables-legacy -P FORWARD DROP", FROM_BRIDGE, right=False),
    Answer("accept in one of two", firewall("iifname br0 accept") + "; iptables -P FORWARD DROP", FROM_BRIDGE, right=False),
    Answer("accept another network", firewall("ip saddr 10.1.0.0/24 accept"), FROM_BRIDGE, right=False),
    Answer("accept all but the bridge", firewall("iifname != br0 accept"), FROM_BRIDGE, right=False),
    Answer("accept answers", firewall("ct state established,related accept"), ANSWERS),
    Answer("accept answers as a set", firewall("ct state { established, related } accept"), ANSWERS),
    Answer("accept answers by a map", firewall("ct state vmap { established : accept, related : accept, invalid : drop }"), ANSWERS),
    Answer("accept answers by way", firewall("iifname eth0 oifname br0 ct state established accept"), ANSWERS),
    Answer("accept all but new", firewall("ct state != new accept"), ANSWERS),
    Answer(
        "accept answers by iptables",
        "iptables -P FORWARD DROP; iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ANSWERS,
    ),
    Answer(
        "accept answers by the old match", "iptables -P FORWARD DROP; iptables -A FORWARD -m state --state ESTABLISHED -j ACCEPT", ANSWERS
    ),
    Answer("accept what comes back", firewall("ct direction reply accept"), ANSWERS),
    Answer("accept what was translated", nat("oifname eth0 masquerade") + "; " + firewall("ct status snat accept"), ANSWERS),
    Answer("accept answers to what was translated, and nothing is", firewall("ct status snat accept"), ANSWERS, right=False),
    Answer("accept what comes from the network, which answers do not", firewall("ip saddr 10.0.0.0/24 accept"), ANSWERS, right=False),
    Answer("accept answers to the bridge in use", ANOTHER_BRIDGE + firewall("oifname br1 ct state established accept"), ANSWERS),
    Answer("accept answers to a bridge without ports", ANOTHER_BRIDGE + firewall("oifname br0 ct state established accept"), ANSWERS, right=False),
    Answer("accept answers beside a bridge without ports",
           "ip link add br1 type bridge; ip addr add 10.1.0.1/24 dev br1;" + firewall("oifname br0 ct state established accept"), ANSWERS),
    Answer("accept answers to one of two bridges in use",
           "ip link add br1 type bridge; ip addr add 10.1.0.1/24 dev br1; ip link add x type veth peer name y; ip link set x master br1;"
           + firewall("oifname br0 ct state established accept"), ANSWERS, told=False),
    Answer("accept answers of the site", firewall("ct state established ip saddr 198.51.100.0/24 accept"), ANSWERS, told=False),
    Answer("accept answers to pings and pages", firewall("tcp sport 80 accept", "icmp type echo-reply accept"), ANSWERS, right=False),
    Answer("accept by the mark of the connection", "iptables -t mangle -A PREROUTING -i br0 -j CONNMARK --set-mark 7;" + firewall("ct mark 7 accept"),
           ANSWERS, told=False),
    Answer(
        "accept answers that conntrack does not see",
        nat("oifname eth0 masquerade") + "; iptables -t raw -A PREROUTING -i eth0 -j CT --notrack; " + firewall("ct state established accept"),
        ANSWERS,
        right=False,
    ),
    Answer(
        "accept answers that are dropped before",
        "nft add table ip pre; nft 'add chain ip pre in { type filter hook prerouting priority 0; }'; nft add rule ip pre in iifname eth0 drop;"
        + firewall("ct state established accept"),
        ANSWERS,
        right=False,
    ),
    Answer("accept new only", firewall("ct state new accept"), ANSWERS, right=False),
    Answer("a mount is a name", "mkdir -p /run/netns; touch /run/netns/x; mount --bind /proc/$C1/ns/net /run/netns/x", {"named": "c1"}),
    Answer("a link to a link is a name", "mkdir -p /run/netns; ln -s /proc/$C1/task/$C1/ns/net /run/netns/anything", {"named": "c1"}),
    Answer("brctl", "brctl addbr sw; brctl addif sw eth0; brctl delif sw eth0", {"bridge": "sw"}),
    Answer("an altname is a name", "ip link property add dev br0 altname switch", {"link": "switch", "kind": "bridge"}),
    Answer("ifconfig", "ifconfig br0:1 10.9.0.1/24", {"address": "10.9.0.1/24", "dev": "br0"}),
    Answer("the wide default", "in_c1 ip route add 0.0.0.0/0 via 10.0.0.1", {"route": "default", "via": "10.0.0.1", "in": "c1"}),
    Answer(
        "the metric does not matter", "in_c1 route add default gw 10.0.0.1 metric 7", {"route": "default", "via": "10.0.0.1", "in": "c1"}
    ),
    Answer(
        "another table does",
        "in_c1 ip route add default via 10.0.0.1 table 9",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        right=False,
    ),
    Answer(
        "a table of its own with a rule",
        "in_c1 ip route add default via 10.0.0.1 table 100; in_c1 ip rule add lookup 100; in_c1 ip route get 203.0.113.2",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
    ),
    Answer(
        "a rule that refuses before the table is asked",
        "in_c1 ip route add default via 10.0.0.1; in_c1 ip rule add pref 9 prohibit; ! in_c1 ip route get 203.0.113.2",
        {"route": "default", "via": "10.0.0.1", "in": "c1"},
        right=False,
    ),
    Answer("the gateway's other address", "ip addr add 10.0.0.254/24 dev br0; in_c1 ip route add default via 10.0.0.254; in_c1 ping -c1 -W1 203.0.113.2",
           {"route": "default", "via": "10.0.0.1", "in": "c1"}),
    Answer("an address of the gateway's that it has elsewhere",
           "ip link add br1 type bridge; ip addr add 10.0.0.254/32 dev br1; in_c1 ip route add default via 10.0.0.254",
           {"route": "default", "via": "10.0.0.1", "in": "c1"}, right=False),
    Answer("a better route to nobody", "in_c1 ip route add default via 10.0.0.1 metric 9; in_c1 ip route add default via 10.0.0.9 metric 1;"
           "! in_c1 ping -c1 -W1 203.0.113.2", {"route": "default", "via": "10.0.0.1", "in": "c1"}, right=False),
    Answer("a worse route to nobody", "in_c1 ip route add default via 10.0.0.1 metric 1; in_c1 ip route add default via 10.0.0.9 metric 9;"
           "in_c1 ping -c1 -W1 203.0.113.2", {"route": "default", "via": "10.0.0.1", "in": "c1"}),
    Answer("the default in two halves", HALVES.format(1, 1) + "in_c1 ping -c1 -W1 203.0.113.2", VIA),
    Answer("one half of two", "in_c1 ip route add 0.0.0.0/1 via 10.0.0.1; ! in_c1 ping -c1 -W1 203.0.113.2", VIA, right=False),
    Answer("halves to nobody before a default", "in_c1 ip route add default via 10.0.0.1;" + HALVES.format(9, 9) + "! in_c1 ping -c1 -W1 203.0.113.2",
           VIA, right=False),
    Answer("one half to nobody", HALVES.format(1, 9) + "! in_c1 ping -c1 -W1 203.0.113.2", VIA, right=False),
    Answer("a half in quarters", HALVES.format(1, 9) + "in_c1 ip route add 128.0.0.0/2 via 10.0.0.1; in_c1 ip route add 192.0.0.0/2 via 10.0.0.1;"
           "in_c1 ping -c1 -W1 203.0.113.2", VIA),
    Answer("halves are a way out", HALVES.format(1, 1), {"no-route": "default", "in": "c1"}, right=False),
    Answer("by a neighbour that forwards", NEIGHBOUR + "ip netns exec r sysctl -qw net.ipv4.ip_forward=1; in_c1 ping -c1 -W1 203.0.113.2", VIA, told=False),
    Answer("by a neighbour that does not forward", NEIGHBOUR + "! in_c1 ping -c1 -W1 203.0.113.2", VIA, right=False),
    Answer("a wider network", "in_c1 ip addr flush dev veth1; in_c1 ip addr add 10.0.0.2/8 dev veth1; in_c1 ping -c1 -W1 10.0.0.1",
           {"address": "10.0.0.2/24", "dev": "veth1", "in": "c1"}),
    Answer("a network so wide that the site is in it", "in_c1 ip addr add 192.168.7.2/2 dev veth1;"
           "! in_c1 ping -c1 -W1 198.51.100.10; in_c1 ip neigh | grep 198.51.100.10",
           {"address": "192.168.7.2/24", "dev": "veth1", "in": "c1"}, right=False),
    Answer("several next hops", "in_c1 ip route add default nexthop via 10.0.0.1 nexthop via 10.0.0.9", {"route": "default", "via": "10.0.0.1", "in": "c1"},
           told=False),
    Answer("forwarding where somebody is", "ip link add br1 type bridge; ip addr add 10.9.0.1/24 dev br1; ip link set br1 up;"
           "sysctl -qw net.ipv4.conf.br0.forwarding=1 net.ipv4.conf.eth0.forwarding=1", {"forwarding": True}),
    Answer("forwarding one way", "sysctl -qw net.ipv4.conf.br0.forwarding=1", {"forwarding": True}, right=False),
    Answer("no way but in another table is a way", "in_c1 ip route add default via 10.0.0.1 table 9; in_c1 ip rule add lookup 9",
           {"no-route": "default", "in": "c1"}, right=False),
    Answer("IPv6 is another family", "in_c1 ip -6 route add default dev veth1", {"no-route": "default", "in": "c1"}),
    Answer("a gateway in another spelling", "in_c1 ip -6 addr add fd00::2/64 dev veth1; in_c1 ip -6 route add default via fd00::1",
           {"route": "default", "via": "FD00:0::0:1", "in": "c1"}),
    Answer("an unreachable route is none", "in_c1 ip route add unreachable default", {"no-route": "default", "in": "c1"}),
    Answer(
        "resolv.conf with comments",
        "nsenter -t $C1 -m sh -c 'printf \"# x\\nnameserver 9.9.9.9\\nnameserver 198.51.100.53\\n\" > /etc/resolv.conf'",
        {"resolver": "198.51.100.53", "in": "c1"},
    ),
    Answer("ping teaches ARP", ANSWERED, {"neighbour": "10.0.0.2"}),
    Answer("ping teaches the bridge", ANSWERED, {"learned": "c1", "behind": "veth2"}),
)


@pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.name.replace(" ", "-"))
@sandboxed_once
def test_any_right_answer_counts(answer: Answer) -> None:
    """By the state of the kernel alone; and where the rules decide, a ping to the internet must agree with how they were read."""
    with lab() as own:
        c1 = f'C1={own.refs()["c1"].pid}\nin_c1() {{ nsenter -t $C1 -n "$@"; }}\n'
        own.shell("host", f"{c1}{POST}\n{answer.script}")
        finding = expectation(answer.expect).check(own.snapshot(), own.where())
        assert isinstance(finding, CannotTell if not answer.told else Met if answer.right else NotMet), finding
        if answer.expect not in (MASQUERADE, FROM_BRIDGE):
            return
        own.shell("host", f"{c1}sysctl -qw net.ipv4.ip_forward=1; in_c1 ip route add default via 10.0.0.1")
        assert answers("10.0.0.1", own.refs()["c1"].pid)
        if answer.expect == FROM_BRIDGE:  # the answers shall pass, so that only the question is judged
            own.do(MASQUERADE)
            own.shell("host", "iptables -I FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT")
            own.shell("host", "nft insert rule ip mine way ct state established accept 2>/dev/null || true")
        through = answer.right or answer.pings
        assert answers("198.51.100.10", own.refs()["c1"].pid, 5 if through else 0) == through


STRANGERS = (
    ("all from outside", firewall("iifname br0 accept", "iifname eth0 accept"), True),
    ("between the two", firewall("iifname br0 accept", "iifname eth0 oifname br0 accept"), True),
    ("by iptables", "iptables -P FORWARD DROP; iptables -A FORWARD -i br0 -j ACCEPT; iptables -A FORWARD -i eth0 -o br0 -j ACCEPT", True),
    ("all to the network", firewall("ip saddr 10.0.0.0/24 accept", "ip daddr 10.0.0.0/24 accept"), True),
    ("beside the rule for answers", firewall("iifname br0 accept", "ct state established,related accept", "iifname eth0 accept"), True),
    ("answers", firewall("iifname br0 accept", "ct state established,related accept"), False),
    ("answers, and one port for all", firewall("iifname br0 accept", "ct state established accept", "tcp dport 80 accept"), False),
    ("all that another chain leaves", firewall("accept", chain=FORWARD.replace("drop", "accept")) + "; nft add table ip two;"
     "nft 'add chain ip two way " + FORWARD.replace("filter; policy", "5; policy") + "'; nft add rule ip two way iifname br0 accept;"
     "nft add rule ip two way ct state established accept", False),
)


@pytest.mark.parametrize(("script", "let_in"), [case[1:] for case in STRANGERS], ids=[case[0].replace(" ", "-") for case in STRANGERS])
@sandboxed_once
def test_a_door_for_answers_is_none_for_strangers(script: str, let_in: bool) -> None:
    """A rule by which answers pass and whoever begins from outside as well is not the one that was asked for; it is named. A ping from outside agrees."""
    with lab() as own:
        c1, internet = own.refs()["c1"].pid, own.refs()["internet"].pid
        own.shell("host", f'C1={c1}\nin_c1() {{ nsenter -t $C1 -n "$@"; }}\n{POST}\n{script}')
        own.shell("host", "sysctl -qw net.ipv4.ip_forward=1")
        own.shell("c1", "ip route add default via 10.0.0.1")
        own.shell("internet", "ip route add 10.0.0.0/24 via 203.0.113.2")
        assert answers("198.51.100.10", c1, 5)
        assert answers("10.0.0.2", internet, 5 if let_in else 0) == let_in
        finding = expectation(ANSWERS).check(own.snapshot(), own.where())
        assert isinstance(finding, NotMet if let_in else Met), finding
        assert not isinstance(finding, NotMet) or ("strangers" in finding.seen and "accept" in finding.seen and "ct state" in finding.near)
