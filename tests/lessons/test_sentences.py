"""Sentences of the course that a kernel can contradict: each stands in its step, and what it says is tried there in a lab, by other people's tools."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from helpers.post import course
from helpers.running import Running
from netless_lab.course.step import Position, step_at

pytestmark = pytest.mark.kernel

SITE = "198.51.100.10"
PASSED_ON = "nstat -az IpForwDatagrams | awk '/^Ip/ { print $2 }'"


@dataclass(frozen=True)
class Claim:
    """``says`` stands in the prose of ``page``, or of ``step``. At the end of ``step`` ``tried`` prints ``prints``, if it is as the page says."""

    step: str
    says: str
    tried: str
    prints: str
    node: str = "host"
    page: str = ""


CLAIMS = (
    Claim("netless/decoy", "`lsns` does not show it", "lsns -ntnet -o NS | wc -l; ip netns list | wc -l", "3\n2"),
    Claim("netless/tidy", "or a file that is open", "ip netns add own; exec 9</run/netns/own; ip netns del own; nsenter --net=/proc/self/fd/9 ip -br link", "lo"),
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
    Claim("cable/switch-on", "or only `DOWN`", "ip -n c1 -br addr show veth1", " DOWN "),
    Claim(
        "cable/switch-on", "An address of that network on `veth2` would be enough",
        "ip addr add 10.0.0.1/24 dev veth2; ip link set veth2 up; until ping -qc1 -W1 10.0.0.2; do sleep 0.01; done", " 1 received",
    ),
    Claim("switch/bridge-up", "does not even leave `br0`", "ping -qc1 -W1 10.0.0.2 >/dev/null; ip -s link show br0 | awk 'NR == 6 { print $2, ($4 > 0) }'", "0 1"),
    Claim("internet/forwarding", "each keeps a copy of its own", "sysctl -qw net.ipv4.conf.br0.forwarding=0; sysctl net.ipv4.ip_forward", "= 1"),
    Claim("internet/forwarding", "its answer never sets out", "ip route get 10.0.0.2 2>&1 || true", "unreachable", "internet"),
    Claim(
        "internet/firewall", "counts packets that routing sends on",
        f"a=$({PASSED_ON}); ip netns exec c1 ping -qc2 -i0.2 -W0.3 {SITE} >/dev/null; echo $(($({PASSED_ON}) - a))", "2", page="internet/forwarding",
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
        "neighbour/first-words", "ARP it answers all the same",
        "ip netns exec c2 sysctl -qw net.ipv4.icmp_echo_ignore_all=1; ip -n c1 neigh flush all;"
        "ip netns exec c1 ping -qc1 -W0.3 10.0.0.3 | grep -o '0 received'; ip -n c1 neigh show 10.0.0.3 | grep -o lladdr",
        "0 received\nlladdr",
    ),
)  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.step}: {claim.says}")
def test_what_a_page_says_is_so(lab: Running, claim: Claim) -> None:
    """The sentence is there, and the kernel agrees."""
    lesson, _, step = (claim.page or claim.step).partition("/")
    page = " ".join(step_at(course(), Position("container", lesson, step)).prose.split())
    assert claim.says in page
    lab.reset("lab")
    lab.goto(f"container/{claim.step}", end=True)
    assert claim.prints in lab.sh(claim.tried, claim.node, check=False)
