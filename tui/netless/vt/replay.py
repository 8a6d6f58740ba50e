"""What a terminal printed before, for an emulator that was not there: where to begin, and what can be told from it. Pure.

Of a long output only the last part may be left, which begins anywhere: in the middle of a character, of an escape sequence, of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from netless.vt.screen import PRIVATE, Modes, Screen

PIECE: Final = 1 << 13
"""Bytes that are carried out at once: a millisecond or two."""
_LINE: Final = 1 << 12
"""Bytes in which a line is expected to end."""
_ALTERNATE: Final = b"\x1b[?1049h"
_TURNED: Final = re.compile(rb"\x1b\[\?(?:47|1047|1049)([hl])")
_PROMPT: Final = "\x1b]133;B"
_COMMAND: Final = "\x1b]133;C"


def switches(screen: Screen) -> bytes:
    """What brings a terminal that was just switched on to the page and into the modes of this one."""
    plain, modes = Modes(), screen.modes
    changed = [number for number, name in PRIVATE.items() if getattr(modes, name) != getattr(plain, name)]
    told = [f"\x1b[?{number}{'h' if modes.report(number) == 1 else 'l'}" for number in (*changed, *filter(None, (modes.mouse,)))]
    return (_ALTERNATE if screen.alternate_active else b"") + "".join(told).encode()


def pieces(output: bytes, whole: bool, stood: bytes) -> Iterator[bytes]:
    """An output, piece by piece. One that is not ``whole`` begins behind its first line, or where an escape sequence begins if it has no lines.

    Before that come the switches as they ``stood`` later (``switches``): what was switched in between, the output itself says.
    """
    begin = 0
    if not whole:
        line = output.find(b"\n", 0, _LINE) + 1
        begin = line or max(output.find(b"\x1b"), 0)
        turned = _TURNED.search(output, begin)
        over = stood.startswith(_ALTERNATE) if turned is None else turned[1] == b"l"
        yield (_ALTERNATE if over else b"") + stood.removeprefix(_ALTERNATE)
    for place in range(begin, len(output), PIECE):
        yield output[place : place + PIECE]


def at_prompt(text: str) -> bool:
    """Whether what was printed last is a prompt with its mark (OSC 133;B), and nobody pressed Enter behind it."""
    prompt = text.rfind(_PROMPT)
    return prompt > text.rfind(_COMMAND) and "\n" not in text[prompt:]
