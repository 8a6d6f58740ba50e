"""Where lines are written one below the other: wrapped to the width by cells, and nothing in them that acts, colours or draws."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from netless_lab.harmless import harmless

from ..called import Called
from ..say.ascii import DRAWN
from ..say.cells import cells, fitting
from ..say.plain import signed
from ..say.text import BLANK, Block, Span, Text, blanks, lay_out, ticked
from .words import worded

WIDE: Final = 80
"""Cells of what has no width."""
NARROWEST: Final = 20
"""The fewest cells that are written for."""
_INDENT: Final = 4
"""Cells that the further rows of a paragraph stand in at most."""
_MARKS: Final = ("✓", "✗", "●", "◐", "○", "•", "·", "▎")
"""Signs in front of a sentence that says the same, and the bar beside one."""


class Paper:
    """Standard output, as somebody reads it who may not see it."""

    def __init__(self, called: Called, write: Callable[[str], str] = str) -> None:
        """``write`` gives a text in the signs that can be read there."""
        self._called, self._write = called, write
        self._column = 0
        """How far the row is written; 0 at its beginning."""

    @property
    def width(self) -> int:
        """Cells of a row, as the terminal is now."""
        try:
            return max(NARROWEST, os.get_terminal_size(sys.stdout.fileno()).columns or WIDE)
        except OSError:
            return WIDE

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        try:
            size = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return WIDE, 24
        return size.columns or WIDE, size.lines or 24

    def say(self, text: str) -> None:
        """A sentence, with its code between backticks."""
        self.write((Block(ticked(text)),))

    def write(self, blocks: Iterable[Block]) -> None:
        """Paragraphs."""
        self.leave()
        ready = [replace(self._typed(block), keep=False) for block in signed(blocks)]
        for line in lay_out(ready, self.width):
            sys.stdout.write(self._write(harmless(line.content.plain).translate(DRAWN)).rstrip() + "\n")
        sys.stdout.flush()

    def pass_on(self, text: str) -> None:
        """What a program prints, which is plain text by now: wrapped at blanks where a whole line is there, else where the row is full."""
        for line in text.splitlines(keepends=True):
            words, ends = self._write(line.rstrip("\n").expandtabs()), line.endswith("\n")
            room = self.width - self._column
            whole = not self._column and ends
            rows = [row.plain for row in Text((Span(words),)).wrapped(self.width)] if whole else _filled(words, room, self.width)
            sys.stdout.write("\n".join(rows) + "\n" * ends)
            self._column = 0 if ends else cells(rows[-1]) + (self._column if len(rows) < 2 else 0)
        sys.stdout.flush()

    def ask(self, prompt: str) -> None:
        """A prompt: what is typed stands behind it."""
        self.leave()
        rows = [row.plain for row in Text((Span(self._write(harmless(prompt))),)).wrapped(self.width)]
        sys.stdout.write("\n".join(rows))
        sys.stdout.flush()
        self._column = cells(rows[-1])

    def typed(self, line: str | None = None) -> None:
        """Somebody has typed a line, which a terminal has shown; of a script it is told."""
        if line is not None:
            sys.stdout.write(harmless(line) + "\n")
        self._column = 0

    def leave(self) -> None:
        """Begin a line, if one stands unfinished."""
        if self._column:
            sys.stdout.write("\n")
            self._column = 0

    def _typed(self, block: Block) -> Block:
        """Commands named as one types them here."""
        first, rest = ((BLANK, None) if block.first.plain.strip() in _MARKS else (block.first, block.rest))
        text = Text(tuple(Span(self._called.typed(worded(span.text)), span.looks, span.link) for span in block.content.spans))
        if first.cells > _INDENT:  # a column of its own would leave a narrow terminal none
            first, rest, text = BLANK, blanks(_INDENT), first + text
        return replace(block, first=first, rest=rest, content=text)


def _filled(words: str, room: int, width: int) -> list[str]:
    """The text in rows, of which the first has room for so many cells."""
    rows: list[str] = []
    while words and cells(words) > room:
        kept, _ = fitting(words, max(room, 0))
        rows.append(words[:kept])
        words, room = words[kept:], width
    return [*rows, words]
