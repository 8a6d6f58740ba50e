"""Markdown prose of a lesson as blocks: paragraphs, emphasis, code, lists, quotes, tables, headings. Nothing in it is markup."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from textual.content import Content

from .blocks import EMPTY, Block, Blocks, clickable, plain, table

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

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
                    yield from self._code(token.content)
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
            bar = plain(indent + "▎ ", "$accent")
            yield Block(content, first=bar, rest=bar)
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

    def _code(self, text: str) -> Iterator[Block]:
        for line in text.rstrip("\n").split("\n"):
            yield code_line(line)
        yield EMPTY


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
    styles: list[str] = [base] if base else []
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
    return Content("").join(parts) if parts else Content("")
