"""The panes of the main screen, each declared once: where it goes, its widget, what in it takes the focus, which place that is, and its title;
and what stands in their borders.

A pane more in one of the groups that there are is one line more here. A group of its own is a word more of ``commands.stage.Pane``, and a
command that goes there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from textual.widget import Widget

from ...commands.stage import Pane, Where
from ...commands.table import BY_ID, Keymap, key_of
from ...say.tabs import PACKETS, Fixed, all_tabs, lower_tabs
from ...say.text import BLANK, Text, joined, plain
from ..geometry import LEFT, RIGHT, Frame, PaneSpec, Share
from ..keys import hints
from ..widgets.document import retitle
from ..widgets.lesson import CheckPane, LessonPane
from ..widgets.lower import Lower
from ..widgets.picture import Picture

BORDER, PADDING = 2, 2
"""Cells a pane's border and its padding take, both sides together."""
CORNERS: Final = 6
"""Cells of a border that a title leaves free."""


class Placed(NamedTuple):
    """One pane; its ``target`` takes the focus, and ``where`` says which place that is.

    The first of a group has a ``title``, for a pane of so many cells, where all are in sight; where a group stands alone its title is every pane
    as a tab, with its own ``tab`` chosen. A pane without a title words its own.
    """

    spec: PaneSpec
    widget: Widget
    target: Callable[[], Widget]
    where: Callable[[], Where]
    tab: Callable[[], Fixed | str] = lambda: ""
    title: Callable[[int], Text] | None = None


class Panes(tuple[Placed, ...]):
    """All of them, in the order one goes round."""

    @property
    def groups(self) -> tuple[Pane, ...]:
        """What can be shown alone, in that order."""
        return tuple(dict.fromkeys(pane.spec.group for pane in self))

    def first(self, group: Pane) -> Placed:
        """The pane that a group begins with: whoever goes there goes to it."""
        return next(pane for pane in self if pane.spec.group == group)

    def around(self, widget: Widget | None) -> Placed:
        """The pane in which a widget is; the first when it is in none."""
        return next((pane for pane in self if widget is not None and pane.widget in widget.ancestors_with_self), self[0])


def main_panes(lesson: LessonPane, check: CheckPane, picture: Picture, lower: Lower) -> Panes:
    """Lesson and check left, picture and lower pane right."""

    def wanted_check(width: int) -> int:
        return check.rows_at(width - BORDER - PADDING) + BORDER

    def brief_picture(width: int) -> int:
        return picture.brief_rows(width - PADDING)

    def wanted_picture(width: int) -> int:
        return picture.wanted_rows(width - BORDER) + BORDER

    def lower_where() -> Where:
        return "terminal" if lower.in_terminal else "packets" if lower.tab == PACKETS else "changes"

    return Panes((
        Placed(
            PaneSpec("lesson", "lesson", LEFT), lesson, lambda: lesson.prose, lambda: "lesson",
            lambda: Fixed.LESSON, lambda width: plain("Lesson" if lesson.teaches else "Drill"),
        ),
        Placed(PaneSpec("check", "lesson", LEFT, share=Share(side=55, alone=45), want=wanted_check), check, lambda: check, lambda: "check"),
        Placed(
            PaneSpec("network", "network", RIGHT, least=8, share=Share(side=48, alone=100), want=wanted_picture, brief=brief_picture),
            picture, lambda: picture,
            lambda: "network", lambda: Fixed.NETWORK, lambda width: plain("Network"),
        ),
        Placed(
            PaneSpec("lower", "lower", RIGHT, least=5), lower, lambda: lower.current, lower_where,
            lambda: lower.tab, lambda width: lower_tabs(lower.tab, lower.nodes, lower.fresh, width - CORNERS),
        ),
    ))  # fmt: skip


class Titles:
    """What stands in the borders: of what each pane is, and of where the focus is the keys."""

    def __init__(self, panes: Panes, lower: Lower, keymap: Keymap) -> None:
        self._panes = panes
        self._lower = lower
        self._keymap = keymap
        self._tab_keys = {tab: key_of(BY_ID[f"pane.{tab}"], keymap) for tab in ("terminal", *(own.value for own in Fixed))}

    def show(self, frame: Frame, width: int, focused: Placed, *, zoomed: bool, following: bool) -> None:
        """Where all panes are in sight each has its own title, else that of a group is every pane as a tab. ``width`` is the whole screen's, in cells;
        ``following``: that the learner's own packets are followed.
        """
        where = focused.where()
        keys = {} if where == "terminal" else self._tab_keys
        for pane in self._panes:
            if pane.title is None:
                continue
            box = frame.boxes.get(pane.spec.id)
            room = box.width if box is not None else width
            title = pane.title(room) if frame.side else all_tabs(pane.tab(), self._lower.nodes, self._lower.fresh, room - CORNERS, keys)
            here = pane.spec.group == focused.spec.group
            retitle(pane.widget, title, self._keys(where, room - BORDER - PADDING, zoomed=zoomed, following=following) if here else BLANK)

    def _keys(self, where: Where, room: int, *, zoomed: bool, following: bool) -> Text:
        """The keys that move between panes, and those of a log; in a terminal its own."""
        if where == "terminal":
            terminal = self._lower.shown_terminal
            return joined((terminal.keys_hint if terminal else "", "muted"))
        own = self._of_log(where, following)
        moves = hints("pane.next", "zoom", keymap=self._keymap, zoom="all panes" if zoomed else "zoom")
        return own + moves if not own or own.cells + moves.cells <= room else own.cut(room)

    def _of_log(self, where: Where, following: bool) -> Text:
        if where == "changes":
            return hints("export", keymap=self._keymap, end="  ")
        if where != "packets":
            return BLANK
        sought = self._lower.packets.sought
        follow, seek = "stop" if following else "follow mine", f"only {sought}" if sought else "filter"
        return hints("packets.follow", "packets.save", "packets.seek", "packets.bytes", keymap=self._keymap, end="  ", follow=follow, seek=seek)
