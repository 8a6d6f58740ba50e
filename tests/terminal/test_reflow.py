"""Another width folds the text anew: nothing is cut off, the cursor stays on its character, and it is what tmux and xterm.js show."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from rich.cells import cell_len, get_character_cell_size

from netless.shell.child import size_of
from netless.vt import Terminal
from netless.vt.row import FILLER
from netless.vt.viewport import Position, Selection, Viewport
from terminal.host import Seat, seat
from terminal.tmux import Folded, Tmux
from terminal.xterm import Xterm

COLUMNS, ROWS = 40, 12
SIZES = ((17, 24), (61, 24), (23, 24), (80, 24), (9, 30), (40, 30))
_WORDS = ("netns", "veth0", "10.0.0.2/24", "x", " ", "   ", "中文", "桥", "e\u0301", "──┼", "\x1b[31m", "\x1b[44m", "\x1b[0m", "0123456789" * 3)


def lines_of(seed: int, count: int = 40) -> str:
    """Lines as programs print them, short, long and of every width, each ended.  None ends with blanks: others fold those as well."""
    random = Random(seed)
    lines = ["".join(random.choices(_WORDS, k=random.randint(0, 14))) for _ in range(random.randint(1, count))]
    return "".join(f"{line}.\x1b[0m\r\n" if line else "\r\n" for line in lines)


def shown(output: str, columns: int = COLUMNS, rows: int = ROWS, scrollback: int = 1000) -> Terminal:
    """A terminal after this output."""
    terminal = Terminal(columns, rows, scrollback, width=get_character_cell_size)
    terminal.feed(output)
    return terminal


def rows_of(terminal: Terminal) -> list[str]:
    """Every row there is, the scrollback's first."""
    page = terminal.screen.main
    return [row.plain for row in (*page.history, *page.rows)]


def held(terminal: Terminal) -> Folded:
    """The same in the witness's words."""
    screen = terminal.screen
    return Folded("\n".join(rows_of(terminal)).rstrip("\n"), screen.rows[screen.y].plain, screen.x)


def looks_of(terminal: Terminal) -> list[tuple[str, int]]:
    """Every character that shows one, with the number of its look."""
    page = terminal.screen.main
    spans = [span for row in (*page.history, *page.rows) for span in row.spans()]
    return [(character, number) for text, number in spans for character in text if character != " "]


@pytest.fixture(scope="module")
def tmux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tmux]:
    """One server for all outputs."""
    server = Tmux(tmp_path_factory.mktemp("tmux"))
    yield server
    server.close()


def test_a_line_comes_back_whole() -> None:
    """What a narrow screen has no room for goes to the next row, and back when there is room: nothing is cut off."""
    terminal = shown("inet 10.0.0.2/24 scope global veth1\r\n$ ")
    terminal.resize(16, ROWS)
    assert rows_of(terminal)[:4] == ["inet 10.0.0.2/24", " scope global ve", "th1", "$"]
    terminal.resize(COLUMNS, ROWS)
    assert rows_of(terminal)[:2] == ["inet 10.0.0.2/24 scope global veth1", "$"]
    assert (terminal.screen.x, terminal.screen.y) == (2, 1)


@pytest.mark.parametrize("seed", range(60))
def test_there_and_back(seed: int) -> None:
    """Through any sizes and back: the same text, the same looks and the cursor on the same character, however the lines were folded."""
    random = Random(seed)
    terminal = shown(lines_of(seed) + "$ typed" + "\x1b[D" * random.randint(0, 3))
    before, screen, looks = held(terminal), terminal.screen, looks_of(terminal)
    for _ in range(4):
        terminal.resize(random.randint(2, 90), random.randint(2, 30))
        for row in (*screen.main.history, *screen.main.rows):
            assert row.cells[:1] != FILLER, "a double-width character was cut"
            assert cell_len(row.plain) <= screen.columns
    terminal.resize(COLUMNS, ROWS)
    assert held(terminal) == before
    assert looks_of(terminal) == looks


