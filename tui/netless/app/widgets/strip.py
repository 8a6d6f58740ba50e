"""The top line: where the learner is, how far, and in which lab. What matters least is left out first when room is short."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from ..blocks import joined, plain
from ..view import View

ARROW = " ▸ "


def header(view: View, width: int) -> Content:
    """The line, exactly ``width`` cells. What is being done just now matters more than where one is."""
    right = _right(view)
    every = (*right, Content(""))
    for ends in (right[:1], every) if view.busy else (every,):
        for left in _lefts(view):
            for middle in (_dots(view), Content("")):
                for end in ends:
                    used = left.cell_length + middle.cell_length + end.cell_length
                    if used + 4 <= width:
                        return _spread(left, middle, end, width)
    least = _lefts(view)[-1].truncate(max(1, width - 1), ellipsis=True)
    return least.pad_right(max(0, width - least.cell_length))


def _spread(left: Content, middle: Content, end: Content, width: int) -> Content:
    room = width - left.cell_length - middle.cell_length - end.cell_length - 1
    if not middle.cell_length:
        return left + Content(" " * room) + end + Content(" ")
    before = min(room - 2, max(3, room // 2))
    return left + Content(" " * before) + middle + Content(" " * (room - before)) + end + Content(" ")


def _lefts(view: View) -> list[Content]:
    """The left part, from long to short."""
    name = joined((" netless", "bold $accent"))
    status = view.status
    if status is None:
        return [name]
    page = status.page
    place = f"{page.number}/{page.of} "
    dot = joined(("  ", ""))
    course, lesson = plain(status.course.title, "$muted"), plain(page.lesson_title, "$muted")
    step = joined((place, "$muted"), (page.title, "bold"))
    arrow = plain(ARROW, "$faint")
    return [
        name + dot + arrow.join([course, lesson, step]),
        name + dot + arrow.join([lesson, step]),
        name + dot + step,
        Content(" ") + step,
    ]


def _dots(view: View) -> Content:
    """The lesson's steps: ● done, ◐ the current one, ○ to come."""
    lesson, current = view.lesson, view.step
    if lesson is None or len(lesson.steps) > 30:
        return Content("")
    marks: list[tuple[str, str]] = []
    for step in lesson.steps:
        if step is current:
            marks.append(("●", "$success") if view.done else ("◐", "$accent"))
        else:
            marks.append(("●", "$success") if step.earned else ("○", "$faint"))
    return joined(*marks)


def _right(view: View) -> list[Content]:
    """The right part, from long to short."""
    status = view.status
    if view.busy:
        return [plain(f"{view.busy} …", "$warning"), plain("…", "$warning")]
    if status is None:
        return [plain("joining the lab …", "$muted")]
    if status.playing:
        return [joined(("play mode", "bold $warning"), (f" · lab {view.lab}", "$muted")), plain("play mode", "bold $warning")]
    return [plain(f"lab {view.lab} · {status.mode}", "$muted"), plain(view.lab, "$muted")]


class HeaderStrip(Widget):
    """Where the learner is; see ``header``."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "HeaderStrip { height: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = View()

    def show(self, view: View) -> None:
        """Paint this view."""
        before, self._view = self._view, view
        if header(before, self.size.width) != header(view, self.size.width) or before.busy != view.busy:
            self.refresh()

    def render(self) -> Content:
        """The line."""
        return header(self._view, self.size.width)
