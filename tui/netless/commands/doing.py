"""What each command of the table does, by its id. Imported when the first one is done, and with it all that they need."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Final

from ..desk.desk import Desk
from . import drills, keeping, packets, panes, steps, terminals, time
from .stage import Stage

Do = Callable[[Desk, Stage], Coroutine[object, None, None]]
DO: Final[Mapping[str, Do]] = {
    "run": steps.run,
    "type": terminals.type_it,
    "check": steps.check,
    "hint": steps.hint,
    "why": packets.why,
    "back": time.back,
    "next": steps.onward,
    "goto": time.goto,
    "reset": time.reset,
    "dialect": steps.next_dialect,
    "play": time.play,
    "drill": drills.drill,
    "mend": drills.mend,
    "shells": terminals.shells,
    "help": panes.show_help,
    "quit": panes.leave,
    "commands": panes.find,
    "pane.next": panes.after,
    "pane.before": panes.before,
    "pane.back": panes.back,
    "zoom": panes.zoom,
    "copy": terminals.copy,
    "courses": time.courses,
    "pane.lesson": panes.lesson,
    "pane.network": panes.network,
    "pane.terminal": terminals.enter,
    "pane.packets": panes.packets,
    "pane.changes": panes.changes,
    "theme": panes.turn_theme,
    "packets.follow": packets.follow,
    "packets.save": keeping.save_packets,
    "packets.seek": packets.seek,
    "packets.bytes": packets.choose_hop,
    "export": keeping.export,
    "screenshot": keeping.keep_screen,
    "record": keeping.record,
}
"""Command -> what is done at a desk, on a stage."""
