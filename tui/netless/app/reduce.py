"""``reduce(view, event) -> view``: how each message changes what the screen knows. Pure; never imports textual."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from netless_lab import protocol
from netless_lab.model.needs import Lack
from netless_lab.protocol import CourseView

from ..called import Called
from .view import KEPT_ENTRIES, KEPT_PACKETS, KEPT_SAYINGS, Saying, View


class Joined(msgspec.Struct, frozen=True):
    """The agent greeted us."""

    lab: str


class Asked(msgspec.Struct, frozen=True):
    """This screen asked for something that takes a while; ``what`` says it in words ("Running the step")."""

    what: str


class Answered(msgspec.Struct, frozen=True):
    """What was asked for is over. ``error`` holds the agent's own words when it could not be done."""

    error: str = ""
    nearest: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True):
    """Something this screen itself has to say."""

    level: Literal["info", "warning", "error"]
    text: str


class Following(msgspec.Struct, frozen=True):
    """The learner's own packets are followed from now on, or no longer."""

    on: bool


class Hinted(msgspec.Struct, frozen=True):
    """The lab gave this help."""

    text: str


class Courses(msgspec.Struct, frozen=True):
    """Every course on this machine, with progress."""

    courses: tuple[CourseView, ...]


class Ended(msgspec.Struct, frozen=True):
    """The lab is gone, and why; ``code`` is the exit code that fits (3: this machine cannot, 4: our own fault)."""

    text: str
    code: int = 4


Local = Joined | Asked | Answered | Told | Following | Hinted | Courses | Ended
Event = Local | protocol.AgentMessage
Entry = protocol.ActionEvent | protocol.ChangesEvent

MOST_TITLE: Final = 500
"""Characters of a title that are kept: more than any line has."""
MOST_TOLD: Final = 4000
"""Characters that are kept of a sentence, a notice or an error: more than a screen shows."""
MOST_PROSE: Final = 1 << 16
"""Characters that are kept of the prose of a step."""


def reduce(view: View, event: Event) -> View:
    """The view after this event. Replies to requests (``Done``, ``Failed``) are not events and change nothing here."""
    event = _typed(view.called, bounded(event))
    match event:
        case protocol.StatusEvent(status=status):
            return _status(view, status)
        case protocol.SnapshotEvent(snapshot=snapshot, goal=goal):
            return _replace(view, snapshot=snapshot, goal=view.goal if goal is None else goal)
        case protocol.VerdictEvent(verdict=verdict, completed=completed):
            return _replace(view, verdict=verdict, passed=verdict.step if completed else view.passed)
        case protocol.ActionEvent() | protocol.ChangesEvent():
            return _replace(view, entries=_in_order(view.entries, event)[-KEPT_ENTRIES:])
        case protocol.ProbeEvent() | protocol.JourneyEvent():
            return _replace(view, packets=(*view.packets, event)[-KEPT_PACKETS:])
        case protocol.Notice(level=level, text=text) | Told(level=level, text=text):
            return _say(view, level, text)
        case protocol.Bye(text=text):
            return view if view.ended else _replace(view, ended=text or "The lab has ended", asked="", joined=False)
        case Ended(text=text, code=code):
            return view if view.ended else _replace(view, ended=text, code=code, asked="", joined=False)
        case Joined(lab=lab):
            return View(lab=lab or view.lab, joined=True, courses=view.courses, sayings=view.sayings, called=view.called)
        case Asked(what=what):
            return _replace(view, asked=what)
        case Answered(error=error, nearest=nearest):
            settled = _replace(view, asked="")
            return _say(settled, "error", error + _perhaps_meant(error, nearest)) if error else settled
        case Following(on=on):
            return _replace(view, following=on)
        case Hinted(text=text):
            known = view.drill_hints if text in view.drill_hints or not view.broken else (*view.drill_hints, text)
            return _replace(view, hint=text, drill_hints=known)
        case Courses(courses=courses):
            return _replace(view, courses=courses)
        case _:
            return view


