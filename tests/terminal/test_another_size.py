"""A terminal of another size goes on showing what was looked at: scrolled back, selected, searched for."""

from __future__ import annotations

from netless.vt.viewport import Position, Selection
from terminal.host import Seat, seat

LONG = "0123456789" * 9
PRINT = ("sh", "-c", f"for n in $(seq 200); do echo line $n {LONG}; done; exec cat")


async def at_width(person: Seat, width: int, height: int = 24) -> None:
    """Give the app another size, and wait until the terminal has it."""
    before = person.terminal.content_size
    await person.pilot.resize_terminal(width, height)
    await person.until(lambda: person.terminal.content_size != before and person.terminal.terminal.screen.columns == person.terminal.content_size.width)


def top(person: Seat) -> str:
    """The first row of the window."""
    display = person.terminal.display_model
    row = display.view.row(display.view.top)
    return "" if row is None else row.plain


async def test_scrolled_back_it_stays_on_its_lines() -> None:
    """The line at the top stays there, whatever the width folds above it and however high the window is; and the end is still a key away."""
    async with seat(PRINT) as person:
        await person.sees("line 200")
        await person.pilot.press("shift+pageup", "shift+pageup")
        first = top(person)
        while not first.startswith("line "):
            person.terminal.display_model.view.scroll(1)
            first = top(person)
        for width, height in ((47, 24), (120, 30), (33, 12), (80, 24)):
            await at_width(person, width, height)
            assert first.startswith(top(person)[:20]) and top(person).startswith("line "), (width, top(person))
            assert "lines back" in person.terminal.keys_hint
        await person.pilot.press("x")
        assert person.terminal.display_model.view.following


async def test_what_is_selected_stays_selected() -> None:
    """The same text, over the folds of the new width, in sight; also while the mouse is still down."""
    async with seat(PRINT) as person:
        await person.sees("line 200")
        await person.pilot.press(*["shift+pageup"] * 4)
        display = person.terminal.display_model
        line = next(line for line in range(display.view.top, display.view.last) if (row := display.view.row(line)) and row.plain.startswith("line 1"))
        display.marking.press(Position(line, 0))
        display.marking.drag(Position(line + 1, 5))
        text = display.marking.text
        assert text.startswith("line 1") and LONG[:70] in text
        for width in (47, 120, 80):
            await at_width(person, width)
            assert display.marking.text == text
            assert display.marking.dragging
        assert display.marking.selection == Selection(Position(line, 0), Position(line + 1, 5))
        assert display.view.top <= line <= display.view.top + display.screen.height


async def test_a_search_goes_on_where_it_was() -> None:
    """The place that is looked at stays the one, in sight, and the next is the next."""
    async with seat(PRINT) as person:
        await person.sees("line 200")
        await person.pilot.press("shift+pageup", "slash", *"line 15", "enter", "N", "N")
        display = person.terminal.display_model
        assert display.search is not None
        before, number = display.marking.text, display.search.at
        for width in (47, 120, 80):
            await at_width(person, width)
            assert display.search is not None and display.search.at == number
            assert display.marking.text == before == "line 15"
            assert any("line 15" in line for line in person.painted)
        await person.pilot.press("n")
        assert display.search.at == number + 1


async def test_a_search_goes_on_when_the_oldest_lines_are_gone() -> None:
    """Folded narrower than the scrollback holds, fewer places are left, and the one that is looked at is the same."""
    async with seat(PRINT, scrollback=300) as person:
        await person.sees("line 200")
        await person.pilot.press("shift+pageup", "slash", *"line", "enter", "N")
        display = person.terminal.display_model
        assert display.search is not None
        found, below = display.search.found, display.search.found - display.search.at
        await at_width(person, 33)
        assert display.search.found < found
        assert display.search.found - display.search.at == below, "as many places below it as before"


async def test_a_program_that_draws_the_screen_draws_it_anew() -> None:
    """What was selected on its page is gone with that page's old drawing."""
    async with seat(("sh", "-c", "seq 300 | less")) as person:
        await person.line("5")
        display = person.terminal.display_model
        display.marking.begin(display.cursor)
        await at_width(person, 60)
        assert display.marking.selection is None
        person.type("q")
