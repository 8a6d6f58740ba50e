"""Lines of text: Markdown as blocks, tables that fit, Chinese that breaks where it may; what is cut and padded by cells."""

from __future__ import annotations

import gc
import itertools
import random

import pytest
from rich._wrap import divide_line as reference
from rich.cells import cell_len

from netless.say.cells import NOT_FIRST, divide_line
from netless.say.links import Copy
from netless.say.prose import blocks_of
from netless.say.text import BLANK, Block, Line, Look, Row, joined, lay_out, plain, share, table, ticked

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
    assert all(row.content.cells <= 40 for row in rows)


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


def test_the_end_of_a_line_in_chinese_prose_is_no_blank() -> None:
    """A sentence that goes on in the next line of the source is one sentence; between other words the line end is a blank."""
    assert text("虚拟网线的一端，进入的数据包\n会从**另一端**\n出来。", 60) == ["虚拟网线的一端，进入的数据包会从另一端出来。"]
    assert text("one\ntwo 线\nthree", 60) == ["one two 线 three"]


@pytest.mark.parametrize("width", range(14))
def test_a_text_is_cut_and_padded_by_cells(width: int) -> None:
    """Half a wide letter is a blank; what was longer ends in an ellipsis."""
    whole = joined(("网线", "strong"), "ab", ("网络", "code"))
    cut = whole.cut(width)
    assert cut.cells == cell_len(cut.plain) == min(width, whole.cells)
    assert cut == whole if width >= whole.cells else cut.plain.endswith("…") or not width
    assert whole.padded(width).cells == max(width, whole.cells)


def test_what_is_wrapped_is_all_there() -> None:
    """Every letter but the blanks at line ends comes out once, in its look, and each row fits."""
    chance = random.Random(3)
    looks: tuple[Look, ...] = ("strong", "code")
    for _ in range(500):
        whole = joined(*((chance.choice(["ab ", "中文", "，", " x", "long-word", "\n"]), chance.choice(looks)) for _ in range(9)))
        rows = whole.wrapped(width := chance.randint(4, 12))
        assert all(row.cells <= width for row in rows)
        told = [(letter, span.looks) for row in rows for span in row.spans for letter in span.text if not letter.isspace()]
        assert told == [(letter, span.looks) for span in whole.spans for letter in span.text if not letter.isspace()]


def test_backticks_mark_code_and_nothing_else() -> None:
    """An odd one is a letter like any other."""
    assert [(span.text, span.looks) for span in ticked("see `ip link` *now*").spans] == [("see ", ()), ("ip link", ("quoted",)), (" *now*", ())]
    assert ticked("it's 5` long").plain == "it's 5` long"


def test_a_link_in_prose_leads_to_its_address() -> None:
    """All of its words do, emphasis and code included, and nothing beside them."""
    (row,) = lay_out(blocks_of("see [the *old* `ip`](https://example.test/a?b=[c]) page", 60), 60)
    linked = [span for span in row.content.spans if span.link is not None]
    assert "".join(span.text for span in linked) == "the old ip"
    assert {span.link for span in linked} == {Copy("https://example.test/a?b=%5Bc%5D")}
    assert row.content.plain == "see the old ip page"


def test_code_leads_to_the_clipboard() -> None:
    """The whole line, however it is wrapped; a text without letters is none."""
    rows = lay_out(blocks_of("    ip link add name veth1 type veth peer name veth2", 80), 20)
    links = {span.link for row in rows for span in row.content.spans if span.text.strip()}
    assert links == {Copy("ip link add name veth1 type veth peer name veth2")}
    assert plain("") == BLANK
    assert not plain("")


def test_the_collector_of_garbage_looks_at_no_text() -> None:
    """It stands still for all that it looks at, and a log that is full has tens of thousands of spans."""
    content = joined(("what", "code"), " it says ", plain("there", "good").leading(Copy("there")))
    gc.collect()
    assert not [own for own in (content, content.spans, *content.spans, Block(content), Line(content), Row(content)) if gc.is_tracked(own)]
