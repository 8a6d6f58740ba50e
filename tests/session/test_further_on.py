"""Who has done more than a step asks for is not refused, and what the rules do not tell the packets decide; on the kernel itself."""

from __future__ import annotations

import pytest

from helpers.post import course
from helpers.running import Running
from netless_lab.course.step import positions
from netless_lab.course.verdict import Verdict

pytestmark = pytest.mark.kernel

EVERY = tuple(f"{place.lesson}/{place.step}" for place in positions(course()))
UNREADABLE = "meta cpu 0-4095"
"""Always so, and in no snapshot: on which processor a packet will be handled."""


def fresh(lab: Running, place: str, *, end: bool = False) -> None:
    """The clean start of a step, or its end, in the lesson's own words."""
    lab.reset("lab")
    lab.goto(place, end=end)


def verdicts(lab: Running, target: str | None = None) -> list[Verdict]:
    """The verdicts of ``check``."""
    return [judged.verdict for judged in lab.check(target).verdicts]


@pytest.mark.parametrize("here", ["neighbour/everyone", "neighbour/no-router", "internet/firewall", "internet/door-out"])
def test_every_earlier_step_is_passed(lab: Running, here: str) -> None:
    """At the end of a step, every step, lesson and the way there, asked one by one, passes or is told as rightly passed."""
    fresh(lab, here, end=True)
    asked = EVERY[: EVERY.index(here) + 1]
    lessons = dict.fromkeys(place.partition("/")[0] for place in asked)
    whole = [lesson for lesson in lessons if all(place in asked for place in EVERY if place.startswith(f"{lesson}/"))]
    for target in (*asked, *whole):
        found = verdicts(lab, f"container/{target}")
        assert found and all(verdict.result == "pass" for verdict in found), (here, target, found)


def test_further_on_is_not_a_free_pass(lab: Running) -> None:
    """What no later step took away is missed at the course's end as well: a port unplugged, a rule deleted, forwarding off."""
    for harm, target in (
        ("ip link set veth2 nomaster", "switch/port"),
        ("nft flush chain ip lab postrouting", "internet/masquerade"),
        ("sysctl -w net.ipv4.ip_forward=0", "internet/names"),
    ):
        fresh(lab, "neighbour/everyone", end=True)
        lab.sh(harm)
        assert verdicts(lab, f"container/{target}")[-1].result == "fail", harm


def test_all_three_rules_at_once(lab: Running) -> None:
    """The firewall is shut and opened narrowly in one go: the step that shuts it passes, by the doors that are there; its sentence is not said."""
    fresh(lab, "internet/firewall")
    lab.sh(
        "nft 'add chain ip lab forward { type filter hook forward priority filter; policy drop; }';"
        "nft add rule ip lab forward iifname br0 accept; nft add rule ip lab forward ct state established,related accept"
    )
    for step in ("firewall", "door-out", "door-back"):
        (entry,) = lab.check(f"container/internet/{step}").verdicts
        assert entry.verdict.result == "pass", entry
        assert (step == "door-back") == (not entry.success.startswith("Done, and you are ahead"))


def test_run_takes_nothing_away_from_who_is_ahead(lab: Running) -> None:
    """The rest of a lesson that is built already, run: each step passes as it is, and what was built beyond it stays, own things too."""
    fresh(lab, "switch/bridge")
    lab.sh(
        "ip link add br0 type bridge; ip link set br0 up; ip link set veth2 master br0; ip link set veth2 up; ip addr add 10.0.0.1/24 dev br0;"
        "ip -n c1 route add default via 10.0.0.1; ip link add keepme type bridge"
    )
    answers = lab.run(rest=True).verdicts
    assert [entry.verdict.result for entry in answers] == ["pass"] * len(answers)
    assert lab.status().position == "container/switch/port-up"
    assert "keepme" in lab.links() and lab.told("ip -j route show default", "c1")


def test_what_cannot_be_read_is_decided_in_a_whole_lesson_too(lab: Running) -> None:
    """A step in the middle of the lesson that is asked about: its packets are sent when nothing else can tell."""
    fresh(lab, "internet/names", end=True)
    lab.sh(f"nft flush chain ip lab forward; nft add rule ip lab forward {UNREADABLE} ct state established accept; nft add rule ip lab forward iifname br0 accept")
    missed = [entry.verdict for entry in lab.check("container/internet").verdicts if not entry.verdict.passed]
    assert not missed, missed


