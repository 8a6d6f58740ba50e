"""Results go to stdout, narration to stderr; colour only where a person looks and NO_COLOR is not set (no-color.org)."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import msgspec

_CODES = {"good": "36", "bad": "33;1", "dim": "2", "bold": "1", "accent": "34;1"}


class Printer:
    """The two streams of one command, and whether it answers in JSON."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def say(self, text: str = "") -> None:
        """A line of the result, for people."""
        if not self.as_json:
            print(text, file=self._out)

    def raw(self, text: str) -> None:
        """A result that is the same for people and programs."""
        print(text, file=self._out)

    def document(self, value: Any) -> None:
        """The one JSON document of a command with --json."""
        if self.as_json:
            print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), file=self._out)

    def narrate(self, text: str) -> None:
        """What is going on, beside the result."""
        print(text, file=self._err)

    def style(self, name: str, text: str) -> str:
        """``text`` in a style, where colour is wanted."""
        if self.as_json or "NO_COLOR" in os.environ or not self._out.isatty():
            return text
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m"


def plural(count: int, word: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
