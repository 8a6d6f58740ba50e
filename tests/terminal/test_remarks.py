"""Words of the tutor's own among what programs print."""

from __future__ import annotations

import pytest

from netless.vt import Terminal
from netless.vt.remarks import said, unsaid

WORDS = "ended, killed by signal 9: enter starts a new shell"


@pytest.mark.parametrize("columns", [60, 24, 10])
@pytest.mark.parametrize("before", ["", "one\r\ntwo\r\n", "a prompt# "], ids=["nothing", "lines", "a prompt"])
def test_a_remark_is_taken_back_whole(before: str, columns: int) -> None:
    """However many rows it takes, also at another width by then; what stood there before is as it was."""
    terminal = Terminal(60, 24)
    terminal.feed(before)
    as_it_was = terminal.screen.text
    terminal.feed(said(WORDS, terminal.screen))
    assert f"[{WORDS}]" in terminal.screen.text
    terminal.resize(columns, 24)
    terminal.feed(unsaid(WORDS, terminal.screen))
    assert terminal.screen.text == as_it_was


@pytest.mark.parametrize("behind", ["something\r\n", "$ "], ids=["a line", "a prompt"])
def test_a_remark_that_something_was_printed_behind_stays(behind: str) -> None:
    """It is no last word any more, and neither are words that were never said."""
    terminal = Terminal(60, 24)
    terminal.feed(said(WORDS, terminal.screen) + behind)
    assert unsaid(WORDS, terminal.screen) == unsaid("", terminal.screen) == unsaid("other words", terminal.screen) == ""


def test_a_remark_begins_a_line() -> None:
    """Behind a prompt too; and what is printed next begins one as well."""
    terminal = Terminal(60, 24)
    terminal.feed("a prompt# ")
    terminal.feed(said("words", terminal.screen))
    assert terminal.screen.text.split("\n")[:2] == ["a prompt#", "[words]"] and (terminal.screen.x, terminal.screen.y) == (0, 2)
