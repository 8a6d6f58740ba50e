"""What is told in passing of what a key did, or why it did nothing: sentences alone, for whoever sits at a desk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final


def went_on(before: str, title: str) -> str:
    """Of a step that was to be done and holds already: Run did the one after it, called ``title``."""
    return f"“{before}” holds already, so Run went on to “{title}”."


def left_out(count: int, process: str) -> str:
    """Of so many lines of a step that cannot be typed yet: why. ``process`` stands for the number that is lacking (``$PID_c2``)."""
    said = "1 line was left out: it needs" if count == 1 else f"{count} lines were left out: they need"
    return f"{said} `{process}`, which does not run yet."


NO_WAY_BACK: Final = "There is no pane to go back to: you are in the one you began in."
NO_SHELLS: Final = "There are no shells to take over: no other tutor of this lab has any, and none is left from before."
NO_PROMPT: Final = "There is no prompt to type at: something runs in this terminal."
NO_SCREEN: Final = "There is no screen here that could be kept as a picture."
BYTES_THERE: Final = "The bytes of the packet are there: choose its hop again to see them."
NO_WAY_DRAWN: Final = "No packet is kept whose way is drawn in this picture."


def nothing_moves(key: str) -> str:
    """Of a packet that was to be held, or moved by a cell; ``key`` has the newest one move."""
    return f"No packet moves just now: `{key}` has the newest move once more."


def not_now(reason: str) -> str:
    """Why a key, or a word, cannot act."""
    return f"Not now. {reason}"


def not_done(reason: str) -> str:
    """Why what was chosen in a window was not done."""
    return f"Not done. {reason} Choose it again when it is possible."


def done(success: str) -> str:
    """A step holds, for one who does not see the check; ``success`` is the page's sentence, where it is true."""
    return f"✓ {success or 'Done.'}"


def seen_and_cause(seen: str, cause: str) -> str:
    """Why a packet died, in passing."""
    return f"{seen} {cause}".strip()


def copied(text: str) -> str:
    """What was copied, as far as a row holds it."""
    first, *others = text.split("\n")
    return f"Copied: {first if not others and len(text) < 60 else first[:56] + ' …'}"


def not_shown(count: int) -> str:
    """Of so many notices."""
    return f"Notices that came too fast to be shown: {count}"


def keys_left_out(count: int) -> str:
    """Of so many keys."""
    return f"Too many keys were waiting. Those that came after them were left out, {count} in all: type them again."


def processes_in(lines: Iterable[str]) -> tuple[str, ...]:
    """What stands in these lines for the number of a process that does not run yet (``$PID_c2``), each once."""
    return tuple(dict.fromkeys(name for line in lines for name in re.findall(r"\$PID_\w+", line)))
