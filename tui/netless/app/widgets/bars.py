"""The line at the top and the keys at the foot, always on screen.

The top says where the learner is, how far, and in which lab; what matters least is left out first when room is short. One widget shows all
keys that act: Textual's Footer leaks on every change of focus (textual#6666).
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from ..blocks import joined, plain
from ..view import Act, View, can
from .document import paint


@dataclass(frozen=True)
class Key:
    """One key: what to press, what it does in a word, the action it runs on the screen, and whether it would do something now."""

    key: str
    label: str
    action: str
    live: bool = True


Zone = tuple[int, int, Key]
"""First cell, cell after the last, key."""


def rows_of(keys: tuple[Key, ...], width: int) -> tuple[tuple[Zone, ...], ...]:
    """The keys in rows, none ever left out: set wide apart when that costs no row, else close together."""
    wide, close = (_fill(keys, width, gap) for gap in (2, 1))
    return wide if len(wide) <= len(close) else close


def _fill(keys: tuple[Key, ...], width: int, gap: int) -> tuple[tuple[Zone, ...], ...]:
    rows: list[list[Zone]] = [[]]
    x = 1
    for key in keys:
        size = len(f"{key.key} {key.label}".strip())
        if rows[-1] and x + size > width:
            rows.append([])
            x = 1
        rows[-1].append((x, x + size, key))
        x += size + gap
    return tuple(tuple(row) for row in rows)


class KeyBar(Widget):
    """Keys in rows; a click does what the key does."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "KeyBar { height: auto; }"

    def __init__(self, keys: tuple[Key, ...] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys

    def show(self, keys: tuple[Key, ...]) -> None:
        """Show these keys."""
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def rows_at(self, width: int) -> int:
        """How many rows the keys take at a width."""
        return len(rows_of(self._keys, width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the keys need."""
        return self.rows_at(width)

    def render_line(self, y: int) -> Strip:
        """One row of keys."""
        rows = rows_of(self._keys, self.size.width)
        content = _row(rows[y]) if y < len(rows) else Content("")
        return paint(content, self.visual_style, self._get_style, self.size.width)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        rows = rows_of(self._keys, self.size.width)
        for start, end, key in rows[event.y] if 0 <= event.y < len(rows) else ():
            if start <= event.x < end and key.live:
                await self.screen.run_action(key.action)


def _row(row: tuple[Zone, ...]) -> Content:
    parts: list[Content] = []
    at = 0
    for start, end, key in row:
        parts.append(Content(" " * (start - at)))
        live = joined((key.key, "bold $accent"), f" {key.label}")
        parts.append(live if key.live else joined((f"{key.key} {key.label}".strip(), "$faint")))
        at = end
    return Content("").join(parts)


ACTS: tuple[tuple[str, str, Act], ...] = (
    ("r", "Run", "run"), ("t", "Type it", "type"), ("c", "Check", "check"), ("h", "Hint", "hint"), ("w", "Why", "why"), ("b", "Back", "back"),
    ("n", "Next", "next"), ("g", "Go to", "goto"), ("x", "Reset", "reset"), ("d", "Dialect", "dialect"), ("p", "Play", "play"), ("D", "Drill", "drill"),
)  # fmt: skip
PLAYING: tuple[tuple[str, str, Act], ...] = tuple((key, "Leave play" if act == "play" else label, act) for key, label, act in ACTS)
"""While nothing is judged."""
DRILL: tuple[tuple[str, str, Act], ...] = (
    ("c", "Check", "check"), ("h", "Hint", "hint"), ("w", "Why", "why"), ("m", "Give up", "mend"), ("g", "Go to", "goto"), ("x", "Reset", "reset"),
)  # fmt: skip
"""While something is broken on purpose."""
MENDED: tuple[tuple[str, str, Act], ...] = (("m", "Done", "mend"), ("g", "Go to the step that teaches it", "goto"), ("x", "Reset", "reset"))
"""When it is well again."""


def keys_of(view: View, where: str) -> tuple[Key, ...]:
    """The keys for the pane that has the focus. Those that move between panes stand in the pane's own border."""
    if where == "terminal":
        return (
            Key("ctrl+]", "Leave the terminal", "screen.pane('lesson')"),
            Key("F6", "Next pane", "screen.next_pane(1)"),
            Key("F11", "Zoom", "screen.zoom"),
            Key("", "every other key goes to the shell", "", live=False),
        )
    if view.fault is not None:
        shown = DRILL if view.broken else MENDED
    else:
        shown = PLAYING if view.status is not None and view.status.playing else ACTS
    acts = (Key(key, label, f"screen.act('{act}')", can(view, act)) for key, label, act in shown)
    return (*acts, Key("?", "Help", "screen.help"), Key("q", "Quit", "app.leave"))


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
