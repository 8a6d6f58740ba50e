"""Which keys the bar shows in which pane, and which of them would do something now. Pure."""

from __future__ import annotations

from .view import Act, View, can
from .widgets.keybar import Key

ACTS: tuple[tuple[str, str, Act], ...] = (
    ("r", "Run", "run"),
    ("t", "Type it", "type"),
    ("c", "Check", "check"),
    ("h", "Hint", "hint"),
    ("w", "Why", "why"),
    ("b", "Back", "back"),
    ("n", "Next", "next"),
    ("g", "Go to", "goto"),
    ("x", "Reset", "reset"),
    ("d", "Dialect", "dialect"),
    ("p", "Play", "play"),
    ("D", "Drill", "drill"),
)
DRILL: tuple[tuple[str, str, Act], ...] = (
    ("c", "Check", "check"),
    ("h", "Hint", "hint"),
    ("w", "Why", "why"),
    ("m", "Give up", "mend"),
    ("g", "Go to", "goto"),
    ("x", "Reset", "reset"),
)
"""While something is broken on purpose."""
MENDED: tuple[tuple[str, str, Act], ...] = (("m", "Done", "mend"), ("g", "Go to the step that teaches it", "goto"), ("x", "Reset", "reset"))
"""When it is well again."""


def _label(view: View, act: Act, label: str) -> str:
    if act == "play" and view.status is not None and view.status.playing:
        return "Leave play"
    return label


def keys_of(view: View, where: str) -> tuple[Key, ...]:
    """The keys for the pane that has the focus. Those that move between panes stand in the pane's own border."""
    if where == "terminal":
        return (
            Key("ctrl+]", "Leave the terminal", "screen.pane('lesson')"),
            Key("F6", "Next pane", "screen.next_pane(1)"),
            Key("F11", "Zoom", "screen.zoom"),
            Key("", "every other key goes to the shell", "", live=False),
        )
    shown = ACTS if view.fault is None else DRILL if view.broken else MENDED
    acts = tuple(Key(key, _label(view, act, label), f"screen.act('{act}')", can(view, act)) for key, label, act in shown)
    return (
        *acts,
        Key("?", "Help", "screen.help"),
        Key("q", "Quit", "app.leave"),
    )
