"""What happens in a lab, in lines: what is told, and what only repeats what is known."""

from __future__ import annotations

from msgspec.structs import replace

from app import story
from app.recordings import recorded
from netless.desk.reduce import Event, reduce
from netless.desk.view import View
from netless.say.narration import MINE, Narrator
from netless.say.plain import rows
from netless.say.text import Block
from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.probe import Outcome, Ping
from netless_lab.protocol import ChangeLine, ChangesEvent

MET, UNMET = Item("pass", "veth1 is in `c1`"), Item("fail", "veth1 is in `c1`", seen="it is on the host")
WAITING = Item("waiting", "c1 answers", "probe")


def told(*events: Event, narrator: Narrator | None = None) -> list[str]:
    """The lines of some events, to one who knows where the lab stands already."""
    narrator = narrator or Narrator()
    view = reduce(View(joined=True), protocol.StatusEvent(story.status()))
    out: list[str] = []
    for event in events:
        before, view = view, reduce(view, event)
        for line in narrator.tell(before, event, view, 0.0):
            out += [row.plain for row in rows((Block(line.text), *line.below))]
    return out


def judged(*items: Item, completed: bool = False, result: str = "") -> protocol.VerdictEvent:
    """A verdict on the step in hand."""
    found = Verdict("plug", "waiting" if result else "pass" if all(own.result == "pass" for own in items) else "fail", items)
    return protocol.VerdictEvent(found, completed)


def test_what_became_true_is_told_once() -> None:
    """And what is so no more with what is seen instead; a verdict that says the same again says nothing."""
    assert told(judged(UNMET), judged(MET), judged(MET), judged(UNMET)) == [
        "Conditions that hold: 0 of 1.", "Not so: veth1 is in `c1`", "Done: veth1 is in `c1`", "The step holds.",
        "Not so any more: veth1 is in `c1`", "Seen: it is on the host",
    ]  # fmt: skip


def test_a_decoy_is_told_of_when_it_comes_and_once() -> None:
    """What looks like the thing that is asked for and is not, and what is there beside it: the screen shows both, and who only hears must hear them."""
    near, another = replace(UNMET, near="veth9 is in `c1`, and no end of a cable"), replace(UNMET, near="veth8 is in `c1`")
    beside = protocol.VerdictEvent(Verdict("plug", "fail", (another,), extras=("the bridge br7 on the host",)))
    assert told(judged(UNMET), judged(near), judged(near), judged(another), beside, beside, judged(UNMET), judged(near))[2:] == [
        "Not yet: veth1 is in `c1`", "  veth9 is in `c1`, and no end of a cable",
        "Not yet: veth1 is in `c1`", "  veth8 is in `c1`",
        "Also there: the bridge br7 on the host",
        "Not yet: veth1 is in `c1`", "  veth9 is in `c1`, and no end of a cable",
    ]  # fmt: skip


def test_who_comes_hears_where_the_lab_stands_and_what_does_not_hold_there() -> None:
    """As it was judged last, of a step or of what is broken on purpose; of the next step only how much of it holds."""
    elsewhere = protocol.VerdictEvent(Verdict("address", "fail", (UNMET,)))
    assert told(judged(UNMET, replace(MET, claim="c1 is there")), elsewhere) == [
        "Conditions that hold: 1 of 2.", "Not so: veth1 is in `c1`", "Conditions that hold: 0 of 1.",
    ]  # fmt: skip
    drilling = recorded("drill-start").status
    assert drilling.fault is not None
    fault = replace(drilling.fault, verdict=Verdict("", "fail", (UNMET, replace(MET, claim="c1 is there"))))
    status = protocol.StatusEvent(replace(drilling, fault=fault))
    (line,) = [line for line in Narrator().tell(View(joined=True), status, reduce(View(joined=True), status), 0.0) if line.kind == "verdict"]
    assert [row.plain for row in rows((Block(line.text), *line.below))] == ["Conditions that hold: 1 of 2.", "Not so: veth1 is in `c1`"]


def test_waiting_for_packets_is_no_news() -> None:
    """A claim that held, is tried again and holds still is told of by nobody."""
    reached = replace(WAITING, result="pass")
    assert told(judged(MET, reached), judged(MET, WAITING, result="waiting"), judged(MET, reached)) == ["The step holds."]


def test_a_step_that_is_done_says_so_with_its_own_words() -> None:
    """The first time that it holds."""
    success = story.status().page.success
    assert told(judged(UNMET), judged(MET, completed=True))[-1] == f"Step done. {success}".strip()


def test_every_change_says_who_made_it_and_what_comes_by_itself_is_left_out() -> None:
    """To the learner himself his own need no name."""
    lines = (ChangeLine("br0 appeared"), ChangeLine("c1 found the MAC of 10.0.0.1", quiet=True))
    mine, its = ChangesEvent(1.0, "learner", lines), ChangesEvent(1.0, "kernel", lines)
    assert told(mine, its) == ["Changed by the learner: br0 appeared", "Changed by itself: br0 appeared"]
    assert told(mine, narrator=Narrator(MINE)) == ["Changed: br0 appeared"]


def test_another_step_is_told_with_its_place() -> None:
    """The number, the titles, and how it is called on a command line."""
    there = replace(story.status(), position="container/cable/address", page=replace(story.page(), number=3, of=4))
    (line,) = told(protocol.StatusEvent(there), protocol.StatusEvent(there))
    assert line.startswith("Step 3 of 4: ") and line.endswith(" (container/cable/address)")


def test_a_packet_that_should_be_lost_says_that_it_is_as_it_should_be() -> None:
    """One that should not says only what became of it."""
    lost = Outcome(Ping("c1", "10.0.0.9"), "failed", "silence", "no answer")
    assert told(protocol.ProbeEvent(1.0, lost, wanted=False), protocol.ProbeEvent(1.0, lost, wanted=True)) == [
        "Packet: ping c1 → 10.0.0.9: no answer, as it should be", "Packet: ping c1 → 10.0.0.9: no answer",
    ]  # fmt: skip


def test_the_end_is_told_once() -> None:
    """With the lab's own reason."""
    assert told(protocol.Bye("it was ended"), protocol.Bye("it was ended")) == ["The lab has ended: it was ended"]
