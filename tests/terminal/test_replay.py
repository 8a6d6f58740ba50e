"""What was printed before is shown again: from a place where it can begin, in the modes it was printed in, and nobody is answered twice."""

from __future__ import annotations

import random

import pytest

from netless.vt import Terminal
from netless.vt.replay import at_prompt, pieces, switches

PARTS = (
    "one line\r\n", "\x1b[31mred\x1b[0m ", "日本語", "é", "\x1b]0;title\x07", "\x1b[2004h", "\x1b[2004l", "\x1b[?25l", "\x1b[?25h", "\x1b[?1000h", "\x1b[?1003h",
    "\x1b[?1000l", "\x1b[?1h", "\x1b[?7l", "\x1b=", "\x1b[5;7H", "\x1b[2J", "\x1b[?1049h", "\x1b[?1049l", "\x1b[?1006h", "\x1b[?1004h", "\x1b[4;9r", "\x1b[6n", "\a",
)  # fmt: skip


def shown(output: bytes, whole: bool = True, stood: bytes = b"") -> Terminal:
    """A terminal that was given all of it."""
    own = Terminal(40, 12)
    own.feed(b"".join(pieces(output, whole, stood)).decode(errors="replace"))
    return own


def test_a_whole_output_is_shown_as_it_is() -> None:
    """From its first byte, in pieces."""
    output = "".join(f"line {number} äöü\r\n" for number in range(5000)).encode()
    assert b"".join(pieces(output, True, b"\x1b[?25l")) == output
    assert len(list(pieces(output, True, b""))) > 5
    assert list(pieces(b"", True, b"")) == []


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        (b"rest of a line\r\nwhole", b"whole"),
        (b";31mred\x1b[32mgreen", b"\x1b[32mgreen"),
        (b"\xa4\xb6text", b"\xa4\xb6text"),
        (b"x" * 5000 + b"\r\nlate\x1b[m", b"\x1b[m"),
    ],
)  # fmt: skip
def test_a_part_begins_at_a_clean_place(output: bytes, begins: bytes) -> None:
    """Behind the first line, or where an escape sequence begins when lines are as rare as on a whole screen."""
    assert b"".join(pieces(output, False, b"")) == begins


@pytest.mark.parametrize(
    ("output", "stood", "over"),
    [
        (b"\nabc", b"\x1b[?1049h", True),
        (b"\nabc", b"", False),
        (b"\nabc\x1b[?1049hdef", b"\x1b[?1049h", False),
        (b"\nabc\x1b[?1049ldef", b"", True),
        (b"\nabc\x1b[?1049ldef\x1b[?1049h", b"\x1b[?1049h", True),
    ],
)  # fmt: skip
def test_a_part_begins_on_the_page_it_was_printed_on(output: bytes, stood: bytes, over: bool) -> None:
    """The first turn of the page tells which that was; without any it is the one that is seen at the end."""
    own = Terminal(40, 12)
    own.feed(next(pieces(output, False, stood)).decode())
    assert own.screen.alternate_active == over


@pytest.mark.parametrize("seed", range(40))
def test_modes_are_as_they_were(seed: int) -> None:
    """Whatever was switched, long ago or lately: a part of the output, with how it stood at its end, leads to the same modes and the same page."""
    chance = random.Random(seed)
    output = "".join(chance.choice(PARTS) for _ in range(200)).encode()
    whole = shown(output)
    part = shown(b"cut\n" + output[chance.randrange(len(output)) :], False, switches(whole.screen))
    assert part.screen.alternate_active == whole.screen.alternate_active
    assert part.screen.modes == whole.screen.modes
    assert len(switches(whole.screen)) < 111


def test_nobody_is_answered_twice() -> None:
    """A terminal answers and tells only those it was told of, from then on."""
    told: list[object] = []
    own = shown(b"\x1b[c\x1b[6n\x1b]11;?\x07\x07\x1b]133;B\x07")
    own.tell(told.append, told.append)
    assert told == []
    own.feed("\x1b[6n")
    assert told == ["\x1b[1;1R"]


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ("\x1b]133;A\x07host# \x1b]133;B\x07", True),
        ("\x1b]133;A\x07host# \x1b]133;B\x07echo hal", True),
        ("\x1b]133;A\x07host# \x1b]133;B\x07sleep 9\r\n", False),
        ("\x1b]133;A\x07host# \x1b]133;B\x07x\x1b]133;C\x07", False),
        ("text without marks", False),
        ("", False),
    ],
)  # fmt: skip
def test_whether_a_shell_waits_for_a_line(text: str, waits: bool) -> None:
    """Only behind a prompt, and as long as nobody pressed Enter there."""
    assert at_prompt(text) is waits
