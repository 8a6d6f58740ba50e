"""The panes of the main screen, each declared once: where it goes, its widget, what in it takes the focus, which place that is, and its title.

A pane more in one of the groups that there are is one line more here. A group of its own is a word more of ``commands.stage.Pane``, and a
command that goes there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from textual.widget import Widget

from ...commands.stage import Pane, Where
from ...say.tabs import PACKETS, Fixed, lower_tabs
from ...say.text import Text, plain
from ..geometry import LEFT, RIGHT, PaneSpec, Share
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