def bounded(event: Event) -> Event:
    """The event with no text longer than a person reads; what is laid out and painted is laid out and painted on the app's own loop."""
    match event:
        case protocol.Notice(text=text) | protocol.Bye(text=text) | Told(text=text) | Hinted(text=text) | Ended(text=text):
            return event if len(text) <= MOST_TOLD else msgspec.structs.replace(event, text=_cut(text, MOST_TOLD))
        case Answered(error=text):
            return event if len(text) <= MOST_TOLD else msgspec.structs.replace(event, error=_cut(text, MOST_TOLD))
        case protocol.ActionEvent(sentence=sentence, error=error):
            return msgspec.structs.replace(event, sentence=_cut(sentence, MOST_TOLD), error=_cut(error, MOST_TOLD))
        case protocol.ChangesEvent(lines=lines):
            cut = tuple(msgspec.structs.replace(line, sentence=_cut(line.sentence, MOST_TOLD)) for line in lines)
            return msgspec.structs.replace(event, lines=cut)
        case protocol.StatusEvent(status=status):
            page = msgspec.structs.replace(
                status.page,
                lesson_title=_cut(status.page.lesson_title, MOST_TITLE),
                title=_cut(status.page.title, MOST_TITLE),
                prose=_cut(status.page.prose, MOST_PROSE),
                sentences=tuple(_cut(text, MOST_TOLD) for text in status.page.sentences),
                hints_open=tuple(_cut(text, MOST_PROSE) for text in status.page.hints_open),
                success=_cut(status.page.success, MOST_TOLD),
                lacks=tuple(Lack(own.need, *(_cut(text, MOST_TOLD) for text in (own.title, own.why, own.do))) for own in status.page.lacks),
            )
            notices = tuple(_cut(text, MOST_TOLD) for text in status.notices)
            changed = msgspec.structs.replace(status, page=page, course=_titles(status.course), notices=notices, busy=_cut(status.busy, MOST_TITLE))
            return msgspec.structs.replace(event, status=changed)
        case Courses(courses=courses):
            return Courses(tuple(map(_titles, courses)))
        case _:
            return event


def _titles(course: CourseView) -> CourseView:
    lessons = tuple(
        msgspec.structs.replace(
            lesson,
            title=_cut(lesson.title, MOST_TITLE),
            steps=tuple(msgspec.structs.replace(step, title=_cut(step.title, MOST_TITLE)) for step in lesson.steps),
        )
        for lesson in course.lessons
    )
    return msgspec.structs.replace(course, title=_cut(course.title, MOST_TITLE), about=_cut(course.about, MOST_PROSE), lessons=lessons)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _typed(called: Called, event: Event) -> Event:
    """The event with its commands named as one types them for this lab."""
    match event:
        case protocol.Notice() | protocol.Bye() | Told() | Hinted() | Ended():
            return msgspec.structs.replace(event, text=called.typed(event.text))
        case Answered(error=error):
            return msgspec.structs.replace(event, error=called.typed(error))
        case protocol.StatusEvent(status=status):
            page, fault = status.page, status.fault
            typed = msgspec.structs.replace(
                page,
                prose=called.typed(page.prose),
                hints_open=tuple(map(called.typed, page.hints_open)),
                success=called.typed(page.success),
            )
            if fault is not None:
                fault = msgspec.structs.replace(fault, solution=called.typed(fault.solution))
            notices = tuple(map(called.typed, status.notices))
            return protocol.StatusEvent(msgspec.structs.replace(status, page=typed, fault=fault, notices=notices))
        case _:
            return event


def _status(view: View, status: protocol.Status) -> View:
    moved = view.status is None or view.status.position != status.position
    others = view.courses if view.status is None or view.status.course.id == status.course.id else tuple(map(_elsewhere, view.courses))
    verdict = status.verdict if moved or status.verdict is not None else view.verdict
    return _replace(
        view,
        status=status,
        verdict=verdict,
        passed="" if moved else view.passed,
        hint="" if moved else view.hint,
        drill_hints=() if status.fault is None else view.drill_hints,
        courses=tuple(status.course if course.id == status.course.id else course for course in others),
    )


def _elsewhere(course: protocol.CourseView) -> protocol.CourseView:
    """The course as it is while the lab stands in another one: whether its steps hold is asked of nobody."""
    lessons = tuple(
        msgspec.structs.replace(lesson, steps=tuple(msgspec.structs.replace(step, live=None) for step in lesson.steps))
        for lesson in course.lessons
    )
    return msgspec.structs.replace(course, lessons=lessons)


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


def _say(view: View, level: Literal["info", "warning", "error"], text: str) -> View:
    serial = view.sayings[-1].serial + 1 if view.sayings else 1
    return _replace(view, sayings=(*view.sayings, Saying(serial, level, text))[-KEPT_SAYINGS:])


def _replace(view: View, **fields: object) -> View:
    return msgspec.structs.replace(view, **fields)
