"""What the widget paints: colours, cursor, widths; and what the child is told about them."""

from __future__ import annotations

import pytest
from rich.color import Color
from rich.segment import Segment
from textual.strip import Strip

from helpers.colours import contrast, luminance
from netless.app.terminal.painter import DARK, LIGHT, Painter, Palette
from netless.shell import terminal_environment
from netless.vt import StyleTable, Terminal
from terminal.host import Seat, seat


@pytest.mark.parametrize(("palette", "background"), [(DARK[1:], "#12151b"), (LIGHT, "#fbfaf7")], ids=["dark", "light"])
def test_named_colours_can_be_read(palette: Palette, background: str) -> None:
    """Every named colour has a contrast of 4.5 on the theme's background; black on dark is for backgrounds only."""
    assert {colour: ratio for colour in palette if (ratio := contrast(colour, background)) < 4.5} == {}


def painted(output: str, width: int = 40) -> Strip:
    """The first row as painted."""
    terminal = Terminal(width, 2)
    terminal.feed(output)
    return Painter(terminal.screen.styles).line(terminal.screen.rows[0], width)


def test_colours_are_passed_on() -> None:
    """Named colours come from the palette, the 256 and truecolour ones are the program's."""
    strip = painted("\x1b[31mred\x1b[0m \x1b[1;38;5;208morange\x1b[0m \x1b[48;2;0;90;160;4mtrue\x1b[0m")
    looks = {segment.text: segment.style for segment in strip}
    red, orange, true = looks["red"], looks["orange"], looks["true"]
    assert red and orange and true
    assert red.color == Color.parse(DARK[1])
    assert orange.color == Color.from_ansi(208)
    assert orange.bold
    assert true.bgcolor == Color.from_rgb(0, 90, 160)
    assert true.underline


@pytest.mark.parametrize(
    "text", ["plain", "中文 text", "e\u0301", "a\u200db", "\u2764\ufe0f!", "\U0001f469\u200d\U0001f680x", "\u202eabc", "한국어", "\u00ad-"]
)
def test_every_line_is_as_wide_as_the_screen(text: str) -> None:
    """Whatever the characters, a painted line has the width of the screen by the toolkit's own count, and text after them stands right."""
    from rich.cells import cell_len, get_character_cell_size

    terminal = Terminal(40, 2, width=get_character_cell_size)
    terminal.feed(text + "|")
    strip = Painter(StyleTable()).line(terminal.screen.rows[0], 40)
    assert sum(cell_len(segment.text) for segment in strip) == 40
    assert cell_len(strip.text[: strip.text.index("|")]) == terminal.screen.x - 1


def cursor_of(person: Seat) -> list[Segment]:
    """The pieces of the cursor's line that look like a cursor."""
    terminal = person.terminal
    strip = terminal.render_line(terminal.terminal.screen.y)
    return [segment for segment in strip if segment.style and (segment.style.reverse or segment.style.underline)]


async def test_cursor() -> None:
    """Filled with the focus, a line without, over both halves of a double-width character, gone when hidden or ended."""
    async with seat(("sh", "-c", "stty -echo; printf 'ab中\\033[2D'; read x; printf '\\033[?25l'; read x; printf '\\033[?25h'")) as person:
        await person.sees("ab中")
        (filled,) = cursor_of(person)
        assert filled.text == "中"
        assert filled.style
        assert filled.style.reverse
        await person.pilot.press("ctrl+right_square_bracket")
        await person.until(lambda: not person.terminal.has_focus)
        (line,) = cursor_of(person)
        assert line.style
        assert line.style.underline
        person.type("\r")
        await person.until(lambda: not cursor_of(person))
        person.type("\r")
        await person.until(lambda: not person.terminal.running)
        assert not cursor_of(person)


async def test_selection_can_be_read() -> None:
    """Selected text keeps its colour and gets another background."""
    async with seat(("sh", "-c", "echo word; exec cat")) as person:
        await person.sees("word")
        before = person.terminal.render_line(0)
        await person.pilot.click(person.terminal, offset=(2, 1), times=2)
        await person.until(lambda: person.terminal.display_model.marking.selection)
        (marked,) = [segment for segment in person.terminal.render_line(0) if segment.text == "word"]
        plain = next(iter(before))
        assert marked.style
        assert plain.style
        assert marked.style.color == plain.style.color
        assert marked.style.bgcolor != plain.style.bgcolor


async def test_theme_reaches_the_child() -> None:
    """A light theme changes what the child hears about the background, and the named colours."""
    async with seat(("sh", "-c", "printf '\\033[31mred'; exec cat")) as person:
        await person.sees("red")
        dark = person.terminal.terminal.background
        person.app.theme = "textual-light"
        await person.until(lambda: person.terminal.terminal.background != dark)
        assert luminance(person.terminal.terminal.background) > 0.5
        style = next(iter(person.terminal.render_line(0))).style
        assert style
        assert style.color == Color.parse(LIGHT[1])


def test_environment_is_scrubbed() -> None:
    """Nothing of the outer terminal or the toolkit comes through; the locale counts in UTF-8; extras win."""
    outer = {"TMUX": "x", "TEXTUAL_DRIVER": "x", "COLUMNS": "9", "TERM": "dumb", "BASH_ENV": "/x"}
    kept = {"HOME": "/root", "NO_COLOR": "1"}
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLORFGBG": "0;15", "LANG": "C.UTF-8"}
    assert terminal_environment({**outer, **kept, "LANG": "C"}, False, {"MARK": "1"}) == {**own, **kept, "MARK": "1"}
    assert terminal_environment({"LC_ALL": "zh_CN.UTF-8"}, True, {})["LC_ALL"] == "zh_CN.UTF-8"
    assert terminal_environment({}, True, {})["LC_CTYPE"] == "C.UTF-8"
    not_installed = terminal_environment({"LC_ALL": "zh_CN.UTF-8"}, True, {}, codeset="ANSI_X3.4-1968")
    assert not_installed["LC_ALL"] == "C.UTF-8"
