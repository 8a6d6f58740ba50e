"""The terminal model as a stream: where the reading cuts makes no difference, broken input does no harm, questions are answered."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from netless.vt import Bell, CommandStarted, Event, PromptShown, Terminal, Title
from netless.vt.terminal import PENDING_LIMIT
from terminal.sequences import random_output
from terminal.tmux import pane_of


def fed(*pieces: str, columns: int = 20, height: int = 5) -> Terminal:
    """A terminal after these pieces of output."""
    terminal = Terminal(columns, height, 100)
    for piece in pieces:
        terminal.feed(piece)
    return terminal


def events_of(*pieces: str) -> list[Event]:
    """What a terminal reported."""
    seen: list[Event] = []
    terminal = Terminal(20, 5, event=seen.append)
    for piece in pieces:
        terminal.feed(piece)
    return seen


def answers_to(question: str, prepare: Callable[[Terminal], object] = lambda terminal: None) -> str:
    """What a terminal answered."""
    answers: list[str] = []
    terminal = Terminal(20, 5, reply=answers.append)
    prepare(terminal)
    terminal.feed(question)
    return "".join(answers)


@pytest.mark.parametrize("seed", range(200))
def test_cuts_make_no_difference(seed: int) -> None:
    """One character at a time ends as all at once does."""
    output = random_output(seed)
    assert pane_of(fed(*output)) == pane_of(fed(output))


@pytest.mark.parametrize("seed", range(50))
def test_never_raises(seed: int) -> None:
    """Random bytes, decoded as they come, of any size of screen."""
    random = Random(seed)
    terminal = Terminal(random.randint(1, 90), random.randint(1, 30), random.choice((0, 5, 100)))
    for _ in range(40):
        terminal.feed(random.randbytes(400).decode("utf-8", "replace"))
        terminal.feed("\x1b" + random.choice("[]P(#") + "".join(chr(random.randrange(0x18, 0x7F)) for _ in range(random.randrange(9))))
        terminal.resize(random.randint(1, 90), random.randint(1, 30))
        assert len(terminal.screen.rows) == terminal.screen.height
        assert 0 <= terminal.screen.x < terminal.screen.columns
        assert 0 <= terminal.screen.y < terminal.screen.height


def test_endless_string_is_thrown_away() -> None:
    """An OSC that never ends holds no more than the limit; after its terminator the stream goes on."""
    terminal = fed("\x1b]0;", *["x" * 10_000] * 50)
    assert terminal.held <= PENDING_LIMIT
    assert terminal.screen.text.strip() == ""
    terminal.feed("more\x1b\\shown")
    assert terminal.screen.rows[0].plain == "shown"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("\x1b[12\x18X", "X"),
        ("\x1b[12\x1b[1mX", "X"),
        ("\x1b]2;title\x1b[1mX", "X"),
        ("\x1bPpayload\x1b\\X", "X"),
        ("\x1b[>4;2mX", "X"),
        ("\x1b[?2026$pX", "X"),
        ("\x1b[1\b2CX", " " * 12 + "X"),
        ("\x1b(0lqk\x1b(Bl", "┌─┐l"),
        ("a\x1b[3bX", "aaaaX"),
        ("\x9b\x80X", "X"),
    ],
)
def test_odd_sequences(output: str, shown: str) -> None:
    """Aborted, private, unknown and interrupted sequences leave only what is meant to be seen."""
    assert fed(output).screen.rows[0].plain == shown


@pytest.mark.parametrize("final", [chr(code) for code in range(0x40, 0x7F)])
@pytest.mark.parametrize("number", ["-5", "+5", " 5", "1;-2", "?-1", "<>1"])
def test_what_is_no_number_does_nothing(number: str, final: str) -> None:
    """A sequence that ECMA-48 does not have, such as "delete minus five rows", changes nothing and is not answered."""
    answers: list[str] = []
    terminal = Terminal(20, 6, reply=answers.append)
    terminal.feed("a\r\nb\r\nc\r\nd\r\ne\r\nf\x1b[4;2H")
    before = pane_of(terminal)
    terminal.feed(f"\x1b[{number}{final}")
    assert (pane_of(terminal), answers) == (before, [])
    terminal.feed("\r\n" * 9)
    assert len(terminal.screen.rows) == 6


def test_background_colour_erase() -> None:
    """Cells erased with a background colour keep the colour and lose the rest of the look."""
    terminal = fed("\x1b[1;4;44mab\x1b[K")
    spans = terminal.screen.rows[0].spans()
    assert [text for text, _ in spans] == ["ab", " " * 18]
    blank = terminal.screen.styles[spans[1][1]]
    assert (blank.fg, blank.bg, blank.flags) == (None, 4, 0)


def test_floods_are_drawn_as_single_lines_are() -> None:
    """The shortcut for plain lines ends exactly where drawing them one by one ends: text, looks, scrollback, cursor."""
    lines = [f"line {n} " + "=" * (n % 50) for n in range(300)]
    for before in ("", "\x1b[31m", "\x1b[41m", "\x1b[2;4r", "\x1b[?7l", "old\x1b[5;1Hbottom\x1b[5;3H", "\x1b[?1049h", "\x1b[4h"):
        whole = fed(before + "".join(line + "\r\n" for line in lines))
        single = fed(before, *(piece for line in lines for piece in (line, "\r", "\n")))
        assert pane_of(whole) == pane_of(single), before
        assert [row.plain for row in whole.screen.main.history] == [row.plain for row in single.screen.main.history]
        assert whole.screen.main.pushed == single.screen.main.pushed


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("\x1b[5n", "\x1b[0n"),
        ("\x1b[3;4H\x1b[6n", "\x1b[3;4R"),
        ("\x1b[2;4r\x1b[?6h\x1b[6n", "\x1b[1;1R"),
        ("\x1b[c", "\x1b[?62;22c"),
        ("\x1b[>c", "\x1b[>41;0;0c"),
        ("\x1b[18t", "\x1b[8;5;20t"),
        ("\x1b[?2004$p", "\x1b[?2004;2$y"),
        ("\x1b[?2004h\x1b[?2004$p", "\x1b[?2004;1$y"),
        ("\x1b[?1049h\x1b[?1049$p", "\x1b[?1049;1$y"),
        ("\x1b[?77777$p", "\x1b[?77777;0$y"),
        ("\x1b]10;?\x07\x1b]11;?\x1b\\", "\x1b]10;rgb:e0e0/e0e0/e0e0\x1b\\\x1b]11;rgb:1212/1212/1212\x1b\\"),
        ("\x1b]52;c;?\x07\x1b[21t\x1b]50;?\x07", ""),
    ],
)
def test_questions(question: str, answer: str) -> None:
    """The questions programs ask are answered as xterm's ctlseqs say; for the clipboard and the title there is no answer."""
    assert answers_to(question) == answer


def test_events() -> None:
    """Bells, titles and the shell's marks are reported in order; other marks are not."""
    assert events_of("\x07\x1b]2;a title\x07") == [Bell(), Title("a title")]
    marks = "\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C;aid=1\x07out\r\n\x1b]133;D;2\x07"
    assert events_of(*marks) == [PromptShown(), CommandStarted()]
    assert events_of("\x1b]133\x07\x1b]133;\x07\x1b]133;;\x07\x1b]133;BC\x07\x1b]633;B\x07") == []


def test_texts_of_the_child_are_cut() -> None:
    """A title of a megabyte is kept to a few thousand characters."""
    (title,) = events_of("\x1b]2;" + "t" * 50_000 + "\x07")
    assert isinstance(title, Title)
    assert len(title.text) == 4096
