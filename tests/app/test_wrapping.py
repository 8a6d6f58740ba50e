"""Lines of text: Markdown as blocks, tables that fit, Chinese that breaks where it may, partial repaints that lose nothing."""

from __future__ import annotations

import ast
import itertools
import os
import random
import re
import subprocess
import sys

import pytest
from rich._wrap import divide_line as reference
from rich.cells import cell_len

from netless.app.blocks import blocks_of, lay_out, plain, share, table
from netless.app.toolkit import NOT_FIRST, crop_both_edges, divide_line

PAGE = """A **veth pair** is a *cable*; see `ip link`.

    ip link add name veth1 type veth peer name veth2

1. make it
2. plug it in, then read what the kernel says about it
   - nested

> Remember this.

| command | what |
|---|---|
| `ip -br link` | every link, one a line, with its state |
| `bridge fdb` | who is behind which port |
"""


def text(markdown: str, width: int) -> list[str]:
    """The rows as plain text."""
    return [line.content.plain.rstrip() for line in lay_out(blocks_of(markdown, width), width)]


@pytest.mark.parametrize("width", [20, 34, 42, 60, 100])
def test_markdown_never_overflows(width: int) -> None:
    """No row is wider than the pane, whatever is in it."""
    rows = text(PAGE, width)
    assert max(map(cell_len, rows)) <= width


def test_markdown_says_everything() -> None:
    """Every kind of block comes out as a learner expects it."""
    rows = text(PAGE, 60)
    assert rows[0] == "A veth pair is a cable; see ip link."
    assert " ip link add name veth1 type veth peer name veth2" in rows
    assert "1. make it" in rows
    assert "  • nested" in rows
    assert "▎ Remember this." in rows
    assert any(row.startswith("command") and row.endswith("what") for row in rows)
    assert any(row.startswith("bridge") and "who is behind which port" in row for row in rows)


def test_prose_is_never_markup() -> None:
    """Square brackets in a lesson are square brackets."""
    assert text("press [@click=app.quit]here[/] or [bold]", 60) == ["press [@click=app.quit]here[/] or [bold]"]


def test_control_characters_do_nothing() -> None:
    """Text from a lab cannot move the cursor."""
    assert plain("a\x1b[2Jb\x07").plain == "a [2Jb "


def test_table_shares_the_width() -> None:
    """Small columns get what they need, large ones the rest."""
    assert share([3, 40, 40], 50) == [3, 23, 24]
    assert share([3, 4], 50) == [3, 4]
    rows = lay_out(table([[plain("a"), plain("b")], [plain("x" * 50), plain("y z " * 20)]], 40), 40)
    assert all(row.content.cell_length <= 40 for row in rows)


def test_ascii_breaks_as_before() -> None:
    """Without wide characters the answer is Rich's own."""
    chance = random.Random(1)
    for _ in range(1500):
        line = "".join(chance.choice(["a", "bb", " ", "  ", "ccccccccc"]) for _ in range(chance.randint(0, 30)))
        width = chance.randint(4, 20)
        assert divide_line(line, width) == reference(line, width), (line, width)


def test_a_line_of_nothing_but_blanks() -> None:
    """It has no word to break at. A million blanks that are looked at from each of them take hours."""
    assert divide_line(" " * 1_000_000, 80) == []
    assert divide_line(" " * 1_000_000 + "a", 80) == reference(" " * 1_000_000 + "a", 80)


def test_wide_text_fits_and_begins_well() -> None:
    """Chinese is broken between characters, never overflows, and no line begins with a closing mark unless it must."""
    chance = random.Random(2)
    for _ in range(1500):
        line = "".join(chance.choice("ab 中文，。（）x ") for _ in range(chance.randint(1, 60)))
        width = chance.randint(6, 30)
        cuts = [0, *divide_line(line, width), len(line)]
        assert cuts == sorted(set(cuts)) or not line
        for start, end in itertools.pairwise(cuts):
            assert cell_len(line[start:end].rstrip()) <= width, (line, width)
    sentence = "虚拟网线的一端，进入的数据包会从另一端出来。"
    cuts = [0, *divide_line(sentence, 20), len(sentence)]
    assert all(sentence[cut] not in NOT_FIRST for cut in cuts[1:-1])


def test_chops_only_where_known() -> None:
    """Another Textual keeps its own method."""
    assert not crop_both_edges("9.0.0")


def in_a_process(code: str) -> str:
    """What a program prints that starts as the app does; the repairs stay out of this process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=60)
    return done.stdout.strip()


def test_the_installed_textual_repaints_only_dirty_cells() -> None:
    """With the Textual that is installed a moved cell is sent without the row to its left."""
    told = in_a_process("""
from netless.app.toolkit import crop_both_edges
print(crop_both_edges())
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate
from textual.strip import Strip
update = ChopsUpdate([{0: Strip([Segment("abcdefghij")])}], [(0, 4, 5)], [[10]])
print(repr(update.render_segments(Console(color_system=None, force_terminal=True))))
""")
    applied, sent = told.splitlines()
    assert applied == "True"
    assert re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", ast.literal_eval(sent)).strip() == "e"


def test_the_installed_textual_wraps_wide_text() -> None:
    """With the Textual that is installed a Chinese sentence without a blank is broken where a line is full, not cut."""
    told = in_a_process("""
from netless.app.toolkit import wrap_wide_text
wrap_wide_text()
from textual.content import Content
print(*(line.plain for line in Content("虚拟网线的一端，进入的数据包会从另一端出来。").wrap(20)), sep="\\n")
""")
    lines = told.splitlines()
    assert "".join(lines) == "虚拟网线的一端，进入的数据包会从另一端出来。"
    assert len(lines) == 3
    assert all(line[0] not in NOT_FIRST for line in lines)
