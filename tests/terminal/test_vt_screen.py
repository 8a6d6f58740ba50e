"""The terminal model's screen: sizes, scrollback, widths, selections, keys."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from rich.cells import get_character_cell_size
from textual import events
from textual._xterm_parser import XTermParser

from netless.vt import Terminal
from netless.vt.drawing import WidthTable, standard_width
from netless.vt.keys import encode_command, encode_key, encode_mouse, encode_paste
from netless.vt.page import Page
from netless.vt.row import Row
from netless.vt.style import STYLE_LIMIT, Attr, StyleTable
from netless.vt.viewport import Position, Selection, Viewport, line_at, step, word_at


def test_rows_survive_freezing() -> None:
    """Frozen and thawed again, a row holds the same cells and looks, wide characters and marks included."""
    random = Random(1)
    for _ in range(300):
        terminal = Terminal(30, 1)
        for _ in range(8):
            place, look = random.randint(1, 30), random.choice((0, 1, 31, 44))
            terminal.feed(f"\x1b[{place}G\x1b[{look}m" + random.choice(("abc", "中文", "e\u0301", " ")))
        row = terminal.screen.rows[0]
        before, plain = row.spans(), row.plain
        row.freeze()
        assert row.plain == plain
        assert "".join(text for text, _ in before).rstrip() == "".join(text for text, _ in row.spans()).rstrip()
        cells, styles = row.thaw(30)
        assert len(cells) == len(styles) == 30
        assert row.spans() == before


def test_growing_and_shrinking() -> None:
    """Rows that leave at the top when the screen shrinks come back when it grows; the cursor stays on its line."""
    terminal = Terminal(20, 10, 100)
    terminal.feed("".join(f"{n}\r\n" for n in range(9)) + "prompt")
    terminal.resize(20, 4)
    assert terminal.screen.text.split("\n") == ["6", "7", "8", "prompt"]
    assert terminal.screen.y == 3
    terminal.resize(20, 10)
    assert terminal.screen.text.split("\n") == [*map(str, range(9)), "prompt"]
    assert terminal.screen.y == 9


def test_shrinking_under_a_full_screen_program() -> None:
    """The main screen keeps the line of its waiting cursor while a full-screen program is shrunk."""
    terminal = Terminal(20, 10, 100)
    terminal.feed("".join(f"{n}\r\n" for n in range(9)) + "prompt\x1b[?1049hfull")
    terminal.resize(20, 5)
    terminal.feed("\x1b[?1049l!")
    assert terminal.screen.rows[terminal.screen.y].plain == "prompt!"


def test_width_by_the_painter() -> None:
    """Every character takes as many cells here as the painter gives it, for text of every width."""
    text = "aé中ｶ한─│█\u0301★⚠\u200b①○"
    for character in text:
        terminal = Terminal(20, 2, width=get_character_cell_size)
        terminal.feed("x" + character)
        assert terminal.screen.x == 1 + get_character_cell_size(character), hex(ord(character))


def test_default_width_and_its_memory() -> None:
    """Without a painter the Unicode database counts; the table of known characters stays small."""
    assert [standard_width(character) for character in "a中\u0301\u00adｱ"] == [1, 2, 0, 1, 1]
    table = WidthTable(standard_width)
    for code in range(0x4E00, 0x4E00 + 20_000):
        assert table[chr(code)] == 2
    assert len(table) <= 8192


def test_styles_are_bounded() -> None:
    """Beyond the limit colours become palette colours, and the number of looks stays fixed."""
    table = StyleTable()
    for n in range(3 * STYLE_LIMIT):
        table.number(Attr(fg=(n & 255, n >> 8, 7)))
    assert len(table) <= 2 * STYLE_LIMIT
    number = table.number(Attr(fg=(250, 3, 3)))
    assert table[number].fg in (196, (250, 3, 3))


def numbered(height: int, total: int, scrollback: int) -> Viewport:
    """A view on a page with lines 0, 1, 2..."""
    terminal = Terminal(10, height, scrollback)
    terminal.feed("\r\n".join(map(str, range(total))))
    return Viewport(terminal.screen.main)


def test_viewport() -> None:
    """It follows the end, stays on its lines when scrolled back, and stops at the oldest line."""
    view = numbered(5, 50, 20)
    page: Page = view.page
    assert (view.first, view.top, view.last) == (25, 45, 49)
    assert view.scroll(-10)
    top = view.row(view.top)
    assert top is not None
    assert top.plain == "35"
    page.scroll_up(3, 0)
    same = view.row(view.top)
    assert same is not None
    assert same.plain == "35"
    view.scroll(-1000)
    assert view.top == view.first
    assert not view.scroll(-1)
    view.scroll(1000)
    assert view.following


def test_selection_text() -> None:
    """A selection reads the same in both directions, and what scrolled away is left out."""
    view = numbered(5, 50, 20)
    there = Selection(Position(46, 0), Position(48, 1))
    back = Selection(Position(48, 1), Position(46, 0))
    assert there.text(view) == back.text(view) == "46\n47\n48"
    assert Selection(Position(0, 0), Position(25, 9)).text(view) == "25"
    assert there.columns(47, 10) == (0, 10)
    assert there.columns(49, 10) is None


def test_words_and_lines() -> None:
    """Addresses and paths are words; a folded line is one line; keys step over line ends."""
    terminal = Terminal(10, 4)
    terminal.feed("ip 10.0.0.1/24 x\r\n中文 a")
    view = Viewport(terminal.screen.main)
    assert word_at(view, Position(0, 4)).text(view) == "10.0.0."
    assert word_at(view, Position(2, 1)).text(view) == "中文"
    assert word_at(view, Position(2, 4)).text(view) == ""
    assert line_at(view, Position(1, 2)).text(view) == "ip 10.0.0.1/24 x"
    assert step(view, Position(1, 0), -1, 0) == Position(0, 9)
    assert step(view, Position(0, 0), -1, 0) == Position(0, 0)


def keys_from(sequence: str) -> list[events.Key]:
    """The key events the toolkit makes of what a terminal sends."""

    async def parse() -> list[events.Key]:
        return [event for event in XTermParser(False).feed(sequence) if isinstance(event, events.Key)]

    return asyncio.run(parse())


PLAIN_KEYS = [chr(code) for code in range(0x20, 0x7F)] + ["é", "中"]
CONTROL_KEYS = [chr(code) for code in range(1, 0x20) if code not in (0x08, 0x1B)] + ["\x7f"]
FUNCTION_KEYS = [
    *(f"\x1b[{letter}" for letter in "ABCDHF"), *(f"\x1bO{letter}" for letter in "PQRS"),
    *(f"\x1b[{n}~" for n in (2, 3, 5, 6, 15, 17, 18, 19, 20, 21, 23, 24)),
    "\x1b[1;5C", "\x1b[1;2A", "\x1b[Z",
]  # fmt: skip


@pytest.mark.parametrize("sequence", PLAIN_KEYS + CONTROL_KEYS + FUNCTION_KEYS, ids=repr)
def test_keys_go_through_unchanged(sequence: str) -> None:
    """What the outer terminal sends for a key is what the child gets."""
    sent = [encode_key(event.key, event.character, False) for event in keys_from(sequence)]
    assert "".join(text or "" for text in sent) == sequence


def test_keys_of_modern_keyboards() -> None:
    """Keys that only the Kitty protocol tells apart arrive in their nearest old form; unknown ones send nothing."""
    assert encode_key("ctrl+shift+a", None, False) == "\x01"
    assert encode_key("shift+enter", None, False) == "\r"
    assert encode_key("ctrl+backspace", None, False) == "\x08"
    assert encode_key("alt+left", None, False) == "\x1b[1;3D"
    assert encode_key("alt+d", "d", False) == "\x1bd"
    assert encode_key("alt+full_stop", None, False) == "\x1b."
    assert encode_key("alt+underscore", None, False) == "\x1b_"
    assert encode_key("super+a", None, False) is None
    assert encode_key("up", None, True) == "\x1bOA"


def test_pastes_and_commands() -> None:
    """A paste keeps its lines as Enters, a command ends without one; neither can carry control characters."""
    assert encode_paste("a\r\nb\n", bracketed=True) == "\x1b[200~a\rb\r\x1b[201~"
    assert encode_paste("a\x1b[201~\x03b", bracketed=True) == "\x1b[200~a[201~b\x1b[201~"
    assert encode_command("ip a\n", bracketed=False) == "ip a"
    assert encode_command("a \\\n b\nc\td\x1b\n", bracketed=False) == "a   b; c d"
    assert "\r" not in encode_command("a\rb\r\nc\n", bracketed=False)
    assert encode_mouse(0, 0, 4, pressed=True) == "\x1b[<0;1;5M"


def test_rows_are_small() -> None:
    """A row in the scrollback is a string and its runs, not lists of cells."""
    terminal = Terminal(80, 5, 100)
    terminal.feed("".join(f"\x1b[3{n % 8}mline\x1b[0m {n}\r\n" for n in range(50)))
    history: list[Row] = list(terminal.screen.main.history)
    assert all(isinstance(row.cells, str) and row.styles is None for row in history)
