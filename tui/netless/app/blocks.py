"""Text as a pane shows it: blocks that wrap to any width with a hanging indent. No widget in here, only values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from textual.content import Content
from textual.style import Style


@dataclass(frozen=True)
class Block:
    """A paragraph.

    ``first`` stands before its first line and ``rest`` before the others (both in cells of their own style); ``fill`` is the
    style laid under the whole row, for code; ``key`` lets a click find out which block it hit; ``keep`` forbids wrapping (the text
    is cut with an ellipsis when it does not fit).
    """

    content: Content
    first: Content = field(default_factory=lambda: Content(""))
    rest: Content | None = None
    fill: str = ""
    key: str = ""
    keep: bool = False


@dataclass(frozen=True)
class Line:
    """One row of a pane."""

    content: Content
    fill: str = ""
    key: str = ""


Blocks = tuple[Block, ...]

EMPTY = Block(Content(""))
"""A blank row."""


def plain(text: str, style: str = "") -> Content:
    """Text that is never markup, in a style such as ``$muted`` or ``bold $accent``. Control characters become spaces."""
    clean = "".join(character if character.isprintable() or character == "\n" else " " for character in text)
    return Content.styled(clean, style) if style else Content(clean)


def joined(*parts: Content | str | tuple[str, str]) -> Content:
    """One line made of parts, each plain or (text, style); nothing in it is markup."""
    return Content("").join([_part(part) for part in parts])


def _part(part: Content | str | tuple[str, str]) -> Content:
    if isinstance(part, Content):
        return part
    return plain(part) if isinstance(part, str) else plain(*part)


def ticked(text: str, style: str = "") -> Content:
    """A sentence in which backticks mark code; nothing else in it means anything."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return plain(text, style)
    return Content("").join([plain(part, "$code" if odd % 2 else style) for odd, part in enumerate(parts)])


def clickable(content: Content, action: str, *params: str | int) -> Content:
    """The same text, doing an action of the screen when clicked. Parameters travel as values and are never parsed."""
    return content.stylize(Style.from_meta({"@click": (f"screen.{action}", params)}))


def lay_out(blocks: Iterable[Block], width: int) -> tuple[Line, ...]:
    """Every row of these blocks at a width of so many cells (at least 8)."""
    width = max(8, width)
    lines: list[Line] = []
    for block in blocks:
        first = block.first
        rest = block.rest if block.rest is not None else Content(" " * first.cell_length)
        room = max(4, width - max(first.cell_length, rest.cell_length))
        pieces = [block.content.truncate(room, ellipsis=True)] if block.keep else block.content.wrap(room)
        for number, piece in enumerate(pieces or [Content("")]):
            lines.append(Line((first if number == 0 else rest) + piece.rstrip_end(room), block.fill, block.key))
    return tuple(lines)


def table(rows: list[list[Content]], width: int) -> tuple[Block, ...]:
    """A table as blocks: the first row is its head; columns share the width by need and their cells wrap."""
    columns = max(len(row) for row in rows)
    rows = [row + [Content("")] * (columns - len(row)) for row in rows]
    wants = [max(1, *(row[column].cell_length for row in rows)) for column in range(columns)]
    widths = share(wants, max(columns, width - 2 * (columns - 1)))
    out: list[Block] = []
    for number, row in enumerate(rows):
        cells = [cell.wrap(widths[column]) or [Content("")] for column, cell in enumerate(row)]
        for height in range(max(map(len, cells))):
            parts = [(cell[height].rstrip() if height < len(cell) else Content("")) for cell in cells]
            padded = [part.pad_right(widths[column] - part.cell_length) for column, part in enumerate(parts)]
            line = Content("  ").join(padded)
            out.append(Block(line.stylize("bold") if number == 0 else line, keep=True))
        if number == 0:
            out.append(Block(Content("  ").join([plain("─" * size, "$line") for size in widths]), keep=True))
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
