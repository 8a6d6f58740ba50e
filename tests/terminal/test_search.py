"""Looking for words in what a terminal shows and has shown."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual import events

from netless.app.terminal import display
from netless.app.widgets.search import Search, occurrences
from netless.vt import Terminal
from netless.vt.viewport import Position, Viewport, lines_of
from terminal.host import Seat, seat

PRINT = ("sh", "-c", "for n in $(seq 200); do echo line $n; done; echo a Needle, 针 one; seq 300 330; exec cat")


def selected(person: Seat) -> str:
    """What is selected."""
    return person.terminal.display_model.marking.text


def test_lines_as_they_were_printed() -> None:
    """A folded line is one, with the place of each of its characters; asked for by any of its rows."""
    terminal = Terminal(6, 4)
    terminal.feed("first\r\nabcde针fg\r\n")
    view = Viewport(terminal.screen.main)
    told = list(lines_of(view, 2, 2))
    assert [text.rstrip() for text, _ in told] == ["abcde针fg"]
    assert told[0][1][4:8] == [Position(1, 4), Position(2, 0), Position(2, 2), Position(2, 3)]
    assert [text.rstrip() for text, _ in lines_of(view, 0, 3)] == ["first", "abcde针fg", ""]


async def test_from_the_newest_to_the_oldest() -> None:
    """Scrolled back, / begins; what is typed is found upwards of the window's end; N goes to older places, n to newer ones; none of it is typed
    into the program, and Esc leaves it."""
    async with seat(PRINT) as person:
        await person.line("330")
        await person.pilot.press("shift+pageup", "slash", *"needle")
        assert selected(person) == "Needle"
        assert any("/needle█  1 of 1" in line for line in person.painted)
        assert any("a Needle" in line for line in person.painted), "in sight, not covered"
        await person.pilot.press("enter", "slash", *"line 19")
        display = person.terminal.display_model
        assert display.search is not None and display.search.found == 11
        newest = display.marking.selection
        await person.pilot.press("enter", "N")
        older = display.marking.selection
        assert newest is not None and older is not None and older.start.line == newest.start.line - 1
        await person.pilot.press("n")
        assert display.marking.selection == newest
        await person.pilot.press("escape")
        assert display.search is None and display.marking.selection is None
        await person.pilot.press("x", "enter")
        await person.line("x")
        assert person.text.count("x") == 2, "its echo and what cat makes of it"


async def test_what_is_pasted_is_looked_for() -> None:
    """While a search is typed a paste is part of it, and the program gets nothing of it."""
    async with seat(PRINT) as person:
        await person.line("330")
        await person.pilot.press("shift+pageup", "slash")
        person.terminal.post_message(events.Paste("needle\n"))
        await person.until(lambda: selected(person) == "Needle")
        await person.pilot.press("enter", "escape", "x", "enter")
        await person.line("x")
        assert "needle" not in person.text


async def test_what_was_found_is_copied() -> None:
    """Enter, after the one that ends the typing, copies what is marked, across the fold and with a wide character at its end."""
    async with seat(("sh", "-c", "printf '%0100d' 0; echo xyz针; exec cat")) as person:
        await person.sees("针")
        await person.pilot.press("shift+left", "slash", *"0xyz针", "enter")
        selection = person.terminal.display_model.marking.selection
        assert selection is not None and selection.end.column - Position(*selection.start).column == 5
        await person.pilot.press("enter")
        assert person.app.copied == ["0xyz针"]
        assert person.terminal.display_model.search is None


async def test_a_slash_is_typed_at_the_prompt() -> None:
    """Who is neither scrolled back nor selecting types a slash."""
    async with seat(("cat",)) as person:
        await person.pilot.press("slash", "enter")
        await person.line("/")
        assert person.terminal.display_model.search is None


def test_a_line_of_many_rows_is_looked_through_once_for_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON of a whole ruleset is one line: painting the window looks for the words in it once, not once for each of its rows."""
    texts: list[str] = []

    def looked_through(text: str, words: str) -> list[tuple[int, int]]:
        texts.append(text)
        return occurrences(text, words)

    monkeypatch.setattr(display, "occurrences", looked_through)
    terminal = Terminal(20, 10)
    terminal.feed("needle and hay, " * 100)
    shown = display.Display(terminal.screen)
    shown.view.scroll(-30)
    shown.search = Search("needle")
    look = display.Look(20, 10, None, Style())
    underlined = ["".join(text for text, style, _ in shown.line(y, look) if style is not None and style.underline) for y in range(10)]
    assert "".join(underlined) == "needle" * 13
    assert len(texts) == 1
    terminal.feed("\r\n" * 10)
    shown.view.follow()
    shown.take_changes()
    assert not any(style is not None and style.underline for y in range(10) for _, style, _ in shown.line(y, look))
