"""What each message changes in the view, and what the keys may do in each state. No screen takes part."""

from __future__ import annotations

import msgspec
import pytest

from app import story
from netless.called import Called
from netless.desk.reduce import MOST_PROSE, MOST_TITLE, Answered, Asked, Courses, Ended, Hinted, Joined, Told, reduce
from netless.desk.view import KEPT_ENTRIES, View, forbids
from netless.say.lesson import lesson
from netless.say.text import lay_out
from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.needs import Lack
from netless_lab.protocol import Act


def play(*events: object, view: View | None = None) -> View:
    """The view after these events."""
    view = view or View()
    for event in events:
        view = reduce(view, event)  # type: ignore[arg-type]
    return view


HERE = play(Joined("default"), *story.opening())


def test_the_labs_name_is_what_was_asked_for() -> None:
    """A status in another lab's name changes no name: shells are opened and files are written by it."""
    status = HERE.status
    assert status is not None
    told = protocol.StatusEvent(msgspec.structs.replace(status, lab="../startup.d/evil"))
    assert play(told, view=HERE).lab == "default"


def test_opening_fills_the_view() -> None:
    """After joining, status, network, log and probes are all there."""
    assert HERE.joined
    assert HERE.lab == "default"
    assert HERE.status is not None
    assert HERE.snapshot == story.TABLE
    assert HERE.goal == story.GOAL
    assert len(HERE.entries) == len(story.LOG)
    assert len(HERE.packets) == len(story.PROBES)
    assert HERE.verdict == story.PENDING


def test_goal_stays_until_another_comes() -> None:
    """A snapshot without a goal keeps the one sent before."""
    after = reduce(HERE, protocol.SnapshotEvent(story.BUILT))
    assert after.goal == story.GOAL
    assert after.snapshot == story.BUILT


def test_another_step_forgets_the_verdict() -> None:
    """A verdict belongs to its step: on another position the status' own verdict counts, or none."""
    page = msgspec.structs.replace(story.page(), position="container/cable/address", title="Give it an address")
    after = reduce(HERE, protocol.StatusEvent(story.status(position=page)))
    assert after.verdict is None
    assert after.passed == ""


def test_same_step_keeps_the_verdict() -> None:
    """A status without a verdict for the same step (a dialect changed) does not wipe what was judged."""
    after = reduce(HERE, protocol.StatusEvent(story.status(dialect="legacy")))
    assert after.verdict == story.PENDING
    assert after.dialect == "legacy"


def test_completion_is_remembered() -> None:
    """The first pass of a step is noted by its id."""
    assert play(protocol.VerdictEvent(story.PASSED, completed=True), view=HERE).passed == "plug"
    assert play(protocol.VerdictEvent(story.PASSED), view=HERE).passed == ""


def test_log_is_bounded() -> None:
    """A flood of changes does not grow without end; the newest are kept."""
    view = HERE
    for number in range(KEPT_ENTRIES + 10):
        view = reduce(view, protocol.ChangesEvent(story.NOON + 100 + number, "learner", ()))
    assert len(view.entries) == KEPT_ENTRIES
    assert view.entries[-1].at == story.NOON + 109 + KEPT_ENTRIES


def test_progress_of_the_open_course_follows_the_status() -> None:
    """The course list shows the ticks of the newest status."""
    view = play(Courses((story.course(0),)), protocol.StatusEvent(story.status(done=7)), view=HERE)
    assert view.courses[0].lessons[1].steps[1].earned


def test_what_holds_of_a_course_is_known_only_while_the_lab_stands_in_it() -> None:
    """A step of the course that was left keeps its tick, and nothing says any longer whether it holds."""
    there = msgspec.structs.replace(story.status(), course=msgspec.structs.replace(story.course(0), id="overlay"))
    before = play(Courses((story.course(5, broken="netless/name"), there.course)), view=HERE)
    assert before.courses[0].lessons[0].steps[0].live is False
    left = play(protocol.StatusEvent(there), view=before).courses[0].lessons[0].steps[0]
    assert left.earned and left.live is None


def test_asking_is_busy_until_answered() -> None:
    """From the key to the answer the lab counts as busy; a refusal is said, with the nearest names."""
    asked = reduce(HERE, Asked("Running the step"))
    assert asked.busy == "Running the step"
    answered = play(Answered(), Told("error", "there is no step plugg", ("plug",)), view=asked)
    assert answered.busy == ""
    assert answered.sayings
    assert answered.sayings[-1].text == "there is no step plugg Did you mean plug?"


