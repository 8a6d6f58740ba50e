"""What a command says and how it ends. Results go to stdout, narration to stderr; colour only where a person looks, on a
terminal that has any, and NO_COLOR says nothing (no-color.org).
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from netless_lab.documents import write_json
from netless_lab.harmless import ACTING, harmless

from .called import Called

if TYPE_CHECKING:
    from .say.text import Block, Text

FORMAT = 1
"""Version of the documents that --json prints: a key once there keeps its name and meaning, others may be added."""


class Exit(IntEnum):
    """What the exit code of every verb means; scripts and graders may rely on it."""

    PASS = 0
    """It worked; the check passed."""
    FAIL = 1
    """The check failed, or the probe was not answered; or nothing was done, since the lab forbids it now, or nobody agreed to what would go."""
    USAGE = 2
    """Wrong usage, an unknown name, or a lesson that cannot be read."""
    MACHINE = 3
    """This machine cannot; `netless doctor` says why."""
    OURS = 4
    """A fault of netless itself."""
    NO_LAB = 5
    """There is no such lab: nothing was judged, and nothing was started."""


class Printer:
    """The two streams of one command, and whether it answers in JSON. Commands in its sentences are worded as one can type them.

    What is said holds names that were given inside a lab, and the kernel lets an interface be called by an escape sequence: no sign of
    theirs that acts gets to the terminal. Hence a look is put on a part that says nothing but words by then, and never looked for in a text.
    """

    def __init__(
        self, *, as_json: bool = False, called: Called | None = None, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._called = called or Called()
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._in_lines = False

    def go_on(self) -> None:
        """The command goes on: from now on each of its JSON documents has a line to itself, the last one as well."""
        self._in_lines = True

    def say(self, *parts: str | Text) -> None:
        """A line of the result, for people, from its parts."""
        if not self.as_json:
            self._print(parts, self._out, "\t\n")

    def row(self, *parts: str | Text) -> None:
        """The same of one thing among others of its kind: one line, whatever a namespace is called."""
        if not self.as_json:
            self._print(parts, self._out, "\t")

    def tell(self, blocks: Iterable[Block], indent: int = 0, *, aside: bool = False) -> None:
        """Paragraphs, so many cells from the left: of the result, or ``aside`` of it."""
        if aside or not self.as_json:
            from .say.plain import rows  # what a command that tells none need not read

            for row in rows(blocks, indent):
                self._print((row,), self._err if aside else self._out, "\t\n")

    def raw(self, text: str) -> None:
        """A result as it stands, which a shell or another program may read as well: with --json it is in the document."""
        if not self.as_json:
            print(_harmless(text), file=self._out)

    def document(self, value: Any) -> None:
        """The one JSON document of a command with --json, or one of those of a command that goes on. What is no list also says its ``format``."""
        if self.as_json:
            plain = self._called.document(msgspec.to_builtins(value, str_keys=True))
            if isinstance(plain, dict):
                plain = {"format": FORMAT, **plain}
            written = write_json(plain)
            self.raw_document((written if self._in_lines else msgspec.json.format(written, indent=2)).decode())

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

    def _print(self, parts: Iterable[str | Text], to: TextIO, kept: str) -> None:
        """One line, in its looks where somebody sees them. Of the signs that act only those in ``kept`` are let through."""
        print("".join([self._shown(part, to, kept) for part in parts]), file=to)

    def _shown(self, part: str | Text, to: TextIO, kept: str) -> str:
        if isinstance(part, str):
            return harmless(self._called.typed(part), kept)
        words = [harmless(self._called.typed(span.text), kept) for span in part.spans]
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not to.isatty():
            return "".join(words)
        from .say.ansi import coloured  # what a pipe need not read

        return "".join([coloured(word, span.looks) for word, span in zip(words, part.spans, strict=True)])


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

