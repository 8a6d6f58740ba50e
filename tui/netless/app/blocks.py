"""Text as a pane shows it: blocks that wrap to any width with a hanging indent, and a lesson's Markdown as such blocks: paragraphs, emphasis,
code, lists, quotes, tables, headings. No widget in here, only values, and nothing in a text is markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.style import Style

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BLANK: Final = Content("")


@dataclass(frozen=True)
class Block:
    """A paragraph.

    ``first`` stands before its first line and ``rest`` before the others (both in cells of their own style); ``fill`` is the
    style laid under the whole row, for code; ``key`` lets a click find out which block it hit; ``keep`` forbids wrapping (the text
    is cut with an ellipsis when it does not fit).
    """

    content: Content
    first: Content = BLANK
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
EMPTY: Final = Block(BLANK)
"""A blank row."""


def plain(text: str, style: str = "") -> Content:
    """Text that is never markup, in a style such as ``$muted`` or ``bold $accent``. Control characters become spaces."""
    clean = "".join(character if character.isprintable() or character == "\n" else " " for character in text)
    return Content.styled(clean, style) if style else Content(clean)


def joined(*parts: Content | str | tuple[str, str]) -> Content:
    """One line made of parts, each plain or (text, style); nothing in it is markup."""
    return BLANK.join([_part(part) for part in parts])


def _part(part: Content | str | tuple[str, str]) -> Content:
    if isinstance(part, Content):
        return part
    return plain(part) if isinstance(part, str) else plain(*part)


def keyed(keys: Mapping[str, str], end: str = "") -> Content:
    """Keys and what each does, in a line."""
    ends = (*["  "] * (len(keys) - 1), end)
    return joined(*(part for (key, does), after in zip(keys.items(), ends, strict=True) for part in ((key, "$accent"), (f" {does}{after}", "$muted"))))


def ticked(text: str, style: str = "") -> Content:
    """A sentence in which backticks mark code; nothing else in it means anything."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return plain(text, style)
    return BLANK.join([plain(part, "$code" if odd % 2 else style) for odd, part in enumerate(parts)])


def barred(content: Content, style: str, *, indent: str = "", key: str = "") -> Block:
    """A paragraph with a bar of a style beside all of its rows."""
    bar = joined(indent, ("▎ ", style))
    return Block(content, first=bar, rest=bar, key=key)


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
        for number, piece in enumerate(pieces or [BLANK]):
            lines.append(Line((first if number == 0 else rest) + piece.rstrip_end(room), block.fill, block.key))
    return tuple(lines)


def table(rows: list[list[Content]], width: int) -> tuple[Block, ...]:
    """A table as blocks: the first row is its head; columns share the width by need and their cells wrap."""
    columns = max(len(row) for row in rows)
    rows = [row + [BLANK] * (columns - len(row)) for row in rows]
    wants = [max(1, *(row[column].cell_length for row in rows)) for column in range(columns)]
    widths = share(wants, max(columns, width - 2 * (columns - 1)))
    out: list[Block] = []
    for number, row in enumerate(rows):
        cells = [cell.wrap(widths[column]) or [BLANK] for column, cell in enumerate(row)]
        for height in range(max(map(len, cells))):
            parts = [(cell[height].rstrip() if height < len(cell) else BLANK) for cell in cells]
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


INLINE = {"strong": "bold", "em": "italic", "s": "strike", "link": "underline"}
CODE = "$code"
BULLET = "•"


@lru_cache(maxsize=32)
def blocks_of(markdown: str, width: int) -> Blocks:
    """The blocks of a page, with a blank row between paragraphs. ``width`` matters to tables only."""
    tokens = _parser().parse(markdown)
    blocks = list(_Reader(width).read(iter(tokens)))
    while blocks and not blocks[-1].content.plain and not blocks[-1].fill:
        blocks.pop()
    return tuple(blocks)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """CommonMark with tables; imported on first use, after the first frame is painted."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


class _Reader:
    """Turns a flat list of markdown-it tokens into blocks; lists nest by indent."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.marks: list[str] = []
        self.depth = 0
        self.quoted = 0

    def read(self, tokens: Iterator[Token]) -> Iterator[Block]:
        """Every block in order."""
        for token in tokens:
            match token.type:
                case "bullet_list_open" | "ordered_list_open":
                    self.marks.append("" if token.type.startswith("bullet") else str(token.attrGet("start") or 1))
                case "bullet_list_close" | "ordered_list_close":
                    self.marks.pop()
                    if not self.marks:
                        yield EMPTY
                case "list_item_open":
                    self.depth = len(self.marks)
                case "blockquote_open":
                    self.quoted += 1
                case "blockquote_close":
                    self.quoted -= 1
                case "heading_open":
                    yield Block(_inline(next(tokens), "bold"))
                    yield EMPTY
                case "paragraph_open":
                    yield from self._paragraph(next(tokens))
                case "fence" | "code_block":
                    yield from map(code_line, token.content.rstrip("\n").split("\n"))
                    yield EMPTY
                case "table_open":
                    yield from table(list(_rows(tokens)), self.width)
                    yield EMPTY
                case "hr":
                    yield Block(plain("─" * max(3, self.width), "$line"), keep=True)
                    yield EMPTY

    def _paragraph(self, token: Token) -> Iterator[Block]:
        content = _inline(token, "$muted" if self.quoted else "")
        indent = "  " * max(0, len(self.marks) - 1)
        if self.quoted:
            yield barred(content, "$accent", indent=indent)
        elif self.marks:
            mark = indent + self._mark() if self.depth else indent + " " * len(self._mark(advance=False))
            self.depth = 0
            yield Block(content, first=plain(mark, "$accent"), rest=Content(" " * len(mark)))
            return
        else:
            yield Block(content)
        yield EMPTY

    def _mark(self, advance: bool = True) -> str:
        mark = self.marks[-1]
        if not mark:
            return f"{BULLET} "
        if advance:
            self.marks[-1] = str(int(mark) + 1)
        return f"{mark}. "


def code_line(text: str) -> Block:
    """One line of code on its own ground; a click copies it."""
    content = clickable(plain(text, CODE), "copy_text_of", text)
    return Block(content, first=Content(" "), rest=Content("   "), fill="on $code-background")


def _rows(tokens: Iterator[Token]) -> Iterator[list[Content]]:
    row: list[Content] = []
    for token in tokens:
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(_inline(token))
        elif token.type == "tr_close":
            yield row


def _inline(token: Token, base: str = "") -> Content:
    """The text of a paragraph with its emphasis as styles."""
    parts: list[Content] = []
    styles = [base] if base else []
    for child in token.children or ():
        kind = child.type.rpartition("_")
        if child.type == "text":
            parts.append(plain(child.content, " ".join(styles)))
        elif child.type == "code_inline":
            parts.append(plain(child.content, CODE))
        elif child.type == "softbreak":
            parts.append(Content(" "))
        elif child.type == "hardbreak":
            parts.append(Content("\n"))
        elif kind[2] == "open":
            styles.append(INLINE.get(kind[0], ""))
        elif kind[2] == "close" and styles:
            styles.pop()
        elif child.content:
            parts.append(plain(child.content, " ".join(styles)))
    return BLANK.join(parts)
