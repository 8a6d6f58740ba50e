"""Selecting and copying, by mouse and by keys."""

from __future__ import annotations

from textual.events import MouseScrollUp

from terminal.host import Seat, seat

COUNTING = ("sh", "-c", "seq -f 'line %g of text' 40; printf 'ip addr add 10.0.0.1/24 dev br0\\n'; exec cat")


def copied(person: Seat) -> list[str]:
    """What went to the clipboard, in order."""
    return person.app.copied


def wheel_up(person: Seat) -> MouseScrollUp:
    """The wheel, one notch, over the terminal."""
    return MouseScrollUp(person.terminal, 5, 5, 0, 0, 0, shift=False, meta=False, ctrl=False)


def row_of(person: Seat, text: str) -> int:
    """The widget's row, border counted, that shows this line."""
    return person.painted.index(text) + 1


async def test_dragging_copies() -> None:
    """The text dragged over is marked, copied when the button goes up, and forgotten when a key is typed."""
    async with seat(COUNTING) as person:
        await person.sees("dev br0")
        first = row_of(person, "line 39 of text")
        await person.pilot.mouse_down(person.terminal, offset=(6, first))
        await person.pilot.hover(person.terminal, offset=(7, first + 1))
        await person.pilot.mouse_up(person.terminal, offset=(7, first + 1))
        await person.until(lambda: copied(person))
        assert copied(person) == ["39 of text\nline 40"]
        assert person.app.clipboard == "39 of text\nline 40"
        assert person.terminal.display_model.marking.selection
        await person.pilot.press("x")
        assert person.terminal.display_model.marking.selection is None


async def test_a_click_copies_nothing() -> None:
    """Clicking to get the focus neither selects nor copies."""
    async with seat(COUNTING) as person:
        await person.sees("dev br0")
        await person.pilot.click(person.terminal, offset=(6, 3))
        await person.pilot.pause()
        assert copied(person) == []
        assert person.terminal.has_focus


async def test_two_clicks_take_a_word_and_three_a_line() -> None:
    """An address with its prefix is one word."""
    async with seat(COUNTING) as person:
        await person.sees("dev br0")
        row = row_of(person, "ip addr add 10.0.0.1/24 dev br0")
        await person.pilot.click(person.terminal, offset=(16, row), times=2)
        await person.until(lambda: copied(person))
        assert copied(person)[-1] == "10.0.0.1/24"
        await person.pilot.click(person.terminal, offset=(16, row), times=3)
        await person.until(lambda: copied(person)[-1] == "ip addr add 10.0.0.1/24 dev br0")


async def test_selecting_by_keys() -> None:
    """Shift and arrows select, arrows alone move the start, enter copies, escape gives up; the program sees none of it."""
    async with seat(COUNTING) as person:
        await person.sees("dev br0")
        await person.pilot.press("shift+up", "home", "shift+right", "shift+right", "shift+right")
        assert "Enter copy" in person.terminal.keys_hint
        await person.pilot.press("enter")
        await person.until(lambda: copied(person))
        assert copied(person) == ["ip a"]
        await person.pilot.press("shift+up", "escape")
        assert person.terminal.display_model.marking.selection is None
        assert copied(person) == ["ip a"]
        assert person.text.rstrip().endswith("dev br0")


async def test_ctrl_c_is_not_copy() -> None:
    """With a selection ctrl+c still interrupts the program."""
    async with seat() as person:
        await person.run("sleep 100")
        await person.running("sleep")
        await person.pilot.press("shift+up", "shift+up", "ctrl+c")
        await person.sees("^C")
        await person.prompt()
        assert copied(person) == []


async def test_folded_lines_are_copied_whole() -> None:
    """A line longer than the screen is one line on the clipboard; a double-width character is whole."""
    async with seat(("sh", "-c", f"echo {'0123456789' * 10}网线; exec cat")) as person:
        await person.sees("网线")
        await person.pilot.click(person.terminal, offset=(3, 1), times=3)
        await person.until(lambda: len(copied(person)) == 2)
        assert copied(person)[1] == "0123456789" * 10 + "网线"


async def test_selection_stays_on_its_text() -> None:
    """Output that scrolls the screen moves the selection with the text."""
    async with seat(("sh", "-c", "echo mark; read x; seq 60; exec cat")) as person:
        await person.sees("mark")
        await person.pilot.click(person.terminal, offset=(2, 1), times=2)
        await person.until(lambda: copied(person))
        person.type("\r")
        await person.line("60")
        assert person.terminal.display_model.marking.text == "mark"


async def test_wheel_scrolls_and_full_screen_programs_get_arrows() -> None:
    """The wheel scrolls the text back; less gets arrow keys instead; a program that asked gets the mouse itself."""
    async with seat() as person:
        await person.run("seq 300")
        await person.line("300")
        person.terminal.post_message(wheel_up(person))
        await person.until(lambda: "lines back" in person.terminal.keys_hint)
        person.terminal.settle()
        await person.run("seq 1000 1300 | less")
        await person.line("1000")
        person.type(" ")
        await person.until(lambda: "1000" not in person.text)
        top = int(person.text.split("\n")[0])
        person.terminal.post_message(wheel_up(person))
        await person.line(str(top - 3))
        person.type("q")


async def test_mouse_goes_to_a_program_that_asks() -> None:
    """Presses are reported in SGR form with the cell under the mouse; with shift they stay the terminal's."""
    async with seat(("sh", "-c", "stty raw -echo; printf '\\033[?1000h\\033[?1006hready\\r\\n'; exec cat -v")) as person:
        await person.sees("ready")
        await person.pilot.click(person.terminal, offset=(5, 3))
        await person.sees("^[[<0;5;3M^[[<0;5;3m")
        await person.pilot.click(person.terminal, offset=(2, 1), times=2, shift=True)
        await person.until(lambda: copied(person))
        assert copied(person) == ["ready"]
