"""Drills: something is broken, the learner knows only the symptom, and the judge knows when the network is healthy again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.client import Refused
from netless_lab.model.probe import Ping
from netless_lab.protocol import (
    Break,
    ChangesEvent,
    Explain,
    FaultStatus,
    GetCourses,
    GetFaults,
    GetHistory,
    GetStatus,
    Hint,
    Mend,
    Notice,
    Play,
    ProbeEvent,
    Request,
    StatusEvent,
)

pytestmark = pytest.mark.kernel

REPAIRS = {
    "forwarding-off": ("host", "echo 1 > /proc/sys/net/ipv4/ip_forward"),
    "forwarding-off-at-br0": ("host", "sysctl -w net.ipv4.ip_forward=0 net.ipv4.ip_forward=1"),
    "second-firewall": ("host", "nft flush ruleset; nft add table ip n; nft add chain ip n p '{ type nat hook postrouting priority 100; }';"
                        " nft add rule ip n p oifname eth0 masquerade"),
    "port-unplugged": ("host", "brctl addif br0 veth2 2>/dev/null || ip link set veth2 master br0"),
    "gateway-missing": ("host", "ip addr add 10.0.0.254/24 dev br0"),
    "default-route-missing": ("c1", "ip route add 0.0.0.0/1 via 10.0.0.1; ip route add 128.0.0.0/1 via 10.0.0.1"),
    "resolver-empty": ("c1", "echo nameserver 198.51.100.53 > /etc/resolv.conf"),
    "service-on-loopback": ("c1", "kill $(cat /run/c1.web.pid); python3 -m http.server 80 >/dev/null 2>&1 & echo $! > /run/c1.web.pid"),
    "ping-ignored": ("c1", "echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_all"),
    "ttl-of-one": ("c1", "ip route replace default via 10.0.0.1; sysctl -w net.ipv4.ip_default_ttl=200"),
    "container-holds-its-tongue": ("c1", "nft flush ruleset"),
    "ports-isolated": ("host", "bridge link set dev veth2 isolated off"),
    "prefix-30": ("c1", "ip addr del 10.0.0.2/30 dev veth1; ip addr add 10.0.0.2/25 dev veth1; ip route add default via 10.0.0.1"),
}  # fmt: skip
"""Ways to repair a network that are not the ones in the fault's file."""


@pytest.fixture(autouse=True)
def _mended(lab: Running) -> Iterator[None]:
    """Each test begins without a fault and without news of the one before."""
    lab.client.ask(Mend())
    lab.client.ask(GetStatus())
    lab.events.clear()
    yield
    lab.client.ask(Mend())


def drill(lab: Running, fault: str = "", **more: Any) -> FaultStatus:
    """Start a drill, whatever goes with it."""
    return lab.client.ask(Break(fault=fault, **more, drill=True, force=True)).fault


def now(lab: Running) -> FaultStatus | None:
    """What may be known of the fault now."""
    return lab.status().fault


def healthy(lab: Running) -> bool:
    """Whether the judge says so by itself."""
    told = now(lab)
    return told is not None and told.healthy


@pytest.mark.parametrize("fault", REPAIRS)
def test_any_repair_ends_a_drill(lab: Running, fault: str) -> None:
    """Whatever makes the network healthy ends the drill, without anybody asking; then it is told what it was, and how long it took."""
    told = drill(lab, fault)
    assert told.drill and not told.healthy and (told.id, told.title, told.solution) == ("", "", "")
    node, command = REPAIRS[fault]
    lab.sh(command, node)
    assert eventually(lambda: healthy(lab)), lab.check()
    after = now(lab)
    assert after is not None and after.id == fault and after.title and after.solution and after.seconds > 0
    assert any(isinstance(event, Notice) and "healthy again" in event.text for event in lab.events)


def test_a_change_that_repairs_nothing_does_not_end_it(lab: Running) -> None:
    """The judge looks after each change, finds the symptom still there, and says so in the status."""
    drill(lab, "forwarding-off")
    lab.sh("ip link add stray type bridge")
    assert eventually(lambda: (told := now(lab)) is not None and told.verdict is not None)
    told = now(lab)
    assert told is not None and told.verdict is not None and not told.healthy
    assert [item.result for item in told.verdict.items] == ["fail", "pass", "pass"]


def test_the_judge_does_not_go_round_by_itself(lab: Running) -> None:
    """Its own probes change neighbour tables, and that must not make it probe again: after a change the probes come to an end."""
    drill(lab, "gateway-missing")
    lab.sh("ip link add stray2 type bridge")
    assert eventually(lambda: (told := now(lab)) is not None and told.verdict is not None)

    def at_rest() -> bool:
        """Whether a whole second went by without a probe. One that goes round by itself never rests that long."""
        lab.events.clear()
        lab.sh("sleep 1")
        lab.status()
        return not any(isinstance(event, ProbeEvent) for event in lab.events)

    assert eventually(at_rest)


