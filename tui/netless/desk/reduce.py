"""``reduce(view, event) -> view``: how each message changes what the screen knows. Pure; never imports textual."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
from msgspec.structs import replace

from netless_lab import protocol

from ..called import Called
from .view import KEPT_ENTRIES, KEPT_PACKETS, KEPT_SAYINGS, Level, Saying, View

if TYPE_CHECKING:
    from netless_lab.course.verdict import Item, Verdict
    from netless_lab.protocol import CourseView


class Joined(msgspec.Struct, frozen=True):
    """The agent greeted us."""

    lab: str


class Asked(msgspec.Struct, frozen=True):
    """This screen asked for something that takes a while; ``what`` says it in words ("Running the step")."""

    what: str


class Answered(msgspec.Struct, frozen=True):
    """What was asked for is over."""


class Told(msgspec.Struct, frozen=True):
    """Something that is told here; of a refusal, in the agent's own words, with the names that were perhaps meant. ``copies`` is the part of
    it that a click copies. It may speak of the step where one is (``of_step``), or ``lapses`` when it speaks of how things stand there (``Saying``).
    """

    level: Level
    text: str
    nearest: tuple[str, ...] = ()
    copies: str = ""
    of_step: bool = False
    lapses: bool = False


class Returned(msgspec.Struct, frozen=True):
    """A lab that was built anew stands where the one stood that is gone, or has said why not."""


class Recording(msgspec.Struct, frozen=True):
    """What the screen shows is recorded from now on, or no longer."""

    on: bool


class Hinted(msgspec.Struct, frozen=True):
    """The lab gave this help, and said which claim of the verdict it is ``about``."""

    text: str
    about: Item | None = None


class Courses(msgspec.Struct, frozen=True):
    """Every course on this machine, with progress."""

    courses: tuple[CourseView, ...]


class Ended(msgspec.Struct, frozen=True):
    """The lab is gone, and why; ``code`` is the exit code that fits (3: this machine cannot, 4: our own fault)."""

    text: str
    code: int = 4


Local = Joined | Asked | Answered | Returned | Told | Recording | Hinted | Courses | Ended
Event: TypeAlias = "Local | protocol.AgentMessage"
Entry: TypeAlias = "protocol.ActionEvent | protocol.ChangesEvent"

MOST_TITLE: Final = 500
"""Characters of a title that are kept: more than any line has."""
MOST_TOLD: Final = 4000
"""Characters that are kept of a sentence, a notice or an error: more than a screen shows."""
MOST_PROSE: Final = 1 << 16
"""Characters that are kept of the prose of a step."""


def reduce(view: View, event: Event) -> View:
    """The view after this event. Replies to requests (``Done``, ``Failed``) are not events and change nothing here."""
    event = _told(view.called, event)
    match event:
        case protocol.StatusEvent(status=status):
            return _status(view, status)
        case protocol.SnapshotEvent(snapshot=snapshot, goal=goal):
            return replace(view, snapshot=snapshot, goal=view.goal if goal is None else goal)
        case protocol.VerdictEvent(verdict=verdict, completed=completed):
            return replace(view, verdict=verdict, passed=verdict.step if completed else view.passed, hint=_still_true(view, verdict))
        case protocol.ActionEvent() | protocol.ChangesEvent():
            return replace(view, entries=_in_order(view.entries, event)[-KEPT_ENTRIES:])
        case protocol.ProbeEvent() | protocol.JourneyEvent():
            return replace(view, packets=(*view.packets, event)[-KEPT_PACKETS:])
        case protocol.Notice(level=level, text=text, lapses=lapses):
            return _say(view, Told(level, text, lapses=lapses))
        case Told():
            return _say(view, event)
        case protocol.Bye(text=text):
            return view if view.ended else replace(view, ended=text or "The lab has ended", asked="", joined=False)
        case Ended(text=text, code=code):
            return view if view.ended else replace(view, ended=text, code=code, asked="", joined=False)
        case Joined(lab=lab):
            return replace(view.of_another_lab(), lab=lab or view.lab, joined=True, returning=view.returning)
        case Asked(what=what):
            return replace(view, asked=what)
        case Answered():
            return replace(view, asked="")
        case Returned():
            return replace(view, returning=None)
        case Recording(on=on):
            return replace(view, recording=on)
        case Hinted(text=text, about=about):
            return replace(view, hint=text, hint_about=about)
        case Courses(courses=courses):
            return replace(view, courses=courses)
        case _:
            return view


def _told(called: Called, event: Event) -> Event:
    """The event as it is told here: its commands named as one types them for this lab, and no text longer than a person reads, since what is
    laid out and painted is laid out and painted on the app's own loop.
    """

    def told(text: str, most: int = MOST_TOLD) -> str:
        return called.typed(_cut(text, most))

    def said(text: str) -> str:
        return called.told(_cut(text, MOST_TOLD))

    match event:
        case protocol.Notice() | protocol.Bye() | Told() | Ended():
            return replace(event, text=said(event.text))
        case Hinted():
            return replace(event, text=told(event.text))
        case protocol.ActionEvent(sentence=sentence, error=error):
            return replace(event, sentence=_cut(sentence, MOST_TOLD), error=_cut(error, MOST_TOLD))
        case protocol.ChangesEvent(lines=lines):
            return replace(event, lines=tuple(replace(line, sentence=_cut(line.sentence, MOST_TOLD)) for line in lines))
        case protocol.StatusEvent(status=status):
            page, fault = status.page, status.fault
            return protocol.StatusEvent(replace(
                status,
                page=replace(
                    page,
                    lesson_title=_cut(page.lesson_title, MOST_TITLE), title=_cut(page.title, MOST_TITLE),
                    prose=told(page.prose, MOST_PROSE), success=told(page.success),
                    sentences=tuple(_cut(text, MOST_TOLD) for text in page.sentences),
                    hints_open=tuple(told(text, MOST_PROSE) for text in page.hints_open),
                    lacks=tuple(replace(own, title=_cut(own.title, MOST_TOLD), why=_cut(own.why, MOST_TOLD), do=_cut(own.do, MOST_TOLD)) for own in page.lacks),
                ),
                fault=fault and replace(fault, solution=called.typed(fault.solution), hints_open=tuple(map(told, fault.hints_open))),
                course=_titles(status.course), notices=tuple(map(said, status.notices)), busy=_cut(status.busy, MOST_TITLE),
                offers={act: said(why) for act, why in status.offers.items()},
            ))  # fmt: skip
        case Courses(courses=courses):
            return Courses(tuple(map(_titles, courses)))
        case _:
            return event


def _titles(course: CourseView) -> CourseView:
    lessons = tuple(
        replace(lesson, title=_cut(lesson.title, MOST_TITLE), steps=tuple(replace(step, title=_cut(step.title, MOST_TITLE)) for step in lesson.steps))
        for lesson in course.lessons
    )
    return replace(course, title=_cut(course.title, MOST_TITLE), about=_cut(course.about, MOST_PROSE), lessons=lessons)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _status(view: View, status: protocol.Status) -> View:
    moved = view.status is None or view.status.position != status.position
    others = view.courses if view.status is None or view.status.course.id == status.course.id else tuple(map(_elsewhere, view.courses))
    verdict = status.verdict if moved or status.verdict is not None else view.verdict
    return replace(
        view, status=status, verdict=verdict, passed="" if moved else view.passed, hint="" if moved else view.hint,
        courses=tuple(status.course if course.id == status.course.id else course for course in others),
    )  # fmt: skip


def _still_true(view: View, verdict: Verdict) -> str:
    """The help that was made from what was seen, as long as that is what is seen."""
    return view.hint if view.broken or verdict.result == "waiting" or view.hint_about in verdict.items else ""


def _elsewhere(course: protocol.CourseView) -> protocol.CourseView:
    """The course as it is while the lab stands in another one: whether its steps hold is asked of nobody."""
    lessons = tuple(replace(lesson, steps=tuple(replace(step, live=None) for step in lesson.steps)) for lesson in course.lessons)
    return replace(course, lessons=lessons)


def _perhaps_meant(error: str, nearest: tuple[str, ...]) -> str:
    """The names that were perhaps meant, as a question; "" when the lab's own words name them already."""
    unsaid = [name for name in nearest if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", error)]
    return f" Did you mean {' or '.join(unsaid)}?" if unsaid else ""


def _in_order(entries: tuple[Entry, ...], event: Entry) -> tuple[Entry, ...]:
    """The entries with one more, by time: a change may be heard of before the action that made it."""
    place = len(entries)
    while place and entries[place - 1].at > event.at:
        place -= 1
    return (*entries[:place], event, *entries[place:])


def _say(view: View, told: Told) -> View:
    serial = view.sayings[-1].serial + 1 if view.sayings else 1
    of = view.status.position if view.status is not None and (told.of_step or told.lapses) else ""
    saying = Saying(serial, told.level, told.text + _perhaps_meant(told.text, told.nearest), told.copies, of, told.lapses)
    return replace(view, sayings=(*view.sayings, saying)[-KEPT_SAYINGS:])
