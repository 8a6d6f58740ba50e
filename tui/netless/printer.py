"""Results go to stdout, narration to stderr; colour only where a person looks and NO_COLOR is not set (no-color.org)."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import Any, TextIO

import msgspec

from netless_lab.documents import write_json
from netless_lab.harmless import ACTING, harmless

from .called import Called

FORMAT = 1
"""Version of the documents that --json prints: a key once there keeps its name and meaning, others may be added."""
_CODES = {"good": "36", "bad": "33;1", "dim": "2", "bold": "1", "accent": "34;1"}
_OWN = re.compile(rf"(\x1b\[(?:{'|'.join(sorted({*_CODES.values(), '0'}))})m)")
"""What ``style`` writes."""


class Printer:
    """The two streams of one command, and whether it answers in JSON. Commands in its sentences are worded as one can type them.

    What is said holds names that were given inside a lab, and the kernel lets an interface be called by an escape sequence: no sign of
    theirs that acts gets to the terminal.
    """

    def __init__(
        self, *, as_json: bool = False, called: Called | None = None, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._called = called or Called()
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def say(self, text: str = "") -> None:
        """A line of the result, for people."""
        if not self.as_json:
            print(_harmless(self._called.typed(text)), file=self._out)

    def raw(self, text: str) -> None:
        """A result that is the same for people and programs."""
        print(_harmless(text), file=self._out)

    def document(self, value: Any) -> None:
        """The one JSON document of a command with --json. What is no list also says its ``format``."""
        if self.as_json:
            plain = self._called.document(msgspec.to_builtins(value, str_keys=True))
            if isinstance(plain, dict):
                plain = {"format": FORMAT, **plain}
            laid_out = msgspec.json.format(write_json(plain), indent=2).decode()
            text = ACTING.sub(lambda sign: sign[0] if sign[0] == "\n" else _numbered(sign[0]), laid_out)
            print(text if self.can_say(text) else _ascii(text), file=self._out)

    def failure(self, text: str, code: int, nearest: tuple[str, ...] = (), **more: object) -> int:
        """Why a command could not be done, and what was perhaps meant; answers the exit code. ``more`` stands in the document only."""
        with contextlib.suppress(OSError):  # why may be that stdout takes nothing
            self.document({"error": text, "code": int(code), "nearest": list(nearest), **more})
        self.narrate(f"netless: {text}")
        if nearest and nearest[0] not in text:
            self.narrate("did you mean: " + ", ".join(nearest))
        return code

    def narrate(self, text: str) -> None:
        """What is going on, beside the result."""
        print(_harmless(self._called.typed(text)), file=self._err)

    def can_say(self, text: str) -> bool:
        """Whether the encoding of the result has every sign of the text."""
        try:
            text.encode(self._out.encoding or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def style(self, name: str, text: str) -> str:
        """``text`` in a style, where colour is wanted."""
        if self.as_json or "NO_COLOR" in os.environ or not self._out.isatty():
            return text
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m"


def _harmless(text: str) -> str:
    """The text without signs that act, but for its lines, its tabs and its styles."""
    return "".join(part if odd % 2 else harmless(part, "\t\n") for odd, part in enumerate(_OWN.split(text)))


def _ascii(document: str) -> str:
    """The same JSON document in ASCII: beyond it there are only signs in texts."""
    return re.sub(r"[^\x00-\x7f]", lambda sign: _numbered(sign[0]), document)


def _numbered(sign: str) -> str:
    """A sign of a text in JSON, written by its number (RFC 8259, 7)."""
    return re.sub("....", r"\\u\g<0>", sign.encode("utf-16-be").hex())


def plural(count: int, word: str, many: str = "") -> str:
    """``1 step``, ``2 steps``; ``many`` where an s is not enough."""
    return f"{count} {word if count == 1 else many or word + 's'}"