def test_each_saying_is_new() -> None:
    """The same words said twice are two sayings."""
    twice = play(Told("info", "a"), Told("info", "a"), view=HERE)
    assert twice.sayings
    assert twice.sayings[-1].serial == 2


def test_first_end_counts() -> None:
    """The agent's own farewell is kept, not the broken connection that follows it."""
    view = play(protocol.Bye("nobody used the lab for 30 minutes"), Ended("the lab ended"), view=HERE)
    assert view.ended == "nobody used the lab for 30 minutes"
    assert not view.joined


def test_joining_again_starts_clean() -> None:
    """After a rebuild nothing of the old lab is left in the view."""
    view = play(Ended("the lab ended"), Joined("default"), view=HERE)
    assert view == View(lab="default", joined=True)


@pytest.mark.parametrize("act", ["run", "check", "back", "goto", "reset", "why", "play"])
def test_busy_drops_keys(act: Act) -> None:
    """While something runs, no key starts another thing, whoever started it."""
    assert not forbids(HERE, act)
    assert forbids(reduce(HERE, Asked("Checking")), act)
    elsewhere = reduce(HERE, protocol.StatusEvent(story.status(busy="Rebuilding the lab")))
    assert forbids(elsewhere, act)


def test_words_are_had_while_the_lab_is_busy() -> None:
    """A hint, the dialect and the commands at a prompt wait for nothing."""
    busy = reduce(reduce(HERE, protocol.StatusEvent(story.status(busy="running it"))), Asked("Checking"))
    assert {act for act in protocol.ACTS if not forbids(busy, act)} == {"type", "hint", "dialect"}


def test_nothing_can_be_done_without_a_lab() -> None:
    """Before joining and after the end every key of the lab is dead."""
    assert all(forbids(View(), act) for act in protocol.ACTS)
    assert all(forbids(reduce(HERE, Ended("gone")), act) for act in protocol.ACTS)


@pytest.mark.parametrize("act", protocol.ACTS)
def test_what_the_lab_forbids_is_forbidden_in_its_words(act: Act) -> None:
    """And nothing else is: the reason is the lab's own, made a sentence, with its commands as one types them here."""
    def here(**why: str) -> View:
        return reduce(HERE, protocol.StatusEvent(story.status(forbidden=why)))  # type: ignore[arg-type]

    assert not forbids(here(), act)
    assert forbids(here(**{act: "it is locked until `goto` or `reset`"}), act) == "It is locked until `goto` or `reset`."
    assert forbids(here(**{act: "This was the last."}), act) == "This was the last."


def test_help_from_what_is_seen_ends_with_the_step() -> None:
    """A hint made from the verdict is shown until the learner moves on."""
    hinted = reduce(HERE, Hinted("veth1 is still on the host"))
    assert hinted.hint
    page = msgspec.structs.replace(story.page(), position="container/cable/address")
    assert reduce(hinted, protocol.StatusEvent(story.status(position=page))).hint == ""


def test_actions_come_before_what_they_change() -> None:
    """The log is in order of time, also when a change is heard of before the action that made it."""
    action = protocol.ActionEvent(50.0, "Make a bridge", ())
    change = protocol.ChangesEvent(50.1, "tutor", ())
    view = play(protocol.ChangesEvent(49.0, "learner", ()), change, action)
    assert [entry.at for entry in view.entries] == [49.0, 50.0, 50.1]
    again = msgspec.structs.replace(action, at=50.1)
    assert reduce(view, again).entries[-2:] == (change, again), "what came at the same time stands as it was heard"


def test_help_from_what_is_seen_goes_with_it() -> None:
    """As soon as its claim stands otherwise, whatever words it is told in; while packets are on their way it stays."""
    item = Item("fail", "c1 has a name", near="c1 leads nowhere: check the process id.")
    asked = play(protocol.VerdictEvent(Verdict("name", "fail", (item,))), Hinted("Check it.", item), view=HERE)
    assert asked.hint == "Check it."
    assert reduce(asked, protocol.VerdictEvent(Verdict("name", "fail", (item,)))).hint == "Check it."
    assert reduce(asked, protocol.VerdictEvent(Verdict("name", "fail", (item, Item("fail", "c2 has a name"))))).hint == "Check it."
    assert reduce(asked, protocol.VerdictEvent(Verdict("name", "waiting", ()))).hint == "Check it."
    other = Item("fail", "c2 has a name", near=item.near)
    assert reduce(asked, protocol.VerdictEvent(Verdict("name", "fail", (other,)))).hint == ""
    assert reduce(asked, protocol.VerdictEvent(Verdict("name", "pass", (Item("pass", "c1 has a name"),)))).hint == ""


