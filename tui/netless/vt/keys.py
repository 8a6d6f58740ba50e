"""What a key, a mouse button or a paste sends to the child: xterm's encodings (ctlseqs, "PC-Style Function Keys", "Mouse Tracking").

Key names are those of the screen toolkit: modifiers and a base name joined by "+", as in ``ctrl+shift+up``.
"""

from __future__ import annotations

import re
from typing import Final

from ..key_names import sign_of

_LETTER: Final = {
    "up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F",
    "f1": "P", "f2": "Q", "f3": "R", "f4": "S",
}  # fmt: skip
_TILDE: Final = {
    "insert": 2, "delete": 3, "pageup": 5, "pagedown": 6, "f5": 15, "f6": 17, "f7": 18, "f8": 19,
    "f9": 20, "f10": 21, "f11": 23, "f12": 24,
}  # fmt: skip
_PLAIN: Final = {"enter": "\r", "tab": "\t", "escape": "\x1b", "backspace": "\x7f", "space": " "}
_CTRL: Final = {
    "at": "\x00", "space": "\x00", "left_square_bracket": "\x1b", "backslash": "\x1c", "right_square_bracket": "\x1d",
    "circumflex_accent": "\x1e", "underscore": "\x1f", "slash": "\x1f", "minus": "\x1f", "question_mark": "\x7f",
    "backspace": "\x08",
}  # fmt: skip
_UNSAFE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
PASTE_START: Final = "\x1b[200~"
PASTE_END: Final = "\x1b[201~"


def encode_key(key: str, character: str | None, application_cursor: bool) -> str | None:
    """The characters a key sends, or None when it sends nothing.  ``character`` is what it prints, if it prints."""
    base, modifiers = _split(key)
    if modifiers & {"super", "hyper"}:
        return None
    prefix = "\x1b" if modifiers & {"alt", "meta"} else ""
    code = 1 + ("shift" in modifiers) + 2 * bool(prefix) + 4 * ("ctrl" in modifiers)
    if base in _LETTER:
        final = _LETTER[base]
        if code > 1:
            return f"\x1b[1;{code}{final}"
        return f"\x1bO{final}" if final in "PQRS" or application_cursor else f"\x1b[{final}"
    if base in _TILDE:
        return f"\x1b[{_TILDE[base]};{code}~" if code > 1 else f"\x1b[{_TILDE[base]}~"
    if base == "tab" and "shift" in modifiers:
        return "\x1b[Z"
    if "ctrl" in modifiers:
        if base in _CTRL:
            return prefix + _CTRL[base]
        if len(base) == 1 and "a" <= base.lower() <= "z":
            return prefix + chr(ord(base.lower()) & 0x1F)
        return prefix + _PLAIN[base] if base in _PLAIN else None
    if base in _PLAIN:
        return prefix + _PLAIN[base]
    if character is not None and character.isprintable():
        return prefix + character
    letter = sign_of(base)
    if prefix and letter:
        return prefix + (letter.upper() if "shift" in modifiers else letter)
    return None


def _split(key: str) -> tuple[str, set[str]]:
    *modifiers, base = key.split("+")
    return base, set(modifiers)


def encode_mouse(button: int, column: int, row: int, pressed: bool) -> str:
    """An SGR mouse report (mode 1006).  Columns and rows count from 0 here.

    ``button``: 0 left, 1 middle, 2 right, 64 wheel up, 65 wheel down; plus 32 for a move, 4 shift, 8 meta, 16 ctrl.
    """
    return f"\x1b[<{button};{column + 1};{row + 1}{'M' if pressed else 'm'}"


def encode_paste(text: str, bracketed: bool) -> str:
    """Pasted text as the child should get it: line ends as Enter, control characters gone.

    In brackets the child knows it was pasted, so a shell does not run the lines.  Without control characters the text cannot
    close the bracket itself.
    """
    text = _UNSAFE.sub("", text.replace("\r\n", "\r").replace("\n", "\r"))
    return f"{PASTE_START}{text}{PASTE_END}" if bracketed else text


def encode_command(text: str, bracketed: bool) -> str:
    """A command line to be put at the prompt and not run: no Enter leaves here unless in brackets.

    A shell that does not know brackets gets the lines joined: a continued line as one, others with a semicolon.
    """
    text = _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")).strip("\n")
    if bracketed:
        return encode_paste(text, bracketed=True)
    return "; ".join(line.strip() for line in text.replace("\\\n", " ").split("\n") if line.strip())
