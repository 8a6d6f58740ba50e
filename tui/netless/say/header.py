"""The line at the top: where the learner is, how far, and in which lab; what matters least is left out first when room is short."""

from __future__ import annotations

from typing import Final

from ..desk.view import View
from .text import BLANK, Looked, Text, blanks, joined, plain

ARROW: Final = " ▸ "


def header(view: View, width: int) -> Text:
    """The line, exactly ``width`` cells. What is being done just now matters more than where one is; that a recording runs is always
    told; how far one is matters more than what course and lesson are called.
    """
    mark = joined(("● REC", "strong", "bad")) if view.recording else BLANK
    right = [blanks(2).between([mark, end]) if mark else end for end in _right(view)]
    every = (*right, mark)
    for ends in (right[:1], every) if view.busy else (every,):
        for middle in (_dots(view), BLANK):
            for left in _lefts(view):
                for end in ends:
                    used = left.cells + middle.cells + end.cells
                    if used + 4 <= width:
                        return _spread(left, middle, end, width)
    least = _lefts(view)[-1].cut(max(1, width - 1 - mark.cells - 2 * bool(mark)))
    return (blanks(2).between([least, mark]) if mark else least).padded(width)


def _spread(left: Text, middle: Text, end: Text, width: int) -> Text:
    room = width - left.cells - middle.cells - end.cells - 1
    if not middle.cells:
        return left + blanks(room) + end + blanks(1)
    before = min(room - 2, max(3, room // 2))
    return left + blanks(before) + middle + blanks(room - before) + end + blanks(1)


def _lefts(view: View) -> list[Text]:
    """The left part, from long to short."""
    name = joined((" netless", "strong", "accent"))
    status = view.status
    if status is None:
        return [name]
    page = status.page
    place = f"{page.number}/{page.of} "
    dot = blanks(2)
    course, lesson = plain(status.course.title, "muted"), plain(page.lesson_title, "muted")
    step = joined((place, "muted"), (page.title, "strong"))
    arrow = plain(ARROW, "faint")
    return [
        name + dot + arrow.between([course, lesson, step]),
        name + dot + arrow.between([lesson, step]),
        name + dot + step,
        blanks(1) + step,
    ]


def _dots(view: View) -> Text:
    """The lesson's steps: ● done, ◐ the current one, ○ to come."""
    lesson, current = view.lesson, view.step
    if lesson is None or len(lesson.steps) > 30:
        return BLANK
    marks: list[Looked] = []
    for step in lesson.steps:
        if step is current:
            marks.append(("●", "good") if view.done else ("◐", "accent"))
        else:
            marks.append(("●", "good") if step.earned else ("○", "faint"))
    return joined(*marks)


def _right(view: View) -> list[Text]:
    """The right part, from long to short."""
    status = view.status
    if view.busy:
        return [plain(f"{view.busy} …", "warn"), plain("…", "warn")]
    if status is None:
        return [plain("joining the lab …", "muted")]
    if status.playing:
        return [joined(("play mode", "strong", "warn"), (f" · lab {view.lab}", "muted")), plain("play mode", "strong", "warn")]
    return [plain(f"lab {view.lab} · {status.mode}", "muted"), plain(view.lab, "muted")]
