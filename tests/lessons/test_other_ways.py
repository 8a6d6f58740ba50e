"""Ways to do a step that no page speaks of: what is truly done is said to be done, and of what is not, nothing untrue is said."""

from __future__ import annotations

import pytest

from helpers.running import Running
from netless_lab.course.verdict import Item
from netless_lab.protocol import Judged

pytestmark = pytest.mark.kernel

SITE = "198.51.100.10"
TABLE = "nft 'add chain ip lab pre { type nat hook prerouting priority dstnat; }'; nft add rule ip lab pre "
ANSWERS = "; nft add rule ip lab forward ct state established,related accept"


def at(lab: Running, place: str, script: str) -> Judged:
    """What is said of a step after a script was typed at its clean start, in the lesson's own words; ``$C1`` is the container's process."""
    lab.reset("lab")
    lab.goto(place)
    pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
    lab.sh(f"C1={pid}; {script}")
    (entry,) = lab.check().verdicts
    return entry


def item(entry: Judged, words: str) -> Item:
    """The line that claims this."""
    return next(own for own in entry.verdict.items if words in own.claim)


def test_of_two_bridges_the_one_with_the_cable_counts(lab: Running) -> None:
    """Until something is plugged in nobody can tell which was meant; from then on all pages speak of that one."""
    both = "ip link add one type bridge; ip link set one up; ip link add other type bridge"
    assert at(lab, "switch/bridge", both).verdict.passed
    lab.next()
    lab.sh("ip link set veth2 master other")
    assert lab.check().verdicts[0].verdict.passed
    assert lab.status().bindings == {"br0": "other"}
    lab.next()
    lab.sh("ip addr add 10.0.0.1/24 dev one")
    assert "one" in item(lab.check().verdicts[0], "has 10.0.0.1/24").near


def test_a_cable_out_of_an_addressed_bridge_is_in_the_wrong_one(lab: Running) -> None:
    """What earlier steps made of a bridge stays with it: a port of another is none of it."""
    entry = at(lab, "neighbour/second-port", "ip link add spare type bridge; ip link set spare up; ip link set veth4 master spare up")
    assert not entry.verdict.passed and "port of spare" in item(entry, "veth4 is a port of br0").seen


@pytest.mark.parametrize(
    ("rule", "to"), [(f"ip daddr {SITE} dnat to 10.0.0.1", "to 10.0.0.1 instead"), ("tcp dport 80 redirect to :3128", "to the host instead")]
)
def test_an_answer_of_somebody_else_is_none(lab: Running, rule: str, to: str) -> None:
    """A rule turns the packets round on their way: that they are answered proves nothing, and the rule is named."""
    entry = at(lab, "internet/door-back", TABLE + rule + ANSWERS)
    failing = [own for own in entry.verdict.items if own.result == "fail"]
    assert failing and all(rule in own.near and to in own.near for own in failing)
    ping = item(entry, f"{SITE} answers c1")
    assert ping.result == ("fail" if "daddr" in rule else "pass")


def test_a_page_by_a_wrong_address_of_ones_own_is_not_there(lab: Running) -> None:
    """The file of hosts comes before any name server, for the container's programs and so for the judge."""
    entry = at(lab, "internet/names", "nsenter -t $C1 -m sh -c 'echo nameserver 198.51.100.53 >/etc/resolv.conf; echo 203.0.113.1 example.test >>/etc/hosts'")
    finds = item(entry, "finds the address")
    assert not entry.verdict.passed and "/etc/hosts" in finds.near and "/etc/hosts" in finds.look


def test_a_server_that_no_program_can_read_is_none(lab: Running) -> None:
    """A file with carriage returns names nobody, and that is what is wrong with it."""
    entry = at(lab, "internet/names", "nsenter -t $C1 -m sh -c 'printf \"nameserver 198.51.100.53\\r\\n\" >/etc/resolv.conf'")
    assert not entry.verdict.passed and r"\r" in item(entry, "asks the name server").near


