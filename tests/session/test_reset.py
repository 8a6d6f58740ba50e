"""A reset equals a fresh lab, also in what no picture shows; ``reset --dry`` says before what would go. sysctl, tc, ip and nft are the witnesses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from helpers.running import Running, running

pytestmark = pytest.mark.kernel

MESS = {
    "a setting": ("sysctl -qw net.ipv4.conf.all.arp_ignore=8", "net.ipv4.conf.all.arp_ignore = 8", "sysctl -n net.ipv4.conf.all.arp_ignore"),
    "a setting of a device": ("sysctl -qw net.ipv6.conf.lo.hop_limit=7", "net.ipv6.conf.lo.hop_limit = 7", "sysctl -n net.ipv6.conf.lo.hop_limit"),
    "IPv6 of one device": ("sysctl -qw net.ipv6.conf.lo.disable_ipv6=1", "lo.disable_ipv6 = 1", "sysctl -n net.ipv6.conf.lo.disable_ipv6"),
    "an empty table": ("nft add table ip empty", "the table ip empty", "nft list tables"),
    "a table with only a set": ("nft add table inet s; nft 'add set inet s x { type ifname; }'", "the table inet s", "nft list ruleset"),
    "a discipline": ("tc qdisc add dev lo ingress", "the discipline ingress of lo", "tc qdisc show dev lo ingress"),
    "a policy of IPsec": ("ip xfrm policy add src 10.0.0.0/24 dst 10.0.0.0/24 dir out action block", "1 of ip xfrm policy", "ip xfrm policy"),
    "a proxy": ("ip neigh add proxy 10.0.0.77 dev lo", "the proxy for 10.0.0.77", "ip neigh show proxy"),
    "a length of queue": ("ip link set lo txqueuelen 7", "txqueuelen of lo", "cat /sys/class/net/lo/tx_queue_len"),
    "a next hop": ("ip link set lo up; ip nexthop add id 7 blackhole", "1 of ip nexthop", "ip nexthop"),
}  # fmt: skip
"""What is typed, what the list of a reset must hold of it, and the command that shows it."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for this file; each test begins with its own goto."""
    with running() as own:
        yield own


@pytest.mark.parametrize("node", ["host", "c1"])
@pytest.mark.parametrize("what", MESS)
def test_what_no_picture_shows_is_named_and_goes(lab: Running, what: str, node: str) -> None:
    """It is in the list of what would go, with its node; that changes nothing; the reset takes it away, and then nothing is listed."""
    typed, listed, look = MESS[what]
    lab.goto("netless/name")
    before = lab.sh(look, node)
    lab.sh(typed, node)
    changed = lab.sh(look, node)
    assert changed != before
    going = lab.reset("step", dry=True)["going"]
    assert [line for line in going if listed in line and line.endswith(f" in {node}")], going
    assert lab.sh(look, node) == changed
    assert "Nothing to reset" not in lab.reset("step")["text"]
    assert lab.sh(look, node) == before
    assert lab.reset("step", dry=True)["going"] == []


@pytest.mark.parametrize("what", MESS)
def test_what_no_picture_shows_goes_from_a_container_of_a_later_step_too(lab: Running, what: str) -> None:
    """c2, which a step brought and which lives on through a reset, is named and cleaned like c1, and by what it holds itself."""
    typed, listed, look = MESS[what]
    lab.goto("neighbour/everyone")
    before, process = lab.sh(look, "c2"), pid(lab, "c2")
    lab.sh(typed, "c2")
    assert lab.sh(look, "c2") != before
    going = lab.reset("step", dry=True)["going"]
    assert [line for line in going if listed in line and line.endswith(" in c2")], going
    lab.reset("step")
    assert pid(lab, "c2") == process
    assert lab.sh(look, "c2") == before


def pid(lab: Running, node: str) -> int | None:
    """The process of a node."""
    return next(own.pid for own in lab.status().nodes if own.name == node)


def test_what_the_steps_bring_is_not_listed_twice(lab: Running) -> None:
    """The start of the step after it has forwarding on, which changes other settings too: none of them is anybody's mess."""
    steps = next(lesson for lesson in lab.status().course.lessons if lesson.id == "internet").steps
    following = next(after for step, after in pairwise(steps) if step.id == "forwarding")
    lab.goto(f"internet/{following.id}")
    assert lab.sh("sysctl -n net.ipv4.ip_forward") == "1\n"
    assert lab.reset("step", dry=True)["going"] == []


def test_everything_is_as_in_a_fresh_lab(lab: Running) -> None:
    """After a whole course, a mess on every node and ``reset lab``, all settings, links, rules and tables read as at the very start.

    A discipline of no moment is left out: a loopback that has never been up has another of those than one that was.
    """
    look = (
        "sysctl -a 2>/dev/null | grep ^net | grep -v nf_conntrack_count; ip -d link | sed 's/ promiscuity.*//; s/ qdisc no[a-z]*//'; "
        "tc qdisc | grep -v ' noqueue '; ip rule; ip route show table all; nft list ruleset; ip xfrm policy; ip nexthop; "
        "ip neigh show proxy"
    )
    nodes = ("host", "internet", "c1")
    with running() as other:
        fresh = {node: other.sh(look, node).splitlines() for node in nodes}
        other.goto("neighbour", end=True)
        for typed, _, _ in MESS.values():
            for node in nodes:
                other.sh(typed, node)
        other.sh("sysctl -qw net.ipv4.conf.eth0.arp_ignore=8 net.ipv4.neigh.eth0.retrans_time_ms=3000; ip link set eth0 mtu 1000", check=False)
        other.reset("lab")
        for node in nodes:
            now = other.sh(look, node).splitlines()
            assert [line for line in now if line not in fresh[node]] == []
            assert [line for line in fresh[node] if line not in now] == []


def test_a_reset_of_the_lab_forgets_the_learners_names(lab: Running) -> None:
    """The whole lab starts over, so the pages speak the lesson's words again; a reset of the step keeps the learner's."""
    lab.goto("cable/pair")
    lab.sh("ip link add mine type veth peer name yours")
    assert lab.check()["verdicts"][0]["verdict"]["result"] == "pass"
    lab.next()
    lab.reset("step")
    assert "mine" in lab.status().bindings.values()
    lab.reset("lab")
    assert lab.status().bindings == {}
    lab.goto("cable/plug")
    assert lab.links("host") >= {"veth1", "veth2"}
