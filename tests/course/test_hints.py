"""Help in rungs: what was nearly right first, then the step's own rungs, the command itself last."""

from __future__ import annotations

from helpers.post import course, step
from helpers.snapshots import bridge, container, edit_node, host, lab, lab_with, uplink, veth
from netless_lab.course.bindings import Bindings, apply
from netless_lab.course.hints import LIVE, command_lines, live_hint, offer, rungs
from netless_lab.course.judge import judge
from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.probe import Outcome
from netless_lab.model.snapshot import Route
from netless_lab.primitives.base import DIALECTS, Where

HERE = Where("host", {"c1": "c1"}, {"c1": 42})


def test_the_last_rung_is_the_command() -> None:
    """For every step and dialect of the course: own hints first, then the lines to type."""
    for lesson in course().lessons:
        for own in lesson.steps:
            for dialect in DIALECTS:
                lines = command_lines(own.do, dialect, HERE)
                every = rungs(own, lines)
                assert every[:-1] == own.hints and every[-1] == "\n".join(lines) and lines, own.id


def test_python_lines_form_one_program() -> None:
    """Two actions in one step import pyroute2 once, and the program compiles."""
    lines = command_lines(step("neighbour/second-cable").do, "pyroute2", Where("host", {"c2": "c2"}))
    assert [line for line in lines if line.startswith("from ")] == ["from pyroute2 import IPRoute"]
    compile("\n".join(lines), "step", "exec")


def test_rungs_open_one_after_the_other() -> None:
    """With nothing built there is no live hint: the step's first rung comes first, the last is repeated."""
    own = step("switch/port")
    lines = command_lines(own.do, "ip", HERE)
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
    first = offer(own, verdict, [], command_lines(own.do, "ip", HERE))
    assert first.number == LIVE and "a port of br0" in first.text and first.left == len(own.hints) + 1
    assert offer(own, verdict, [LIVE], command_lines(own.do, "ip", HERE)).text == own.hints[0]


def test_half_done_is_told_what_is_left() -> None:
    """Two of three things hold and nothing is near: the rung says which is left and where to look."""
    items = (Item("pass", "lo is up"), Item("fail", "br0 exists", "state", "a bridge", "none", "ip link"), Item("pass", "veth1 is in c1"))
    first = offer(step("switch/bridge"), Verdict("bridge", "fail", items), [], ("x",))
    assert (first.number, first.text) == (LIVE, "Part of it is as it should be. Still to do: br0 exists. Look with: ip link")
    assert first.about == items[1]


def test_right_state_and_lost_packets() -> None:
    """Everything is built but no packet comes back: the rung points at the symptom, not at the command."""
    own = step("switch/port-up")
    fresh = lab_with(1, nat=False, forwarding=False)
    built = edit_node(fresh, "host", routes=(*fresh.nodes[0].routes, Route(dst="10.0.0.0/24", dev="br0", protocol="kernel")))
    lost = {check: Outcome(check.probe, "failed", "silence", "nothing came back within 1 s") for check in own.probes}
    told = live_hint(judge(own, built, lost, HERE))
    assert told is not None and "the packets disagree: nothing came back within 1 s" in told.text and "Look with: " in told.text
    assert told.about.kind == "probe"


def test_packets_that_do_not_pass_where_nothing_could_be_read() -> None:
    """The hint says what nobody could read and what was seen, not that all of it is right."""
    items = (
        Item("unknown", "answers may pass", "state", "a rule", "netless cannot read `r`", "nft list ruleset"),
        Item("fail", "the site answers c1", "probe", "an answer", "silence for 1 s", "ip route"),
    )
    told = live_hint(Verdict("s", "fail", items))
    assert told is not None and told.about == items[1]
    assert "`r`" in told.text and "silence for 1 s" in told.text and "nft list ruleset" in told.text and "is right" not in told.text


def test_no_live_hint_when_it_holds_or_nothing_was_judged() -> None:
    """A passed step and an unjudged one have only their rungs."""
    own = step("cable/pair")
    assert live_hint(judge(own, lab_with(1), {}, HERE)) is None and live_hint(None) is None


def test_rungs_speak_the_learners_words() -> None:
    """Hints and commands carry the bound names."""
    bound = Bindings(links={"veth2": "right", "br0": "sw0"})
    own = step("switch/port")
    every = rungs(own, command_lines((apply(action, bound) for action in own.do), "ip", HERE), bound)
    assert every[-1] == "ip link set right master sw0" and not any("veth2" in text for text in every)
