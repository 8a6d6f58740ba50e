"""What control characters, escape sequences and control sequences mean (ECMA-48; VT100-VT420; xterm's ctlseqs).

`CSI` is the table from a sequence's final character to the function that carries it out.

Answers to a program's questions (xterm's ctlseqs).  Pure strings, sent to the child as if typed.

Questions about the clipboard (OSC 52) and the window are not answered: a program must not read what it was not given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from netless.vt.screen import ALTERNATE, Screen

PRIMARY_ATTRIBUTES: Final = "\x1b[?62;22c"
"""DA1: a VT220 with ANSI colour."""
SECONDARY_ATTRIBUTES: Final = "\x1b[>41;0;0c"
"""DA2: of the VT420 family, as xterm says; version 0, so vim asks for nothing newer."""
NAME_AND_VERSION: Final = "\x1bP>|netless\x1b\\"
"""XTVERSION."""
STATUS: Final = "\x1b[0n"
"""DSR 5: no malfunction."""


def theme_colour(code: str, colour: str) -> str:
    """OSC 10 (foreground) and 11 (background); ``colour`` is #rrggbb."""
    red, green, blue = (colour[at : at + 2] * 2 for at in (1, 3, 5))
    return f"\x1b]{code};rgb:{red}/{green}/{blue}\x1b\\"


_FORM: Final = re.compile(r"([<=>?]?)([0-9:;]*+)([ -/]*+)")
"""A private marker, numbers, intermediate bytes."""
Parameters = Sequence[int]
Reply = Callable[[str], None]


def c0(screen: Screen, code: str) -> None:
    """A C0 or C1 control, except BEL."""
    if code == "\r":
        screen.carriage_return()
    elif code in "\n\x0b\x0c":
        if screen.modes.line_feed_returns:
            screen.x = 0
        screen.index()
    elif code == "\b":
        screen.move_x(-1)
    elif code == "\t":
        screen.tab(1)
    elif code in "\x0e\x0f":
        screen.shift = 1 if code == "\x0e" else 0
    elif code in "\x84\x85\x8d":
        escape(screen, chr(ord(code) - 0x40))


def escape(screen: Screen, sequence: str) -> None:
    """An escape sequence without parameters."""
    if sequence == "7":
        screen.save_cursor()
    elif sequence == "8":
        screen.restore_cursor()
    elif sequence == "D":
        screen.index()
    elif sequence == "E":
        screen.x = 0
        screen.index()
    elif sequence == "M":
        screen.reverse_index()
    elif sequence == "H":
        screen.set_tab()
    elif sequence == "c":
        screen.reset()
    elif sequence in "=>":
        screen.modes.application_keypad = sequence == "="
    elif sequence[0] in "()" and len(sequence) == 2:
        screen.charsets["()".index(sequence[0])] = sequence[1]
    elif sequence in ("%@", "%G"):  # to Latin-1 and to UTF-8: either ends line drawing
        screen.charsets[0], screen.shift = "B", 0
    elif sequence == "#8":
        screen.align()


def csi(screen: Screen, sequence: str, final: str, reply: Reply) -> None:
    """A control sequence other than SGR.  ``sequence`` has no control characters left in it.

    What is not of the form of ECMA-48 (5.4.2), such as a minus before a number, is carried out by nobody.
    """
    form = _FORM.fullmatch(sequence)
    if form is None:
        return
    private, digits, intermediate = form.groups()
    parameters = [int(part[:9]) if part else 0 for part in digits.replace(":", ";").split(";")[:32]]
    if private == "?" and not intermediate and final in "JK":
        private = ""  # selective erase: nothing is ever protected
    if not private and not intermediate:
        action = CSI.get(final)
        if action is not None:
            action(screen, parameters)
        else:
            _answer(screen, parameters[0], final, reply)
    elif private == "?" and not intermediate and final in "hl":
        for mode in parameters:
            _private_mode(screen, mode, final == "h")
    elif private == "?" and intermediate == "$" and final == "p":
        known = 1 if screen.alternate_active else 2
        setting = known if parameters[0] in ALTERNATE else screen.modes.report(parameters[0])
        reply(f"\x1b[?{parameters[0]};{setting}$y")  # DECRPM
    elif private == ">" and not intermediate and final == "c":
        reply(SECONDARY_ATTRIBUTES)
    elif private == ">" and not intermediate and final == "q":
        reply(NAME_AND_VERSION)
    elif not private and intermediate == "!" and final == "p":
        screen.soft_reset()


def _answer(screen: Screen, number: int, final: str, reply: Reply) -> None:
    if final == "n" and number == 6:
        row = screen.y - (screen.page.top if screen.modes.origin else 0)
        reply(f"\x1b[{row + 1};{screen.x + 1}R")  # DSR 6
    elif final == "n" and number == 5:
        reply(STATUS)
    elif final == "c":
        reply(PRIMARY_ATTRIBUTES)
    elif final == "t" and number == 18:
        reply(f"\x1b[8;{screen.height};{screen.columns}t")  # XTWINOPS 18


def _private_mode(screen: Screen, mode: int, on: bool) -> None:
    if mode in ALTERNATE:
        if mode == 1049 and on:
            screen.save_cursor()
        screen.switch_alternate(on)
        if mode == 1049 and not on:
            screen.restore_cursor()
    elif mode == 1048:
        if on:
            screen.save_cursor()
        else:
            screen.restore_cursor()
    elif screen.modes.switch(mode, on):
        if mode == 6:
            screen.goto(0, 0)
        elif mode == 5:
            screen.page.all_dirty = True


