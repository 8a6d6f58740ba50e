"""Text: spans with looks and links, wrapped, cut and padded by cells; and blocks of it, laid out at a width with a hanging indent.

A look is a word, and what it looks like is a printer's affair. Nothing in a text is markup, and no sign of it acts.

A log has tens of thousands of these and none can be in a ring, so the collector of garbage, which stands still for all it looks at, looks at none (``gc=False``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from .cells import cells, divide_line, fitting
from .links import Link

Look = Literal[
    "strong", "emphasis", "struck", "underlined", "reversed",
    "main", "muted", "faint", "accent", "good", "bad", "warn",
    "code", "command", "quoted", "label", "ground", "line", "bridge", "chip",
]  # fmt: skip
"""How a span looks: its letters, its colour by what it means, and what it is. ``command`` is a line to be typed, ``quoted`` is code within a
sentence, ``label`` says what comes after it, ``ground`` lies under code."""
Looked = tuple[str, *tuple[Look, ...]]
"""Words and how they look."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """Some text that looks like one and leads to one place."""

    text: str
    looks: tuple[Look, ...] = ()
    link: Link | None = None


class Text(msgspec.Struct, frozen=True, gc=False):
    """Spans in a row; "\\n" in them begins a line."""

    spans: tuple[Span, ...] = ()

    @property
    def plain(self) -> str:
        """The letters."""
        return "".join([span.text for span in self.spans])

    @property
    def cells(self) -> int:
        """How many cells it takes in a row."""
        return sum([cells(span.text) for span in self.spans])

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __add__(self, other: Text) -> Text:
        return Text(self.spans + other.spans)

    def looking(self, *looks: Look) -> Text:
        """The same, looking like this as well."""
        return Text(tuple(Span(span.text, (*span.looks, *looks), span.link) for span in self.spans))

    def leading(self, link: Link) -> Text:
        """The same, as a link."""
        return Text(tuple(Span(span.text, span.looks, link) for span in self.spans))

    def part(self, start: int, end: int | None = None) -> Text:
        """The letters from one place to before another."""
        out: list[Span] = []
        at = 0
        for span in self.spans:
            after = at + len(span.text)
            if after > start and (end is None or at < end):
                text = span.text[max(0, start - at) : None if end is None else end - at]
                out.append(span if len(text) == len(span.text) else Span(text, span.looks, span.link))
            at = after
        return Text(tuple(span for span in out if span.text))

    def parts(self, cuts: Iterable[int]) -> list[Text]:
        """Cut before each of these places."""
        places = [0, *cuts]
        if len(places) == 1:
            return [self]
        return [self.part(start, end) for start, end in zip(places, [*places[1:], None], strict=True)]

    def stripped(self) -> Text:
        """Without blanks at its end."""
        text = self.plain
        kept = len(text.rstrip())
        return self if kept == len(text) else self.part(0, kept)

    def lines(self) -> list[Text]:
        """Line by line."""
        text = self.plain
        if "\n" not in text:
            return [self]
        out: list[Text] = []
        at = 0
        for line in text.split("\n"):
            out.append(self.part(at, at + len(line)))
            at += len(line) + 1
        return out

    def wrapped(self, width: int) -> list[Text]:
        """Rows of at most so many cells."""
        out: list[Text] = []
        for line in self.lines():
            *rows, last = line.parts(divide_line(line.plain, width))
            out += [row.stripped() for row in rows]
            out.append(last if last.cells <= width else last.stripped())
        return out

    def cut(self, width: int) -> Text:
        """At most so many cells, ending in an ellipsis when it was longer."""
        if self.cells <= width:
            return self
        if width <= 0:
            return BLANK
        kept, blank = fitting(self.plain, width - 1)
        cut = self.part(kept, kept + 1).spans[0]
        return self.part(0, kept) + Text((Span(" " * blank + "…", cut.looks, cut.link),))

    def padded(self, width: int) -> Text:
        """At least so many cells, with blanks behind."""
        lack = width - self.cells
        return self + Text((Span(" " * lack),)) if lack > 0 else self

    def between(self, parts: Iterable[Text]) -> Text:
        """The parts, with this between each two."""
        out: list[Span] = []
        for number, part in enumerate(parts):
            out += (*self.spans, *part.spans) if number else part.spans
        return Text(tuple(out))


BLANK: Final = Text()
KEPT: Final = "\n\u00a0\u3000"
"""Line ends, and blanks that are no ASCII: the one that holds words together, and the one as wide as an ideograph."""


class Block(msgspec.Struct, frozen=True, gc=False):
    """A paragraph.

    ``first`` stands before its first line and ``rest`` before the others (as many blanks as ``first`` is wide when it is not given);
    ``ground`` lies under the whole of its rows, as under code; ``key`` lets a pane find it again; ``keep`` forbids wrapping (the text
    is cut with an ellipsis when it does not fit).
    """

    content: Text
    first: Text = BLANK
    rest: Text | None = None
    ground: bool = False
    key: str = ""
    keep: bool = False


class Line(msgspec.Struct, frozen=True, gc=False):
    """One row of a pane."""

    content: Text
    ground: bool = False
    key: str = ""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row of a list. ``value`` is what choosing it means; a row without one is a heading. ``first`` and ``rest`` stand before its lines as
    before those of a block, where it takes several; ``note`` is left out where it has no room behind the last.
    """

    content: Text
    value: str = ""
    first: Text = BLANK
    rest: Text | None = None
    note: Text = BLANK

    def lines(self, width: int) -> tuple[Text, ...]:
        """The same in lines of at most so many cells."""
        *lines, last = (line.content for line in lay_out((Block(self.content, self.first, self.rest),), width))
        return (*lines, last + self.note if last.cells + self.note.cells <= width else last)


