"""Terminal bytes: any of them may be fed, in any pieces and sizes; nothing raises, and every store stays under its cap."""

from __future__ import annotations

from random import Random

from fuzz.mutate import flipped
from fuzz.target import Given, Target, steady
from netless.vt.style import STYLE_LIMIT
from netless.vt.terminal import PENDING_LIMIT, Terminal

SEQUENCES = tuple(
    text.encode() for text in (
        "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1b(0", "\x1b#8", "\x1bc", "\x1b7", "\x1b8", "\x1bM", "\x9b", "\x9d", "\x90", "\x9c", "\x07",
        "\x1b\\", "\r\n", "\t", "\b", "\x0e", "\x0f", "\x1b[?1049h", "\x1b[?1049l", "\x1b[6n", "\x1b[c", "\x1b[>c", "\x1b[999999999;999999999H",
        "\x1b[99999999@", "\x1b[99999999P", "\x1b[99999999L", "\x1b[99999999M", "\x1b[99999999X", "\x1b[99999999b", "\x1b[5;2r", "\x1b[2;5r", "\x1b[3g",
        "\x1b[?6h", "\x1b[?7l", "\x1b[4h", "\x1b[38;2;1;2;3m", "\x1b[38;5;999m", "\x1b[38:2::1:2:3m", "\x1b[99999999S", "\x1b[99999999T", "\x1b[9999I",
        "\x1b[9999Z", "\x1b]0;", "\x1b]8;;http://x", "\x1b]52;c;", "\x1b]133;A", "\x1b]133;D;999999999999999999999", "\x1b]633;", "\x1b[!p", "\x1b[18t",
        "\x1b[8;9999;9999t", "\x1b[?2004h", "\x1b[200~", "漢", "e\u0301", "\u200d", "\u202e", "\ufe0f", "\u0301" * 50, "x" * 81, "line\r\n" * 40,
    )
)  # fmt: skip
SIZES = ((80, 24), (0, 0), (1, 1), (2, 200), (200, 2), (5000, 3000))
_SCROLLBACK = 100


def make(dice: Random) -> Given:
    """A stream of sequences, words and garbage; its first byte chooses pieces and sizes."""
    parts = [dice.choice(SEQUENCES) if dice.random() < 0.6 else dice.randbytes(dice.randint(1, 12)) for _ in range(dice.choice((5, 50, 300)))]
    if dice.random() < 0.05:
        parts.append(dice.choice((b"\x1b]", b"\x1b[", b"\x1bP")) + b"1;" * dice.choice((1000, 60_000)))
    return Given(bytes([dice.randrange(256)]) + flipped(b"".join(parts), dice))


def check(given: Given) -> None:
    """Fed in pieces, with a change of size between them."""
    how, data = given.data[0] if given.data else 0, given.data[1:].decode(errors="surrogateescape" if given.data[:1] < b"\x20" else "replace")
    replies: list[str] = []
    terminal = Terminal(80, 24, _SCROLLBACK, reply=replies.append)
    piece = (1, 7, 100, 1 << 20)[how % 4] if len(data) < 5000 else 4096
    for at in range(0, len(data), piece):
        terminal.feed(data[at : at + piece])
        assert terminal.held <= PENDING_LIMIT
        if at and how % 5 == 0 and at // piece % 50 == 0:
            terminal.resize(*SIZES[(at // piece // 50 + how) % len(SIZES)])
    page = terminal.screen.main
    assert len(page.history) <= _SCROLLBACK and len(terminal.screen.styles) <= 2 * STYLE_LIMIT
    for row in (*page.history, *page.rows):
        assert isinstance(row.plain, str)
    assert all(reply.isascii() for reply in replies), "what the child says is never sent back to it"


TARGET = Target("terminal", make, steady(check))
