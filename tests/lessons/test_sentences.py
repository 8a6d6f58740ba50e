"""Sentences of the course that a kernel can contradict: each stands in its step, and what it says is tried there in a lab, by other people's tools."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from drill.witness import can
from helpers.post import course
from helpers.running import Running
from netless_lab.course.step import Position, step_at

pytestmark = pytest.mark.kernel

SITE = "198.51.100.10"
PASSED_ON = "nstat -az IpForwDatagrams | awk '/^Ip/ { print $2 }'"


@dataclass(frozen=True)
class Claim:
    """``says`` stands in the prose of ``page``, or of ``step``. At the end of ``step`` ``tried`` prints ``prints``, if it is as the page says.
    ``needs`` is what a kernel may lack for that (``drill.witness``)."""

    step: str
    says: str
    tried: str
    prints: str
    node: str = "host"
    page: str = ""
    needs: str = ""


CLAIMS = (
    Claim("netless/decoy", "`lsns` does not show it", "lsns -ntnet -o NS | wc -l; ip netns list | wc -l", "3\n2"),
    Claim("netless/tidy", "or a file that is open", "ip netns add own; exec 9</run/netns/own; ip netns del own; nsenter --net=/proc/self/fd/9 ip -br link", "lo"),
    Claim(
        "netless/tidy", "goes too, with the virtual interfaces in it",
        "unshare --net sh -c 'ip link add own type veth peer name far netns 1; ip -br link show own | grep -o own@if'; "
        "while ip link show far; do sleep 0.01; done >/dev/null 2>&1; echo gone",
        "own@if\ngone",
    ),
    Claim(
        "cable/pair", "most can move (`lo` and bridges cannot)",
        "ip link set lo netns c1 2>&1; ip link add b type bridge; ip link set b netns c1 2>&1", "immutable", page="cable/plug",
    ),
    Claim(
        "cable/pair", "arrives switched off",
        "ip link set veth1 up; ip addr add 10.9.9.9/24 dev veth1; ip link set veth1 netns c1;"
        "ip -n c1 link show veth1 | grep -o 'state DOWN'; ip -n c1 -4 addr show veth1 | wc -l",
        "state DOWN\n0", page="cable/plug",
    ),
    Claim("cable/plug", "who deletes one end deletes the other", "ip link del veth2; ip -n c1 -br link", "lo"),
    Claim("cable/switch-on", "or only `DOWN`", "ip -n c1 -br addr show veth1", " DOWN "),
    Claim(
        "cable/switch-on", "An address of that network on `veth2` would be enough",
        "ip addr add 10.0.0.1/24 dev veth2; ip link set veth2 up; until ping -qc1 -W1 10.0.0.2; do sleep 0.01; done", " 1 received",
    ),
    Claim(
        "switch/bridge", "never exchanges frames with the interface it sits on",
        "ip link add own link eth0 type macvlan mode bridge; ip link set own netns c1; ip -n c1 addr add 203.0.113.11/24 dev own; ip -n c1 link set own up;"
        "for to in 1 2; do ip netns exec c1 ping -qc1 -W0.3 203.0.113.$to | grep -o '[01] received'; done",
        "1 received\n0 received", needs="macvlan",
    ),
    Claim(
        "switch/bridge", "of two routes to one network only one is used",
        "ip addr add 10.0.0.200/24 dev eth0; ip addr add 10.0.0.1/24 dev br0; ip link set br0 up;"
        "ip route show 10.0.0.0/24 | wc -l; for to in 2 3; do ip route get 10.0.0.$to | grep -o 'dev [a-z0-9]*'; done",
        "2\ndev eth0\ndev eth0", page="switch/gateway",
    ),
    Claim(
        "switch/port-up", "a machine that is reached *refuses* the connection",
        "python3 -c 'import socket; socket.create_connection((\"10.0.0.2\", 80))' 2>&1", "ConnectionRefusedError",
    ),
    Claim("switch/bridge-up", "does not even leave `br0`", "ping -qc1 -W1 10.0.0.2 >/dev/null; ip -s link show br0 | awk 'NR == 6 { print $2, ($4 > 0) }'", "0 1"),
    Claim("internet/forwarding", "each keeps a copy of its own", "sysctl -qw net.ipv4.conf.br0.forwarding=0; sysctl net.ipv4.ip_forward", "= 1"),
    Claim("internet/forwarding", "its answer never sets out", "ip route get 10.0.0.2 2>&1 || true", "unreachable", "internet"),
    Claim(
        "internet/firewall", "counts packets that routing sends on",
        f"a=$({PASSED_ON}); ip netns exec c1 ping -qc2 -i0.2 -W0.3 {SITE} >/dev/null; echo $(($({PASSED_ON}) - a))", "2", page="internet/forwarding",
    ),
    # Sources of their own: a kernel tells one address only a few errors a second, and the packets of who judges the step come from 10.0.0.2.
    Claim(
        "internet/masquerade", "`blackhole` loses what it covers, `unreachable` and `prohibit` also send an error",
        "ip -n c1 addr add 10.0.0.7/24 dev veth1; for kind in blackhole unreachable prohibit; do ip route replace $kind"
        f" {SITE}; ip netns exec c1 ping -c1 -W0.3 -I10.0.0.7 {SITE} | grep -oi 'unreachable\\|filtered' || echo silence; done",
        "silence\nUnreachable\nfiltered", page="internet/default-route",
    ),
    Claim(
        "internet/masquerade", "A rule of `ip rule` can refuse too, or send packets to another table",
        f"ask='ip netns exec c1 ping -c1 -W0.3 -I10.0.0.8 {SITE}'; ip -n c1 addr add 10.0.0.8/24 dev veth1; ip rule add from 10.0.0.8 prohibit;"
        "$ask | grep -o filtered; ip rule del from 10.0.0.8; $ask | grep -o '1 received';"
        "ip route add blackhole default table 7; ip rule add from 10.0.0.8 table 7; $ask | grep -o '0 received'",
        "filtered\n1 received\n0 received", page="internet/default-route",
    ),
    Claim(
        "internet/masquerade", "a router tells the sender, who remembers it for ten minutes",
        f"ip link set eth0 mtu 1300; ip netns exec c1 ping -qc1 -W0.3 -Mdo -s1400 {SITE}; ip -n c1 route get {SITE} | grep -o 'expires [56]..sec mtu 1300'",
        "mtu 1300", page="internet/forwarding",
    ),
    Claim(
        "internet/masquerade", "nor does a router whose word is filtered",
        "ip link set eth0 mtu 1300; nft 'add table ip own; add chain ip own out { type filter hook output priority 0; };"
        "add rule ip own out icmp type destination-unreachable drop';"
        f"for size in 100 1400; do ip netns exec c1 ping -c1 -W0.3 -Mdo -s$size {SITE} | grep -ci 'from\\|needed'; done", "1\n0", page="internet/forwarding",
    ),
    Claim(
        "internet/door-back", "what one chain drops, no other saves",
        "nft 'add table ip own; add chain ip own in { type filter hook forward priority -10; policy drop; }';"
        f"ip netns exec c1 ping -qc1 -W0.3 {SITE} | grep -o '0 received'",
        "0 received", page="internet/firewall",
    ),
    Claim(
        "internet/door-back", "what the host sends meets `output`",
        "nft 'add table ip own; add chain ip own out { type filter hook output priority 0; policy drop; }';"
        f"ping -qc1 -W0.3 {SITE} | grep -o '0 received'; ip netns exec c1 ping -qc1 -W1 {SITE} | grep -o '1 received'",
        "0 received\n1 received", page="internet/firewall",
    ),
    Claim(
        "internet/door-back", "the first that accepts or drops ends the chain",
        f"ask='ip netns exec c1 ping -qc1 -W0.3 {SITE}'; nft add rule ip lab forward icmp type echo-request drop; $ask | grep -o '1 received';"
        "nft insert rule ip lab forward icmp type echo-request drop; $ask | grep -o '0 received'",
        "1 received\n0 received", page="internet/door-out",
    ),
    Claim(
        "internet/door-back", "the list keeps that, whatever the rules say later",
        f"ask='ip netns exec c1 ping -qc1 -W0.3 {SITE} -e'; $ask 77 | grep -o '1 received'; nft flush chain ip lab postrouting;"
        "$ask 77 | grep -o '1 received'; $ask 78 | grep -o '0 received'",
        "1 received\n1 received\n0 received",
    ),
    Claim("internet/masquerade", f"curl http://{SITE}/", f"ip netns exec c1 curl -s http://{SITE}/", "203.0.113.2"),
    Claim("internet/names", "except for `/sys`", "ip netns exec c1 ls /sys/class/net; test -e /sys/class/net/br0 && echo besides", "veth1\nbesides"),
    Claim("internet/names", "curl http://example.test/", "curl -s http://example.test/", "203.0.113.2", "c1"),
    Claim(
        "internet/names", "it shares with the host",
        "test $(unshare --net --mount --uts --ipc stat -c %d:%i /etc/resolv.conf) = $(stat -c %d:%i /etc/resolv.conf) && echo one file", "one file",
        page="neighbour/second",
    ),
    Claim(
        "neighbour/first-words", "both ends must agree on the number of their network and on the port",
        "end() { ip -n $1 link del own 2>/dev/null; ip -n $1 link add own type vxlan id $4 local $2 remote $3 dstport $5;"
        "ip -n $1 addr add 10.50.0.${2##*.}/24 dev own; ip -n $1 link set own up; }; end c1 10.0.0.2 10.0.0.3 100 4789;"
        "for way in '100 4789' '101 4789' '100 8472' '100 4789'; do"
        "  end c2 10.0.0.3 10.0.0.2 $way; ip -n c1 neigh flush dev own; ip netns exec c1 ping -qc1 -W0.3 10.50.0.3 | grep -o '[01] received'; done",
        "1 received\n0 received\n0 received\n1 received", page="neighbour/second-cable", needs="vxlan",
    ),
    Claim(
        "neighbour/second-port", "If both are `isolated`, neither hears the other, and the host hears both",
        "for port in veth2 veth4; do bridge link set dev $port isolated on; done; bridge -d link | grep -c 'isolated on';"
        "ip netns exec c1 ping -qc1 -W0.3 10.0.0.3 | grep -o '0 received'; for to in 2 3; do ping -qc1 -W1 10.0.0.$to | grep -o '1 received'; done",
        "2\n0 received\n1 received\n1 received",
    ),
    Claim(
        "neighbour/first-words", "A bridge or a cable says nothing",
        "for narrow in veth2 veth4; do ip link set $narrow mtu 1300; for size in 100 1400; do"
        "  ip netns exec c1 ping -c1 -W0.3 -s$size 10.0.0.3 | grep -ci 'from\\|error'; done; ip link set $narrow mtu 1500; done",
        "1\n0\n1\n0", page="internet/forwarding",
    ),
    Claim(
        "neighbour/first-words", "Two with the same MAC confuse it",
        "mac=$(ip netns exec c1 cat /sys/class/net/veth1/address); ip -n c2 link set veth3 address $mac;"
        "for name in c1 c2 c1; do ip netns exec $name ping -qc1 -W0.3 10.0.0.1 >/dev/null;"
        "  bridge fdb show br br0 | grep -v permanent | grep $mac | grep -o 'veth[24]'; done",
        "veth2\nveth4\nveth2",
    ),
    Claim(
        "neighbour/first-words", "an entry made by hand (`static sticky`) stays, right or wrong",
        "mac=$(ip netns exec c1 cat /sys/class/net/veth1/address); bridge fdb replace $mac dev veth4 master static sticky;"
        "ip netns exec c1 ping -qc1 -W0.3 10.0.0.1 | grep -o '0 received'; bridge fdb show br br0 | grep $mac | grep -o 'veth[24]'",
        "0 received\nveth4",
    ),
    Claim(
        "neighbour/first-words", "if two have the same, whose answer comes first gets the packets",
        "ip -n c2 addr add 10.0.0.2/24 dev veth3; tc qdisc add dev veth2 clsact; tc filter add dev veth2 ingress protocol arp matchall action drop;"
        "ip neigh flush dev br0; ping -qc1 -W0.3 10.0.0.2 >/dev/null; ip neigh show 10.0.0.2 | grep -c $(ip netns exec c2 cat /sys/class/net/veth3/address)",
        "1", page="neighbour/second-address",
    ),
    Claim(
        "neighbour/no-router", "in the family `bridge`",
        "ask='ip netns exec c1 ping -qc1 -W0.3 10.0.0.3';"
        "nft 'add table bridge own; add chain bridge own over { type filter hook forward priority 0; policy drop; }';"
        "$ask | grep -o '0 received'; nft delete table bridge own; $ask | grep -o '1 received'",
        "0 received\n1 received", needs="nft-bridge",
    ),
    Claim(
        "neighbour/no-router", "in `netdev` at a single interface",
        "ask='ip netns exec c1 ping -qc1 -W0.3 10.0.0.3';"
        "nft 'add table netdev own; add chain netdev own in { type filter hook ingress device veth2 priority 0; policy drop; }';"
        "$ask | grep -o '0 received'; nft delete table netdev own; $ask | grep -o '1 received'",
        "0 received\n1 received", needs="nft-netdev",
    ),
    Claim(
        "neighbour/first-words", "ARP it answers all the same",
        "ip netns exec c2 sysctl -qw net.ipv4.icmp_echo_ignore_all=1; ip -n c1 neigh flush all;"
        "ip netns exec c1 ping -qc1 -W0.3 10.0.0.3 | grep -o '0 received'; ip -n c1 neigh show 10.0.0.3 | grep -o lladdr",
        "0 received\nlladdr",
    ),
    Claim(
        "neighbour/everyone", "a neighbour's call is masqueraded too",
        "nft 'add table ip own; add chain ip own in { type nat hook prerouting priority dstnat; }; add rule ip own in tcp dport 8080 dnat to 10.0.0.2:80;"
        "add chain ip own out { type nat hook postrouting priority srcnat; }'; ip netns exec c1 python3 -m http.server 80 >/dev/null 2>&1 & server=$!;"
        "until ip netns exec c1 ss -Hltn | grep -q :80; do sleep 0.01; done;"
        "call() { ip netns exec $1 curl -s -m$2 -o /dev/null http://203.0.113.2:8080/ && echo $1 answered || echo $1 not; };"
        "call c2 0.5; nft add rule ip lab forward ct status dnat accept; call c2 0.5;"
        "nft add rule ip own out ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24 ct status dnat masquerade; call c2 5; kill $server",
        "c2 not\nc2 not\nc2 answered",
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "claim", [pytest.param(claim, marks=pytest.mark.kernel_may_lack if claim.needs else (), id=f"{claim.step}: {claim.says}") for claim in CLAIMS]
)
def test_what_a_page_says_is_so(lab: Running, claim: Claim) -> None:
    """The sentence is there, and the kernel agrees, if it has the means."""
    lesson, _, step = (claim.page or claim.step).partition("/")
    page = " ".join(step_at(course(), Position("container", lesson, step)).prose.split())
    assert claim.says in page
    if claim.needs and not can(lab, claim.needs):
        pytest.skip(f"this kernel has no {claim.needs}")
    lab.reset("lab")
    lab.goto(f"container/{claim.step}", end=True)
    assert claim.prints in lab.sh(claim.tried, claim.node, check=False)