def test_a_full_last_column_and_what_comes_next() -> None:
    """A cursor behind the last column stays behind its character: the next one goes on, and writes over nothing."""
    terminal = shown("x" * COLUMNS)
    terminal.resize(COLUMNS + 5, ROWS)
    terminal.feed("y")
    assert rows_of(terminal)[0] == "x" * COLUMNS + "y"
    terminal = shown("x" * COLUMNS)
    terminal.resize(COLUMNS // 2, ROWS)
    terminal.feed("y")
    assert rows_of(terminal)[:3] == ["x" * 20, "x" * 20, "y"]


def test_marks_and_wide_characters_stay_whole() -> None:
    """A letter with its marks is one cell; a double-width one that finds no room at an edge leaves a gap that is no part of the text."""
    terminal = shown("a中e\u0301中b\r\n", columns=5)
    assert rows_of(terminal)[:2] == ["a中e\u0301", "中b"]
    terminal.resize(3, ROWS)
    assert rows_of(terminal)[:3] == ["a中", "e\u0301中", "b"]
    terminal.resize(2, ROWS)
    assert rows_of(terminal)[:5] == ["a", "中", "e\u0301", "中", "b"]
    terminal.resize(1, ROWS)
    terminal.resize(9, ROWS)
    assert rows_of(terminal)[0] == "a中e\u0301中b"


def test_a_folded_line_is_copied_as_it_was_printed() -> None:
    """Copied out of a terminal of any width, a line is one line: blanks at an edge are in it, the gap before a wide character is not."""
    line = "ip addr   add 10.0.0.2/24 dev veth1 桥 end"
    for columns in range(2, 50):
        terminal = shown(line + "\r\n", columns=columns, rows=50)
        view = Viewport(terminal.screen.main)
        assert Selection(Position(0, 0), Position(view.last, columns - 1)).text(view).rstrip("\n") == line


@pytest.mark.parametrize(
    "between",
    ["\x1b[2;1H\x1b[K", "\x1b[2;1H\x1b[2K", "\x1b[2;1H\x1b[L", "\x1b[2;1H\x1b[M", "\x1b[2;9r\x1b[9;1H\n\x1b[2;1H", "\x1b[1;1H\x1b[J\x1b[1;1H" + "x" * 10 + "\r\n"],
    ids=["right", "line", "inserted", "deleted", "scrolled", "all"],
)  # fmt: skip
def test_what_replaced_the_rest_of_a_line_is_another_line(between: str) -> None:
    """Where a program erased, moved or opened the row that a line went on in, what it prints there does not join that line."""
    terminal = shown("x" * 20 + between + "other", columns=10, rows=9)
    terminal.resize(30, 9)
    assert rows_of(terminal)[:2] == ["x" * 10, "other"]


def test_a_line_goes_on_while_it_scrolls() -> None:
    """Lines that were folded at the bottom, in the scrollback by now, are whole again."""
    terminal = shown("".join(f"{number} " + "x" * 50 + "\r\n" for number in range(30)))
    terminal.resize(80, ROWS)
    assert rows_of(terminal)[:30] == [f"{number} " + "x" * 50 for number in range(30)]


def test_rows_that_fit_are_not_touched() -> None:
    """A change of width makes no new row for a line that is as it was: ten thousand of them cost a look each."""
    terminal = shown("".join(f"\x1b[31m{number}\x1b[0m\r\n" for number in range(300)))
    history = list(terminal.screen.main.history)
    terminal.resize(20, ROWS)
    assert all(before is after for before, after in zip(history, terminal.screen.main.history, strict=False))
    assert len(history) > 250


def test_a_full_screen_program_keeps_its_rows() -> None:
    """The alternate screen is not folded, and what a smaller one has no room for is there when it grows again; below it the text folds."""
    terminal = shown("a line of the shell that is longer\r\n$ \x1b[?1049h\x1b[H" + "\r\n".join(f"{row} " + "=" * 30 + "中" for row in range(ROWS)))
    before = terminal.screen.text
    terminal.resize(20, 5)
    assert [row.plain[:4] for row in terminal.screen.rows] == [f"{row} =="[:4] for row in range(7, 12)]
    terminal.resize(COLUMNS, ROWS)
    assert terminal.screen.text == before
    terminal.resize(20, ROWS)
    terminal.feed("\x1b[1;1Hx\x1b[?1049l")
    assert rows_of(terminal)[:3] == ["a line of the shell", "that is longer", "$"]
    assert (terminal.screen.x, terminal.screen.y) == (2, 2)


def test_an_edit_ends_what_a_narrow_row_does_not_show() -> None:
    """What lies right of the edge is gone when the program writes in that row; a double-width character across the edge becomes a blank."""
    terminal = shown("\x1b[?1049h\x1b[Hab中文")
    terminal.resize(3, ROWS)
    terminal.feed("\x1b[1;1HA")
    terminal.resize(COLUMNS, ROWS)
    assert terminal.screen.rows[0].plain == "Ab"


def joined(person: Seat) -> str:
    """All the text there is, folded lines put together."""
    view = Viewport(person.terminal.terminal.screen.main)
    return Selection(Position(view.first, 0), Position(view.last, view.page.columns - 1)).text(view).rstrip("\n")


@pytest.mark.parametrize("widths", [(60, 120), (120, 45, 100), (30, 31, 32, 90)], ids=["narrower", "wider", "often"])
async def test_the_shell_draws_its_line_once(widths: tuple[int, ...]) -> None:
    """Whatever the width changes to while a command is typed: one prompt, the command once behind it, and the output above is whole.

    The line editor draws its line anew when it hears of the change, from the row where it believes the line to begin.
    """
    async with typing() as (person, typed):
        for width in (*widths, 80):
            await resized(person, width)
            await person.until(lambda: joined(person) == typed, f"the line drawn again at {width}")
        await person.run("")
        await person.until(lambda: joined(person).count(LONG) == 2, "the command's output")


async def test_a_width_that_is_back_before_the_shell_hears_of_it() -> None:
    """The shell, kept from running meanwhile, sees the size that it knows and would draw nothing; the line is there all the same, and once."""
    async with typing() as (person, typed):
        assert person.terminal.pid is not None
        os.kill(person.terminal.pid, signal.SIGSTOP)
        for width in (60, 120, 80):
            await resized(person, width)
        os.kill(person.terminal.pid, signal.SIGCONT)
        await person.until(lambda: joined(person) == typed, "the line drawn again")
        await person.until(lambda: size_of(terminal_of(person)) == (person.terminal.terminal.screen.columns, person.terminal.terminal.screen.height), "the size")


@pytest.mark.parametrize("widths", [(60, 120), (120, 45)], ids=["wider", "narrower"])
async def test_what_was_drawn_for_one_width_is_read_at_that(widths: tuple[int, int]) -> None:
    """Though the tutor comes to it only when the next width is there: what the shell draws then finds the rows that it counts with."""
    async with typing() as (person, typed):
        first, then = widths
        master = terminal_of(person)
        asyncio.get_running_loop().remove_reader(master)
        await resized(person, first)
        await person.until(lambda: unread(master) > len(f"ready> echo {LONG}") and rests(person), "what the shell draws")
        await resized(person, then)
        assert person.terminal._child is not None
        asyncio.get_running_loop().add_reader(master, person.terminal._child._readable)
        await person.until(lambda: joined(person) == typed, "the line drawn again")


LONG = "".join(f"{number:04d}-" for number in range(30))


@asynccontextmanager
async def typing() -> AsyncIterator[tuple[Seat, str]]:
    """A command line of several rows is typed below some output; all that is there then."""
    async with seat(size=(80, 24)) as person:
        await person.run("clear; PS1='ready> '; echo ab''ove " + "=" * 100)
        await person.until(lambda: joined(person) == "above " + "=" * 100 + "\nready>", "the prompt")
        person.type(f"echo {LONG}")
        typed = "above " + "=" * 100 + f"\nready> echo {LONG}"
        await person.until(lambda: joined(person) == typed, "what was typed")
        yield person, typed


async def resized(person: Seat, width: int) -> None:
    """The terminal has this width, without its border: before that the line would be looked for at the last one."""
    await person.pilot.resize_terminal(width, 24)
    await person.until(lambda: person.terminal.terminal.screen.columns == width - 2, f"the width {width}")


def terminal_of(person: Seat) -> int:
    """The controlling end of what the shell runs on."""
    assert person.terminal._child is not None
    return person.terminal._child.master


def rests(person: Seat) -> bool:
    """Whether the shell waits for something, with all written that it had to."""
    return Path(f"/proc/{person.terminal.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "S"


def unread(master: int) -> int:
    """Bytes that a terminal's program has printed and nobody has read."""
    (count,) = struct.unpack("i", fcntl.ioctl(master, termios.FIONREAD, bytes(4)))
    return int(count)


async def test_zoom_and_back_cuts_nothing() -> None:
    """A wide listing in a terminal that shrinks and grows again with its window is whole."""
    listing = "2: veth1@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000"
    async with seat(("sh", "-c", f"echo '{listing}'; exec cat"), size=(140, 30)) as person:
        await person.sees(listing)
        await person.pilot.resize_terminal(60, 20)
        await person.until(lambda: person.terminal.terminal.screen.columns < 60)
        assert listing not in person.text
        await person.pilot.resize_terminal(140, 30)
        await person.sees(listing)


@pytest.mark.tmux
@pytest.mark.parametrize("seed", range(8))
def test_as_in_tmux(tmux: Tmux, seed: int) -> None:
    """At every size the rows and the cursor are those of tmux, wherever in the line the cursor stands."""
    output = lines_of(seed, 25) + "$ ip addr show dev veth1 and so on, with more than one row of text" + "\x1b[D" * (seed * 3)
    terminal = shown(output, 80, 24)
    for size, theirs in zip(SIZES, tmux.refolded(output.encode(), SIZES), strict=True):
        terminal.resize(*size)
        assert held(terminal) == theirs, size


@pytest.mark.parametrize("seeds", [range(100), pytest.param(range(100, 1000), marks=pytest.mark.long)], ids=["few", "many"])
def test_as_in_xterm(seeds: range) -> None:
    """At every size the rows are those of xterm.js."""
    with Xterm() as xterm:
        for seed in seeds:
            output, random = lines_of(seed, 20), Random(seed)
            sizes = [(random.randint(4, 90), random.randint(3, 20)) for _ in range(random.randint(1, 3))]
            terminal = shown(output)
            for size in sizes:
                terminal.resize(*size)
            theirs = xterm.show(output, COLUMNS, ROWS, sizes)
            assert held(terminal).text == "\n".join((*theirs.history, *theirs.lines)).rstrip("\n"), (seed, sizes)