def _second(parameters: Parameters) -> int:
    return parameters[1] if len(parameters) > 1 else 0


def _erase_display(screen: Screen, parameters: Parameters) -> None:
    page, blank, mode = screen.page, screen.pen.blank, parameters[0]
    if mode in (0, 1):
        _erase_line(screen, parameters)
        for row in range(screen.y + 1, screen.height) if mode == 0 else range(screen.y):
            page.erase(row, 0, screen.columns, blank)
    elif mode == 2:
        page.fill(blank)
    elif mode == 3:
        page.clear_history()


def _erase_line(screen: Screen, parameters: Parameters) -> None:
    page, y, blank = screen.page, screen.y, screen.pen.blank
    mode = parameters[0]
    if mode == 0:
        if not screen.wrap_pending:  # "grep --color" ends a full line with this: the last letter stays
            page.erase(y, screen.x, screen.columns, blank)
    elif mode == 1:
        page.erase(y, 0, screen.x + 1, blank)
    elif mode == 2:
        page.erase(y, 0, screen.columns, blank)


def _erase_cells(screen: Screen, parameters: Parameters) -> None:
    screen.wrap_pending = False
    screen.page.erase(screen.y, screen.x, min(screen.columns, screen.x + (parameters[0] or 1)), screen.pen.blank)


def _insert_cells(screen: Screen, parameters: Parameters) -> None:
    screen.wrap_pending = False
    count = min(parameters[0] or 1, screen.columns)
    screen.page.insert(screen.y, screen.x, " " * count, screen.pen.blank)


def _delete_cells(screen: Screen, parameters: Parameters) -> None:
    screen.wrap_pending = False
    screen.page.delete(screen.y, screen.x, parameters[0] or 1, screen.pen.blank)


def _insert_rows(screen: Screen, parameters: Parameters) -> None:
    screen.page.insert_rows(screen.y, parameters[0] or 1, screen.pen.blank)
    if screen.page.top <= screen.y <= screen.page.bottom:
        screen.carriage_return()


def _delete_rows(screen: Screen, parameters: Parameters) -> None:
    screen.page.delete_rows(screen.y, parameters[0] or 1, screen.pen.blank)
    if screen.page.top <= screen.y <= screen.page.bottom:
        screen.carriage_return()


def _margins(screen: Screen, parameters: Parameters) -> None:
    top = (parameters[0] or 1) - 1
    bottom = min(_second(parameters) or screen.height, screen.height) - 1
    if top < bottom:
        screen.page.top, screen.page.bottom = top, bottom
        screen.goto(0, 0)


def _next_lines(screen: Screen, parameters: Parameters) -> None:
    screen.move_y(parameters[0] or 1)
    screen.x = 0


def _previous_lines(screen: Screen, parameters: Parameters) -> None:
    screen.move_y(-(parameters[0] or 1))
    screen.x = 0


def _to_column(screen: Screen, parameters: Parameters) -> None:
    screen.x = min(parameters[0] or 1, screen.columns) - 1
    screen.wrap_pending = False


def _down_past_margins(screen: Screen, parameters: Parameters) -> None:
    screen.y = min(screen.page.bottom if screen.modes.origin else screen.height - 1, screen.y + (parameters[0] or 1))
    screen.wrap_pending = False


def _clear_tabs(screen: Screen, parameters: Parameters) -> None:
    if parameters[0] == 3:
        screen.tabs = set()
    elif parameters[0] == 0:
        screen.clear_tab()


def _ansi_modes(on: bool) -> Callable[[Screen, Parameters], None]:
    def switch(screen: Screen, parameters: Parameters) -> None:
        if 4 in parameters:
            screen.modes.insert = on
        if 20 in parameters:
            screen.modes.line_feed_returns = on

    return switch


CSI: Final[dict[str, Callable[[Screen, Parameters], None]]] = {
    "@": _insert_cells,
    "A": lambda screen, p: screen.move_y(-(p[0] or 1)),
    "B": lambda screen, p: screen.move_y(p[0] or 1),
    "C": lambda screen, p: screen.move_x(p[0] or 1),
    "D": lambda screen, p: screen.move_x(-(p[0] or 1)),
    "E": _next_lines,
    "F": _previous_lines,
    "G": _to_column,
    "H": lambda screen, p: screen.goto((p[0] or 1) - 1, (_second(p) or 1) - 1),
    "I": lambda screen, p: screen.tab(p[0] or 1),
    "J": _erase_display,
    "K": _erase_line,
    "L": _insert_rows,
    "M": _delete_rows,
    "P": _delete_cells,
    "S": lambda screen, p: screen.page.delete_rows(screen.page.top, p[0] or 1, screen.pen.blank),
    "T": lambda screen, p: screen.page.scroll_down(p[0] or 1, screen.pen.blank),
    "X": _erase_cells,
    "Z": lambda screen, p: screen.tab(-(p[0] or 1)),
    "`": _to_column,
    "a": lambda screen, p: screen.move_x(p[0] or 1),
    "d": lambda screen, p: screen.goto((p[0] or 1) - 1, screen.x),
    "e": _down_past_margins,
    "f": lambda screen, p: screen.goto((p[0] or 1) - 1, (_second(p) or 1) - 1),
    "g": _clear_tabs,
    "h": _ansi_modes(True),
    "l": _ansi_modes(False),
    "r": _margins,
    "s": lambda screen, p: screen.save_cursor(),
    "u": lambda screen, p: screen.restore_cursor(),
}
