"""Output of any kind and any amount: nothing is lost at the end, nothing freezes, nothing grows without bound."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from netless.vt.style import STYLE_LIMIT
from netless.vt.terminal import PENDING_LIMIT
from terminal.host import seat

PYTHON = sys.executable


async def test_seq_keeps_its_end() -> None:
    """After 100,000 lines the last one is above the prompt and the scrollback holds the ones before it, in order."""
    async with seat() as person:
        await person.run("seq 100000")
        await person.line("100000")
        await person.prompt()
        page = person.terminal.terminal.screen.main
        lines = [row.plain for row in (*page.history, *page.rows)]
        end = lines.index("100000")
        kept = lines[:end]
        assert kept == [str(number) for number in range(100000 - len(kept), 100000)]
        assert len(page.history) == 2000


async def test_yes_keeps_its_end() -> None:
    """200,000 equal lines: the prompt comes back below the last of them."""
    async with seat() as person:
        await person.run("yes | head -200000; echo o''ver")
        await person.line("over")
        lines = person.text.split("\n")
        assert set(lines[: lines.index("over")]) == {"y"}


async def test_keys_during_a_flood() -> None:
    """While output floods, keys still act: ctrl+c stops it, and what follows is typed and run."""
    async with seat() as person:
        await person.run("yes")
        await person.until(lambda: person.terminal.terminal.screen.main.pushed > 5000)
        await person.pilot.press("ctrl+c")
        await person.sees("^C")
        await person.prompt()
        await person.run("echo alive")
        await person.line("alive")


async def test_binary_garbage(tmp_path: Path) -> None:
    """Random bytes and broken sequences on the screen do no harm; the shell can be used afterwards."""
    script = tmp_path / "garbage.py"
    script.write_text(
        "import random, sys\n"
        "r = random.Random(7)\n"
        "out = sys.stdout.buffer\n"
        "for _ in range(300):\n"
        "    out.write(r.randbytes(2000))\n"
        "    out.write(b'\\x1b[' + bytes(r.randrange(0x20, 0x40) for _ in range(r.randrange(40))))\n"
        "    out.write(b'\\x1b]' + r.randbytes(300))\n"
    )
    async with seat() as person:
        await person.run(f"{PYTHON} {script}; printf '\\ec\\e[?1049l\\e[!p'; stty sane; clear")
        await person.until(lambda: person.terminal.terminal.screen.main.pushed == 0 or person.text.strip())
        person.type("\x15\r")
        await person.run("printf '\\ec'; echo al''ive")
        await person.sees("alive")
        assert person.terminal.running


async def test_endless_line() -> None:
    """One line of 3 MB is folded into rows; only the scrollback is kept."""
    async with seat() as person:
        await person.run(f"{PYTHON} -c \"print('a' * 3_000_000 + 'E' + 'ND')\"; echo o''ver")
        await person.line("over")
        page = person.terminal.terminal.screen.main
        assert any("END" in row.plain for row in page.rows)
        assert len(page.history) <= 2000
        assert max(len(row.cells) for row in page.history) <= person.terminal.content_size.width


@pytest.mark.parametrize(
    "program",
    [
        "print('\\x1b]0;' + 'x' * 1_000_000)",
        "print('\\x1bP' + 'x' * 1_000_000)",
        "print('\\x1b[' + '1;' * 500_000)",
        "print('e' + '\\u0301' * 200_000)",
        "print(''.join(f'\\x1b[38;2;{n & 255};{n >> 8};{n % 7}m#' for n in range(60000)))",
        "print('\\x1b[c\\x1b[6n' * 40_000)",
        "print('\\x07' * 200_000 + '\\x1b]2;t\\x07' * 20_000)",
    ],
    ids=["title", "device string", "parameters", "marks", "colours", "questions", "bells"],
)
async def test_memory_is_bounded(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endless strings, marks, colours and questions: every store of the terminal stays under its cap, at every moment."""
    # the answers to its questions are swallowed by a program that shows nothing
    script = 'stty -echo -icanon; read go; "$1" -c "$2" </dev/null; printf "\\033\\134\\nover\\n"; exec cat >/dev/null'
    async with seat(("sh", "-c", script, "sh", PYTHON, program)) as person:
        terminal, held = person.terminal.terminal, [0]
        feed = terminal.feed

        def feed_and_measure(data: str) -> None:
            feed(data)
            held.append(terminal.held)

        monkeypatch.setattr(terminal, "feed", feed_and_measure)
        person.type("\r")
        await person.line("over")
        assert len(held) > 1 and max(held) <= PENDING_LIMIT
        assert len(terminal.screen.styles) <= 2 * STYLE_LIMIT
        page = terminal.screen.main
        assert len(page.history) <= 2000
        assert max(sum(map(len, row.cells)) for row in (*page.history, *page.rows)) <= 8 * person.terminal.content_size.width


async def test_scrolling_back() -> None:
    """Shift and page keys and the wheel scroll back; output meanwhile does not move the text; typing returns to the end."""
    async with seat() as person:
        await person.run("seq 500; read; seq 501 600")
        await person.line("500")
        await person.pilot.press("shift+pageup", "shift+pageup")
        before = person.painted
        assert before[0].isdecimal()
        assert int(before[0]) < 480
        assert "lines back" in person.terminal.keys_hint
        person.type("\r")
        await person.line("600")
        after = person.painted
        assert [line.rstrip("█ ") for line in after] == [line.rstrip("█ ") for line in before]
        await person.pilot.press("x")
        await person.until(lambda: any(line.endswith("x") for line in person.painted))


async def test_scrollback_is_bounded_while_looking_at_it() -> None:
    """Text scrolled out of the store while being looked at gives way to the oldest there is."""
    async with seat(scrollback=100) as person:
        await person.run("seq 90; read; seq 1000 1200")
        await person.line("90")
        for _ in range(8):
            await person.pilot.press("shift+pageup")
        person.type("\r")
        await person.line("1200")
        assert len(person.terminal.terminal.screen.main.history) == 100
        assert int(person.painted[0].split()[0]) > 1000
