"""The end of a course, on the screen and in words alone: what was never done is named, with the way there."""

from __future__ import annotations

from msgspec.structs import replace

from app import story
from netless.desk.reduce import reduce
from netless.desk.view import View
from netless.say.check import check
from netless.say.plain import rows
from netless.say.spoken import onward
from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict


def at_the_end(*earned: bool) -> View:
    """The last step of a course of so many holds; whether the others have their tick. Its own is not known yet."""
    status = story.status()
    steps = (*(protocol.StepView(f"s{number}", f"Step {number}", own) for number, own in enumerate(earned, 1)), protocol.StepView("end", "The end", False, True))
    course = protocol.CourseView("short", "Short", "", (protocol.LessonView("all", "All", steps),))
    verdict = Verdict("end", "pass", (Item("pass", "it is there"),))
    return reduce(View(joined=True), protocol.StatusEvent(replace(status, course=course, position="short/all/end", verdict=verdict)))


def on_the_screen(view: View) -> str:
    """What the check says, in one line."""
    return " ".join(row.plain.strip() for row in rows(check(view, 200)))


def spoken(view: View) -> str:
    """What is said without a screen."""
    return " ".join(row.plain.strip() for row in rows((onward(view),)))


def test_steps_that_were_passed_by_are_named() -> None:
    """The first few and how many more, and the key or the word that leads there; not the one that holds just now."""
    view = at_the_end(True, False, False, True, False, False)
    named = "Not done yet: 'Step 2', 'Step 3', 'Step 5' and 1 more."
    assert f"That was the last step of this course. {named} g Go to" in on_the_screen(view)
    assert spoken(view).startswith(f"That was the last step of this course. {named} `goto short/all/s2` goes to the first of them.")
    assert "The end" not in on_the_screen(view) + spoken(view)


def test_when_all_is_done_nothing_is_named() -> None:
    """Only that this was the last."""
    view = at_the_end(True, True)
    for told in (on_the_screen(view), spoken(view)):
        assert "That was the last step of this course." in told and "Not done" not in told and "Go to" not in told
