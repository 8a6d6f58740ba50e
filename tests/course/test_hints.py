"""Help in rungs: what was nearly right first, then the step's own rungs, the command itself last."""

from __future__ import annotations

from helpers.post import course, step
from helpers.snapshots import bridge, container, host, lab, lab_with, uplink, veth
from netless_lab.course.bindings import Bindings
from netless_lab.course.hints import LIVE, command_lines, live_hint, offer, rungs
from netless_lab.course.judge import judge
from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.probe import Outcome
from netless_lab.primitives.base import DIALECTS, Where

HERE = Where("host", {"c1": "c1"}, {"c1": 42})


def test_the_last_rung_is_the_command() -> None:
    """For every step and dialect of the course: own hints first, then the lines to type."""
    for lesson in course().lessons:
        for own in lesson.steps:
            for dialect in DIALECTS:
                lines = command_lines(own, dialect, HERE)
                every = rungs(own, lines)
                assert every[:-1] == own.hints and every[-1] == "\n".join(lines) and lines, own.id


def test_python_lines_form_one_program() -> None:
    """Two actions in one step import pyroute2 once, and the program compiles."""
    lines = command_lines(step("neighbour/second-cable"), "pyroute2", Where("host", {"c2": "c2"}))
    assert [line for line in lines if line.startswith("from ")] == ["from pyroute2 import IPRoute"]
    compile("\n".join(lines), "step", "exec")


def test_rungs_open_one_after_the_other() -> None:
    """With nothing built there is no live hint: the step's first rung comes first, the last is repeated."""
    own = step("switch/port")
    lines = command_lines(own, "ip", HERE)
    empty = lab(host(uplink(), bridge("br0")), container("c1"))
    verdict = judge(own, empty, {}, HERE)
    opened: list[int] = []
    for wanted in range(len(own.hints) + 1):
        rung = offer(own, verdict, opened, lines)
        assert rung.number == wanted and rung.left == len(own.hints) - wanted
        opened.append(rung.number)
    assert offer(own, verdict, opened, lines).text == "ip link set veth2 master br0"


def test_a_near_miss_comes_first() -> None:
    """The address is on the port instead of the bridge: that sentence is offered, then the ordinary rungs."""
    own = step("switch/gateway")
    wrong = lab(
        host(uplink(), bridge("br0"), veth("veth2", "c1:veth1", "10.0.0.1/24", master="br0")), container("c1", veth("veth1", "host:veth2"))
    )
    verdict = judge(own, wrong, {}, HERE)
    first = offer(own, verdict, [], command_lines(own, "ip", HERE))
    assert first.number == LIVE and "a port of br0" in first.text and first.left == len(own.hints) + 1
    assert offer(own, verdict, [LIVE], command_lines(own, "ip", HERE)).text == own.hints[0]


def test_half_done_is_told_what_is_left() -> None:
    """Two of three things hold and nothing is near: the rung says which is left and where to look."""
    items = (Item("pass", "lo is up"), Item("fail", "br0 exists", "state", "a bridge", "none", "ip link"), Item("pass", "veth1 is in c1"))
    first = offer(step("switch/bridge"), Verdict("bridge", "fail", items), [], ("x",))
    assert (first.number, first.text) == (LIVE, "2 of 3 things are as they should be. Still to do: br0 exists. Look with: ip link")


def test_right_state_and_lost_packets() -> None:
    """Everything is built but no packet comes back: the rung points at the symptom, not at the command."""
    own = step("switch/port-up")
    built = lab_with(1, nat=False, forwarding=False)
    lost = {check: Outcome(check.probe, "failed", "silence", "nothing came back within 1 s") for check in own.probes}
    text = live_hint(judge(own, built, lost, HERE))
    assert "the packets disagree: nothing came back within 1 s" in text and "Look with: " in text


def test_packets_that_do_not_pass_where_nothing_could_be_read() -> None:
    """The hint says what nobody could read and what was seen, not that all of it is right."""
    items = (
        Item("unknown", "answers may pass", "state", "a rule", "netless cannot read `r`", "nft list ruleset"),
        Item("fail", "the site answers c1", "probe", "an answer", "silence for 1 s", "ip route"),
    )
    told = live_hint(Verdict("s", "fail", items))
    assert "`r`" in told and "silence for 1 s" in told and "nft list ruleset" in told and "is right" not in told


def test_no_live_hint_when_it_holds_or_nothing_was_judged() -> None:
    """A passed step and an unjudged one have only their rungs."""
    own = step("cable/pair")
    assert live_hint(judge(own, lab_with(1), {}, HERE)) == "" and live_hint(None) == ""


def test_rungs_speak_the_learners_words() -> None:
    """Hints and commands carry the bound names."""
    bound = Bindings(links={"veth2": "right", "br0": "sw0"})
    own = step("switch/port")
    every = rungs(own, command_lines(own, "ip", HERE, bound), bound)
    assert every[-1] == "ip link set right master sw0" and not any("veth2" in text for text in every)
