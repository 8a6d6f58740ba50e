"""Help for the view it was asked from: the keys that act there, and what the marks on the screen mean."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content

from ..blocks import EMPTY, Block, Blocks, joined, plain
from ..pages.lesson import legend
from ..toolkit import bound
from ..widgets.bars import Key
from .panel import SCROLL, Panel

TUTOR: tuple[tuple[str, str], ...] = (
    ("r", "run: the tutor does the step for you, then judges it"),
    ("t", "type it: the commands at the prompt, you press Enter"),
    ("c", "check: judge the step now; every change is judged anyway"),
    ("h", "hint: one more rung of help; the last is the command"),
    ("w", "why: where the last packet died, and the likely cause"),
    ("b", "back: undo your last change, or the last step"),
    ("n", "next: on to the next step"),
    ("g", "go to the start or end of any step; the lab is rebuilt"),
    ("x", "reset the step, the lesson or the lab; it asks first"),
    ("d", "dialect of the commands: ip, legacy, pyroute2"),
    ("p", "play: judging pauses; leaving restores the step exactly"),
    ("D", "drill: something is broken on purpose, and you find it"),
    ("m", "in a drill: give up, or done: back to the lesson"),
    ("y", "copy the commands; a click on one copies it alone"),
    ("Esc", "courses and progress"),
    ("q", "quit; your progress is kept"),
)
MOVING: tuple[tuple[str, str], ...] = (
    ("F6 Tab", "next pane"),
    ("F1 - F5", "lesson, network, terminal, packets, changes"),
    ("F11 z", "this pane alone, or all of them"),
    ("ctrl+]", "out of the terminal, back to the tutor"),
)
BY_PANE: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "network": (
        "In the picture",
        (
            ("arrows", "from part to part: address, MAC, mtu, state, routes"),
            ("click", "the same; hold the mouse over a part for a short look"),
            ("space . a", "a moving packet: hold, one cell, again"),
        ),
    ),
    "packets": (
        "In the packets",
        (
            ("f", "follow your own packets as well, or stop"),
            ("s", "save what is kept as pcapng, for Wireshark"),
            ("/", "show only packets with some words"),
            ("Enter", "choose a hop: its bytes, layer by layer; or click it"),
        ),
    ),
    "changes": (
        "In the changes",
        (("e", "export the session: a shell script and Markdown notes"), ("arrows", "scroll back; End follows again")),
    ),
    "terminal": ("In the terminal", (("all keys", "go to the shell, except ctrl+], F6 and F11"),)),
}
PORTS: tuple[tuple[str, str, str], ...] = (
    ("●", "$success", "up, and the other end is up as well"),
    ("◐", "$warning", "up, but no carrier: the other end is down"),
    ("○", "$muted", "down"),
    ("✗", "bold $error", "a packet died here, or a claim does not hold"),
    ("»", "bold $accent", "more works than the step asks for: you are ahead"),
    ("-", "$accent", "it cannot be told; below stands what decided"),
    ("║", "bold $bridge", "a bridge; its ports branch off it"),
)
GATES: tuple[tuple[str, str, str], ...] = (
    ("[fwd]", "bold $success", "a gate on the way out, open: forwarding, firewall, NAT"),
    ("[fwd✗]", "bold $error", "a closed gate: packets die here"),
    ("╌╌", "$faint", "part of the goal, not built yet"),
)


class HelpScreen(Panel[None]):
    """Keys and marks."""

    TITLE_TEXT = "Help"
    KEYS = (Key("Esc", "Close", "screen.close"), SCROLL)
    BINDINGS: ClassVar[list[BindingType]] = bound({"question_mark,q": "close"})

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def text(self, width: int) -> Blocks:
        """The help of a pane."""
        blocks: list[Block] = []
        if self._where in BY_PANE:
            title, keys = BY_PANE[self._where]
            blocks += [*_section(title, keys), EMPTY]
        blocks += [*_section("Keys", TUTOR), EMPTY, *_section("Moving about", MOVING), EMPTY]
        blocks += [Block(plain("Marks in the picture", "bold"))]
        blocks += [Block(plain(text), first=joined((glyph.ljust(10), style))) for glyph, style, text in (*PORTS, *GATES)]
        blocks += [EMPTY, Block(plain("Marks in the list of steps", "bold"))]
        blocks += [Block(block.content, first=block.first + Content(" " * 8)) for block in legend()]
        return tuple(blocks)


def _section(title: str, keys: tuple[tuple[str, str], ...]) -> list[Block]:
    return [Block(plain(title, "bold")), *(Block(plain(text), first=joined((key.ljust(10), "bold $accent"))) for key, text in keys)]
