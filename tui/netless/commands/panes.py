"""Moving about: from pane to pane, in and out of them, to the small windows, and out."""

from __future__ import annotations

from ..desk.desk import Desk
from ..say.passing import NO_WAY_BACK
from .stage import Stage


async def lesson(desk: Desk, stage: Stage) -> None:
    """The lesson and its check."""
    stage.show_pane("lesson")


async def network(desk: Desk, stage: Stage) -> None:
    """The picture."""
    stage.show_pane("network")


async def packets(desk: Desk, stage: Stage) -> None:
    """The log of packets."""
    stage.show_log("packets")


async def changes(desk: Desk, stage: Stage) -> None:
    """The log of changes."""
    stage.show_log("changes")


async def after(desk: Desk, stage: Stage) -> None:
    """The next pane."""
    stage.next_pane(1)


async def before(desk: Desk, stage: Stage) -> None:
    """The pane before."""
    stage.next_pane(-1)


async def back(desk: Desk, stage: Stage) -> None:
    """Where one was before."""
    if not stage.go_back():
        desk.tell("info", NO_WAY_BACK)


async def zoom(desk: Desk, stage: Stage) -> None:
    """This pane alone, or all of them."""
    stage.zoom()


async def turn_theme(desk: Desk, stage: Stage) -> None:
    """The next theme."""
    stage.turn_theme()


async def show_help(desk: Desk, stage: Stage) -> None:
    """The keys that act here."""
    await stage.windows.show_help(stage.where)


async def leave(desk: Desk, stage: Stage) -> None:
    """Quit."""
    await stage.leave()


async def find(desk: Desk, stage: Stage) -> None:
    """Choose from all there is."""
    stage.find()