def test_a_door_out_is_no_door_for_answers(lab: Running) -> None:
    """Nobody is ahead by a rule that says whom packets come from: answers come from elsewhere."""
    entry = at(lab, "internet/door-out", "nft add rule ip lab forward ip saddr 10.0.0.0/24 accept")
    assert entry.success == "Requests pass. Answers do not."
    assert not lab.sh(f"ip netns exec c1 ping -nc1 -W1 {SITE} | grep '1 received'", check=False)


def test_a_result_that_nobody_can_tell_makes_nobody_ahead(lab: Running) -> None:
    """That a later step is done is said of what is known for certain."""
    entry = at(lab, "internet/firewall", "nft 'add table ip x; add chain ip x y { type filter hook forward priority 0; policy drop; }';"
               "nft add rule ip x y limit rate 1/day burst 1 packets accept")
    assert not any("is there already" in own.claim for own in entry.verdict.items)


def test_both_ends_in_the_container_are_one_too_many(lab: Running) -> None:
    """One end has to stay on the host."""
    entry = at(lab, "cable/plug", "ip link set veth1 netns c1; ip link set veth2 netns c1")
    assert not entry.verdict.passed and not entry.success


@pytest.mark.parametrize("cidr", ["10.0.0.255/24", "172.16.0.2/30", "224.1.1.2/24"])
def test_an_address_that_leads_nowhere_is_refused_at_once(lab: Running, cidr: str) -> None:
    """Not only when the first packet fails, steps later."""
    entry = at(lab, "cable/address", f"ip -n c1 addr add {cidr} dev veth1")
    assert not entry.verdict.passed and item(entry, "veth1 in c1 has").near


def test_a_host_that_ignores_pings_is_named(lab: Running) -> None:
    """Silence with a known reason is told with it."""
    entry = at(lab, "switch/port-up", "ip link set veth2 up; sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
    assert "icmp_echo_ignore_all is 1" in item(entry, "10.0.0.1 answers c1").near


def test_why_the_tutor_starts_over_is_told_as_it_is(lab: Running) -> None:
    """What is to be plugged in carries another device, which a bridge does not take: it does not say that something was there."""
    assert not at(lab, "switch/port", "ip link add mine link veth2 type macvlan").verdict.passed
    done = lab.run().verdicts[0]
    told = done.besides
    assert done.verdict.passed
    assert "put back to the step's start" in told and "could not be done" in told and "was there already" not in told
    assert told.endswith("(EBUSY).") and "go back to" not in told


def test_a_default_in_halves_and_a_wider_network_are_ways_to_do_it(lab: Running) -> None:
    """Both do what the steps ask for, through to the page; what is claimed says how it is."""
    entry = at(lab, "cable/address", "ip -n c1 addr add 10.0.0.2/8 dev veth1")
    assert entry.verdict.passed and "has 10.0.0.2/8" in item(entry, "veth1 in c1").claim
    entry = at(lab, "internet/default-route", "ip -n c1 route add 0.0.0.0/1 via 10.0.0.1; ip -n c1 route add 128.0.0.0/1 via 10.0.0.1")
    assert entry.verdict.passed and "0.0.0.0/1 and 128.0.0.0/1" in item(entry, "the route default").claim
    entry = at(lab, "internet/default-route", "ip -n c1 route add 0.0.0.0/1 via 10.0.0.1")
    assert not entry.verdict.passed and "a part of it only: 0.0.0.0/1" in item(entry, "the route default").near


@pytest.mark.parametrize("forwards", [1, 0])
def test_a_gateway_through_another_container_is_judged_by_packets(lab: Running, forwards: int) -> None:
    """c2 sends all by c1: that is right when c1 passes it on, which the page that is fetched proves; and wrong when it does not."""
    way = f"sysctl -qw net.ipv4.ip_forward=1; ip netns exec c1 sysctl -qw net.ipv4.ip_forward={forwards}; ip -n c2 route add default via 10.0.0.2"
    entry = at(lab, "neighbour/everyone", way)
    assert entry.verdict.passed == bool(forwards)
    assert ("packets decided" if forwards else "via 10.0.0.2") in item(entry, "c2 has the route default").seen
    assert bool(lab.sh("ip netns exec c2 curl -sm2 http://198.51.100.10/ || true")) == bool(forwards)