def test_what_the_lab_says_of_its_verbs_names_the_keys() -> None:
    """Why something cannot be done, and what is told of the lab, is for who has keys; what a page says stays as its author wrote it."""
    said, told = "`run` does it, `goto a/b` rebuilds", "`r` does it, `g` (a/b) rebuilds"
    view = play(Joined("w"), view=View(lab="w", called=Called(keys=(("run", "r"), ("goto", "g")))))
    assert reduce(view, protocol.Notice("info", said)).sayings[-1].text == reduce(view, Told("info", said)).sayings[-1].text == told
    status = msgspec.structs.replace(story.status(), page=msgspec.structs.replace(story.page(0), prose=said), notices=(said,), offers={"next": said})
    shown = reduce(view, protocol.StatusEvent(status)).status
    assert shown is not None and (shown.notices, shown.offers["next"], shown.page.prose) == ((told,), told, said)


def test_every_suggested_command_acts_on_the_lab_that_is_shown() -> None:
    """Whatever names a command, it is named as one types it in another terminal for this lab; so it stays after joining anew."""
    down, typed = "`netless down` ends it", "`./netless --lab w down` ends it"
    view = play(Joined("w"), view=View(lab="w", called=Called("./netless", "w")))
    for event in (protocol.Notice("info", down), Told("info", down)):
        assert reduce(view, event).sayings[-1].text == typed
    for end in (protocol.Bye(down), Ended(down)):
        assert reduce(view, end).ended == typed
    assert reduce(view, Hinted(down)).hint == typed
    page = msgspec.structs.replace(story.page(0), prose=down, hints_open=(down,), success=down)
    fault = protocol.FaultStatus("c1 is silent", solution=down)
    told = msgspec.structs.replace(story.status(position=page), notices=(down,), fault=fault)
    shown = reduce(view, protocol.StatusEvent(told)).status
    assert shown is not None and shown.fault is not None
    assert {*shown.notices, shown.page.prose, *shown.page.hints_open, shown.page.success, shown.fault.solution} == {typed}


def test_no_text_is_longer_than_a_person_reads() -> None:
    """Titles, prose, sentences and notices of any length are cut where they come in, and end in a sign that says so."""
    huge = "word " * 1_000_000
    status = HERE.status
    assert status is not None
    page = msgspec.structs.replace(status.page, title=huge, lesson_title=huge, prose=huge, success=huge, sentences=(huge,), hints_open=(huge,))
    page = msgspec.structs.replace(page, lacks=(Lack("vxlan", huge, huge, huge),))
    course = msgspec.structs.replace(status.course, title=huge, about=huge, lessons=(protocol.LessonView("l", huge, (protocol.StepView("s", huge),)),))
    told = msgspec.structs.replace(status, page=page, course=course, notices=(huge,), busy=huge)
    after = play(
        protocol.StatusEvent(told),
        Courses((course,)),
        protocol.Notice("info", huge),
        protocol.ActionEvent(1.0, huge, (), huge),
        protocol.ChangesEvent(2.0, "learner", (protocol.ChangeLine(huge),)),
        Told("error", huge),
        Hinted(huge),
        protocol.Bye(huge),
        view=HERE,
    )
    assert "word …" in str(after) and longest(msgspec.to_builtins(after)) <= MOST_PROSE
    assert after.status is not None and len(after.status.page.title) <= MOST_TITLE


def longest(value: object) -> int:
    """Characters of the longest text in it."""
    if isinstance(value, str):
        return len(value)
    return max(map(longest, value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()), default=0)


def test_what_the_machine_lacks_for_a_step_is_read_before_its_prose() -> None:
    """What is lacking, why and what to do stand at the top of the page; where nothing is lacking there is no such line."""
    page = msgspec.structs.replace(story.page(0), lacks=(Lack("vxlan", "VXLAN", "vxlan is not loaded", "sudo modprobe vxlan"),))

    def read(own: protocol.StepPage) -> str:
        view = play(protocol.StatusEvent(story.status(position=own)), view=HERE)
        rows = lay_out(lesson(view, 60, whole=False), 60)
        return " ".join(" ".join(row.content.plain.lstrip("▎") for row in rows).split())

    text = read(page)
    assert text.startswith("This step cannot be done here: this machine lacks VXLAN: vxlan is not loaded")
    assert text.index("sudo modprobe vxlan") < text.index(page.title)
    assert "cannot be done" not in read(story.page(0))