Blocks = tuple[Block, ...]
EMPTY: Final = Block(BLANK)
"""A blank row."""


def plain(text: str, *looks: Look | None) -> Text:
    """Words and how they look; None is no look. What is neither letter nor line end becomes a blank."""
    if not text.isprintable():
        text = "".join([letter if letter.isprintable() or letter in KEPT else " " for letter in text])
    return Text((Span(text, tuple([look for look in looks if look])),)) if text else BLANK


def blanks(count: int) -> Text:
    """So many blanks."""
    return Text((Span(" " * count),)) if count > 0 else BLANK


def joined(*parts: Text | str | Looked) -> Text:
    """One text made of parts, each with or without looks."""
    spans: list[Span] = []
    for part in parts:
        spans += (part if isinstance(part, Text) else plain(part) if isinstance(part, str) else plain(*part)).spans
    return Text(tuple(spans))


def keyed(keys: Mapping[str, str], end: str = "") -> Text:
    """Keys and what each does, in a line."""
    ends = (*["  "] * (len(keys) - 1), end)
    return BLANK.between(joined((key, "accent"), (f" {does}{after}", "muted")) for (key, does), after in zip(keys.items(), ends, strict=True))


def ticked(text: str, *looks: Look | None) -> Text:
    """A sentence in which backticks mark code; nothing else in it means anything."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return plain(text, *looks)
    return BLANK.between([plain(part, "quoted") if odd % 2 else plain(part, *looks) for odd, part in enumerate(parts)])


def labelled(label: str, content: Text) -> Block:
    """A paragraph with its label before it, which has blanks around it where it stands in a column."""
    return Block(content, first=plain(label, "label"))


def barred(content: Text, look: Look, *, indent: str = "", key: str = "") -> Block:
    """A paragraph with a bar of a look beside all of its rows."""
    bar = joined(indent, ("▎ ", look))
    return Block(content, first=bar, rest=bar, key=key)


def lay_out(blocks: Iterable[Block], width: int) -> tuple[Line, ...]:
    """Every row of these blocks at a width of so many cells (at least 8)."""
    width = max(8, width)
    lines: list[Line] = []
    for block in blocks:
        first = block.first
        rest = block.rest if block.rest is not None else blanks(first.cells)
        room = max(4, width - max(first.cells, rest.cells))
        for number, piece in enumerate([block.content.cut(room)] if block.keep else block.content.wrapped(room)):
            lines.append(Line((rest if number else first) + piece, block.ground, block.key))
    return tuple(lines)


def table(rows: list[list[Text]], width: int) -> Blocks:
    """A table as blocks: the first row is its head; columns share the width by need and their cells wrap."""
    columns = max(len(row) for row in rows)
    rows = [row + [BLANK] * (columns - len(row)) for row in rows]
    wants = [max(1, *(row[column].cells for row in rows)) for column in range(columns)]
    widths = share(wants, max(columns, width - 2 * (columns - 1)))
    out: list[Block] = []
    for number, row in enumerate(rows):
        wrapped = [cell.wrapped(widths[column]) for column, cell in enumerate(row)]
        for height in range(max(map(len, wrapped))):
            parts = [(cell[height].stripped() if height < len(cell) else BLANK) for cell in wrapped]
            line = blanks(2).between(part.padded(widths[column]) for column, part in enumerate(parts))
            out.append(Block(line.looking("strong") if number == 0 else line, keep=True))
        if number == 0:
            out.append(Block(blanks(2).between(plain("─" * size, "line") for size in widths), keep=True))
    return tuple(out)


def share(wants: list[int], room: int) -> list[int]:
    """Divide room among columns: small wishes are met in full, the large share what is left."""
    widths = [0] * len(wants)
    order = sorted(range(len(wants)), key=lambda column: wants[column])
    left = room
    for place, column in enumerate(order):
        fair = max(1, left // (len(order) - place))
        widths[column] = min(wants[column], fair)
        left -= widths[column]
    return widths
