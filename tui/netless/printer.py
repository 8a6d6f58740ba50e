"""What a command says and how it ends. Results go to stdout, narration to stderr; colour only where a person looks and NO_COLOR is not set (no-color.org)."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final, Literal, NamedTuple, TextIO

import msgspec

from netless_lab.documents import write_json
from netless_lab.harmless import ACTING, harmless

from .called import Called

FORMAT = 1
"""Version of the documents that --json prints: a key once there keeps its name and meaning, others may be added."""
Style = Literal["good", "bad", "dim", "bold", "accent"]
_CODES: Final[Mapping[Style, str]] = {"good": "36", "bad": "33;1", "dim": "2", "bold": "1", "accent": "34;1"}


class Exit(IntEnum):
    """What the exit code of every verb means; scripts and graders may rely on it."""

    PASS = 0
    """It worked; the check passed."""
    FAIL = 1
    """The check failed, or the probe was not answered."""
    USAGE = 2
    """Wrong usage, an unknown name, or a lesson that cannot be read."""
    MACHINE = 3
    """This machine cannot; `netless doctor` says why."""
    OURS = 4
    """A fault of netless itself."""
    NO_LAB = 5
    """There is no such lab: nothing was judged, and nothing was started."""


class Styled(NamedTuple):
    """A part of a line in a style, which it has where colour is wanted."""

    style: Style
    text: str


class Printer:
    """The two streams of one command, and whether it answers in JSON. Commands in its sentences are worded as one can type them.

    What is said holds names that were given inside a lab, and the kernel lets an interface be called by an escape sequence: no sign of
    theirs that acts gets to the terminal. Hence a style is put on a part that says nothing but words by then, and never looked for in a text.
    """

    def __init__(
        self, *, as_json: bool = False, called: Called | None = None, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._called = called or Called()
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def say(self, *parts: str | Styled) -> None:
        """A line of the result, for people, from its parts."""
        if not self.as_json:
            print("".join(map(self._shown, parts)), file=self._out)

    def row(self, *parts: str | Styled) -> None:
        """The same of one thing among others of its kind: one line, whatever a namespace is called."""
        self.say(*(part._replace(text=harmless(part.text, "\t")) if isinstance(part, Styled) else harmless(part, "\t") for part in parts))

    def raw(self, text: str) -> None:
        """A result that is the same for people and programs."""
        print(_harmless(text), file=self._out)

    def document(self, value: Any) -> None:
        """The one JSON document of a command with --json. What is no list also says its ``format``."""
        if self.as_json:
            plain = self._called.document(msgspec.to_builtins(value, str_keys=True))
            if isinstance(plain, dict):
                plain = {"format": FORMAT, **plain}
            self.raw_document(msgspec.json.format(write_json(plain), indent=2).decode())

    def raw_document(self, text: str) -> None:
        """A JSON document that is the same for people and programs; the signs of its texts that act are written by their numbers."""
        quiet = quieted(text)
        print(quiet if self.can_say(quiet) else _ascii(quiet), file=self._out)

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

    def _shown(self, part: str | Styled) -> str:
        text = _harmless(self._called.typed(part.text if isinstance(part, Styled) else part))
        if not isinstance(part, Styled) or "NO_COLOR" in os.environ or not self._out.isatty():
            return text
        return f"\x1b[{_CODES[part.style]}m{text}\x1b[0m"


def _harmless(text: str) -> str:
    """The text without signs that act, but for its lines and its tabs."""
    return harmless(text, "\t\n")


def quieted(document: str) -> str:
    """The same JSON document without a sign that acts, but for its own lines."""
    return re.sub(ACTING, lambda sign: sign[0] if sign[0] == "\n" else _numbered(sign[0]), document)


def _ascii(document: str) -> str:
    """The same JSON document in ASCII: beyond it there are only signs in texts."""
    return re.sub(r"[^\x00-\x7f]", lambda sign: _numbered(sign[0]), document)


def _numbered(sign: str) -> str:
    """A sign of a text in JSON, written by its number (RFC 8259, 7)."""
    return re.sub("....", r"\\u\g<0>", sign.encode("utf-16-be").hex())


def plural(count: int, word: str, many: str = "") -> str:
    """``1 step``, ``2 steps``; ``many`` where an s is not enough."""
    return f"{count} {word if count == 1 else many or word + 's'}"