def test_nothing_gives_a_drill_away(lab: Running) -> None:
    """Neither status, nor events, nor verdict tell the cause: no change is announced, live marks stay, no command is suggested."""
    lab.goto("container/neighbour", end=True)
    live = [step.live for lesson in lab.status().course.lessons for step in lesson.steps]
    lab.events.clear()
    drill(lab, "forwarding-off")
    check = lab.check().verdicts[0]
    assert check.verdict.result == "fail"
    assert all(item.look == "" and item.near == "" for item in check.verdict.items)
    status = lab.status()
    assert live == [step.live for lesson in status.course.lessons for step in lesson.steps]
    changes = [line.sentence for event in lab.events if isinstance(event, ChangesEvent) for line in event.lines]
    assert not any("forward" in sentence for sentence in changes)
    clearing = lab.what_goes("step")
    seen = [status.fault, *(event.status.fault for event in lab.events if isinstance(event, StatusEvent))]
    told = msgspec.json.encode([check, clearing, seen]).decode()
    for word in ("ip_forward", "forwarding-off", "does not forward"):
        assert word not in told


@pytest.mark.parametrize("fault", ["container-gone", "service-on-loopback", "duplicate-address"])
def test_what_a_drill_does_is_nobodys_change(lab: Running, fault: str) -> None:
    """Neither while it goes in nor when its effects come later, as a cable that goes with its container and a server that begins to listen: no
    change is announced as the learner's, and none is among what ``back`` would undo.
    """

    def own() -> list[str]:
        return [entry.text for entry in lab.client.ask(GetHistory()).entries if entry.who == "learner"]

    lab.goto("container/neighbour", end=True)
    before = own()
    lab.events.clear()
    drill(lab, fault)
    lab.check()
    assert not [event for event in lab.events if isinstance(event, ChangesEvent) and event.who == "learner"]
    assert own() == before


def test_a_drill_says_not_even_where_it_is(lab: Running) -> None:
    """A fault that may be in either container: while it is sought, what it is, where, which lesson teaches it and its cure are blank."""
    drill(lab, "default-route-missing", node="c2")
    fault = now(lab)
    assert fault is not None and fault.tells
    assert (fault.id, fault.title, fault.node, fault.teaches, fault.solution) == ("", "", "", "", "")
    assert lab.client.ask(Mend()).mended == "default-route-missing"


def test_what_teaches_a_fault_is_a_position(lab: Running) -> None:
    """In the list of faults, in the status once it may be told, and in what mending tells: just as the courses name the step."""
    places = {
        f"{course.id}/{lesson.id}/{step.id}" for course in lab.client.ask(GetCourses()) for lesson in course.lessons for step in lesson.steps
    }  # fmt: skip
    taught = {fault.id: fault.teaches for fault in lab.client.ask(GetFaults())}
    assert taught and set(taught.values()) <= places
    drill(lab, "forwarding-off")
    lab.sh("sysctl -w net.ipv4.ip_forward=1")
    assert eventually(lambda: healthy(lab))
    fault = now(lab)
    assert fault is not None and fault.teaches == taught["forwarding-off"] == lab.client.ask(Mend()).teaches


def test_check_judges_the_network_in_a_drill(lab: Running) -> None:
    """``check`` fails while it is broken, and passes at once when it is repaired."""
    drill(lab, "second-firewall")
    assert lab.check().verdicts[0].verdict.result == "fail"
    lab.sh("nft delete table ip site")
    assert lab.check().verdicts[0].verdict.result == "pass"
    assert healthy(lab)


def test_help_is_counted_and_told(lab: Running) -> None:
    """Hints lead to the solution one by one; the end says how many were used."""
    drill(lab, "forwarding-off")
    hints = [lab.client.ask(Hint()) for _ in range(5)]
    assert [hint.left for hint in hints] == [4, 3, 2, 1, 0]
    assert "sysctl -w net.ipv4.ip_forward=1" in hints[-1].text
    lab.sh("sysctl -w net.ipv4.ip_forward=1")
    assert eventually(lambda: healthy(lab))
    told = now(lab)
    assert told is not None and told.hints == 5
    assert any(isinstance(event, Notice) and "5 hints" in event.text for event in lab.events)


def test_the_hint_that_is_asked_for_is_given(lab: Running) -> None:
    """By its number: the next one, and the first ones again for nothing. One that others come before is refused, as is a number there is none of."""
    drill(lab, "forwarding-off")
    with pytest.raises(Refused, match="hint 1 of 5 comes before hint 3"):
        lab.client.ask(Hint(2))
    lab.client.ask(Hint(0))
    lab.client.ask(Hint(1))
    third = lab.client.ask(Hint(2))
    assert (third.rung, third.left) == (2, 2) and third.text.startswith("Look ")
    assert (lab.client.ask(Hint(0)).rung, lab.client.ask(Hint()).rung) == (0, 3)
    for rung in (-1, 5):
        with pytest.raises(Refused, match="5 hints"):
            lab.client.ask(Hint(rung))
    told = now(lab)
    assert told is not None and told.hints == 4