def test_a_guard_decides(lab: Running) -> None:
    """The switch of the whole host is off and those of its interfaces are on: the world is still reached, so the step is not done."""
    fresh(lab, "neighbour/no-router")
    lab.sh("sysctl -w net.ipv4.ip_forward=0; sysctl -w net.ipv4.conf.br0.forwarding=1 net.ipv4.conf.eth0.forwarding=1")
    assert lab.pings("198.51.100.10")
    assert verdicts(lab)[0].result == "fail"


def test_an_early_end_is_not_told_as_a_cable_on_the_table(lab: Running) -> None:
    """The step passes; the sentence that both ends are still on the host is not said, for one of them is not."""
    fresh(lab, "cable/pair")
    lab.sh("ip link add veth1 type veth peer name veth2; ip link set veth1 netns c1")
    (entry,) = lab.check().verdicts
    assert entry.verdict.result == "pass" and "still on the host" not in entry.success
    assert "'Plug one end into the container' is there already: you are ahead" in entry.verdict.items[-1].claim


def test_what_cannot_be_read_the_packets_decide(lab: Running) -> None:
    """A rule for answers that asks what no snapshot tells: answers come back, the step passes, and its line is no tick."""
    fresh(lab, "internet/door-back")
    lab.sh(f"nft add rule ip lab forward iifname eth0 {UNREADABLE} ct state established accept")
    (verdict,) = verdicts(lab)
    lines = [item for item in verdict.items if item.claim.startswith("answers may pass")]
    assert verdict.result == "pass" and [item.result for item in lines] == ["unknown"]
    assert lines[0].seen.endswith("; the packets decided")


@pytest.mark.parametrize(
    ("rule", "result", "line"),
    [("lookup 100", "pass", "pass"), ("iif lo to 203.0.113.99 lookup 100", "fail", "unknown"), (None, "fail", "fail")],
)
def test_a_route_that_only_some_packets_look_at(lab: Running, rule: str | None, result: str, line: str) -> None:
    """A default route in a table of its own counts where a rule sends everything there; where it sends only some, the packets decide."""
    fresh(lab, "internet/default-route")
    lab.sh("ip route add default via 10.0.0.1 table 100", "c1")
    if rule is not None:
        lab.sh(f"ip rule add {rule}", "c1")
    (verdict,) = verdicts(lab)
    assert verdict.result == result == ("pass" if "1 received" in lab.sh("ping -n -c1 -W1 203.0.113.2", "c1", check=False) else "fail")
    assert verdict.items[0].result == line


def test_what_cannot_be_read_does_not_pass_by_itself(lab: Running) -> None:
    """The same kind of rule for packets that are not answers: the packets do not pass, and neither does the step."""
    fresh(lab, "internet/door-back")
    lab.sh(f"nft add rule ip lab forward iifname eth0 {UNREADABLE} ip ttl 1 accept")
    (verdict,) = verdicts(lab)
    assert verdict.result == "fail"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("ip saddr 10.0.0.3 drop", "the rule `ip saddr 10.0.0.3 drop` of ip lab forward drops them."),
        ("ip daddr 10.0.0.3 drop", "the rule `ip daddr 10.0.0.3 drop` of ip lab forward drops the answers to them."),
        ("tcp dport 80 ip saddr 10.0.0.3 reject", "of ip lab forward drops them."),
        (f"{UNREADABLE} ip saddr 10.0.0.3 drop", ""),
    ],
)
def test_what_drops_the_packet_is_blamed(lab: Running, rule: str, said: str) -> None:
    """The rule that surely drops the request or its answer is named, and never what the step itself demands; what is not sure is not said."""
    fresh(lab, "neighbour/everyone")
    lab.sh(f"sysctl -w net.ipv4.ip_forward=1; ip -n c2 route add default via 10.0.0.1; nft insert rule ip lab forward {rule}")
    (verdict,) = verdicts(lab)
    assert verdict.result == "fail"
    (item,) = (item for item in verdict.items if item.result == "fail")
    assert item.near.endswith(said) and bool(item.near) == bool(said), item.near
    assert "ip_forward" not in item.near + item.seen


def test_what_is_done_already_in_names_of_ones_own_is_not_done_again(lab: Running) -> None:
    """Whoever has plugged his own cable in before the page speaks of it keeps it as it is when the rest is run: no end of it is moved."""
    for inside, outside in (("cable0", "cable1"), ("cable1", "cable0")):
        fresh(lab, "cable/pair")
        lab.sh(f"ip link add cable0 type veth peer name cable1; ip link set {inside} netns c1; ip -n c1 link set {inside} up")
        run = lab.run("container/cable/pair", rest=True)
        assert all(judged.verdict.passed for judged in run.verdicts), run
        assert {inside} <= lab.links("c1") and outside in lab.links() and not {inside, outside} <= lab.links("c1")