def test_only_a_why_that_was_answered_counts(lab: Running) -> None:
    """From a node that is not there nothing can be sent: that is refused, and no help."""
    drill(lab, "forwarding-off")
    with pytest.raises(Refused, match="no node c9"):
        lab.client.ask(Explain(Ping("c9", "198.51.100.10")))
    assert (told := now(lab)) is not None and told.whys == 0
    assert lab.client.ask(Explain(Ping("c1", "198.51.100.10"))).code == "forwarding-off"
    assert (told := now(lab)) is not None and told.whys == 1


def test_an_exam_has_no_help(lab: Running) -> None:
    """In an exam Why and hints are refused in words, until it is over."""
    told = drill(lab, "forwarding-off", exam=True)
    assert told.exam
    asked: tuple[Request[Any], ...] = (Hint(), Explain(Ping("c1", "198.51.100.10")))
    for request in asked:
        with pytest.raises(Refused, match="exam"):
            lab.client.ask(request)
    after = now(lab)
    assert after is not None and (after.hints, after.whys) == (0, 0)


def test_giving_up_tells_and_mends(lab: Running) -> None:
    """``stop`` says what it was, and leaves a healthy network."""
    drill(lab, "port-down")
    answer = lab.client.ask(Mend())
    assert answer.mended == "port-down" and "cable of c1 is down" in answer.text
    assert now(lab) is None and lab.pings("10.0.0.1")


@pytest.mark.parametrize("how", ["goto", "reset", "back"])
def test_moving_ends_a_drill_cleanly(lab: Running, how: str) -> None:
    """goto, reset and back rebuild the lab; nothing of the fault is left, no process and no setting, and the step judge is back."""
    drill(lab, "ping-ignored")
    if how == "goto":
        lab.goto("container/neighbour", end=True)
    elif how == "reset":
        lab.reset("step")
        lab.run()
    else:
        lab.back()
    assert now(lab) is None
    assert lab.sh("cat /proc/sys/net/ipv4/icmp_echo_ignore_all", "c1").strip() == "0"
    assert "http.server" not in lab.sh("ps -eo args")
    assert lab.pings("10.0.0.2", "host")
    assert any(isinstance(event, Notice) and "ignores pings" in event.text for event in lab.events)
    assert lab.check().verdicts[0].verdict.step == "everyone"


def test_verbs_of_the_lessons_wait(lab: Running) -> None:
    """run, next and play would go on with the course on a broken network: they are refused, and nothing changes."""
    drill(lab, "forwarding-off")
    for verb in (lab.run, lab.next, lambda: lab.client.ask(Play(on=True))):
        with pytest.raises(Refused, match="broken on purpose") as refused:
            verb()
        assert refused.value.code == 1
    assert not healthy(lab) and lab.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "0"


def test_only_one_fault_at_a_time(lab: Running) -> None:
    """A second break is refused while one is on; after the repair it is welcome."""
    drill(lab, "forwarding-off")
    with pytest.raises(Refused, match="broken already"):
        drill(lab, "port-down")
    lab.sh("sysctl -w net.ipv4.ip_forward=1")
    assert eventually(lambda: healthy(lab))
    assert not drill(lab, "port-down").healthy


def test_a_learners_own_lab_is_broken_as_it_is(lab: Running) -> None:
    """A healthy lab at the right place is not rebuilt: what the learner added stays."""
    lab.goto("container/neighbour", end=True)
    lab.sh("ip link add mine type bridge")
    assert eventually(lambda: "mine" in str(lab.snapshot()))
    drill(lab, "forwarding-off")
    lab.client.ask(Mend())
    assert "mine" in lab.links()


def test_a_lab_in_disorder_is_rebuilt_first(lab: Running) -> None:
    """Wherever the learner stands and whatever was done, the fault is the only thing wrong afterwards, and the way back is named."""
    lab.goto("cable/plug")
    lab.sh("ip link del veth1; nft add table ip junk")
    drill(lab, "forwarding-off")
    assert "junk" not in lab.sh("nft list ruleset") and lab.pings("10.0.0.1")
    assert lab.client.ask(Mend()).came_from == "container/cable/plug"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"fault": "forwardng-off"}, "no fault"),
        ({"fault": "forwarding-off", "node": "c9"}, "c1 or c2"),
        ({"fault": "prefix-30", "node": "c2"}, "cannot be had in c2"),
        ({"fault": 3}, "Expected `str`, got `int` - at `\\$.fault`"),
    ],
)
def test_nonsense_is_refused_in_words(lab: Running, args: dict[str, Any], says: str) -> None:
    """Unknown faults, containers and words are wrong usage, and nothing is broken."""
    with pytest.raises(Refused, match=says) as refused:
        lab.client.ask(Break(**args))
    assert refused.value.code == 2 and now(lab) is None
