"""A lesson's Markdown as blocks: paragraphs, emphasis, code, lists, quotes, tables, headings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .cells import closes_up
from .links import Copy
from .text import BLANK, EMPTY, Block, Blocks, Look, Text, barred, blanks, plain, table

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

INLINE: Final[Mapping[str, Look]] = {"strong": "strong", "em": "emphasis", "s": "struck", "link": "underlined"}
BULLET = "•"


@lru_cache(maxsize=32)
def blocks_of(markdown: str, width: int) -> Blocks:
    """The blocks of a page, with a blank row between paragraphs. ``width`` matters to tables only."""
    tokens = _parser().parse(markdown)
    blocks = list(_Reader(width).read(iter(tokens)))
    while blocks and not blocks[-1].content and not blocks[-1].ground:
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
                    yield Block(_inline(next(tokens), "strong"))
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
                    yield Block(plain("─" * max(3, self.width), "line"), keep=True)
                    yield EMPTY

    def _paragraph(self, token: Token) -> Iterator[Block]:
        content = _inline(token, *(("muted",) if self.quoted else ()))
        indent = "  " * max(0, len(self.marks) - 1)
        if self.quoted:
            yield barred(content, "accent", indent=indent)
        elif self.marks:
            mark = indent + self._mark() if self.depth else indent + " " * len(self._mark(advance=False))
            self.depth = 0
            yield Block(content, first=plain(mark, "accent"), rest=blanks(len(mark)))
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


def code_line(text: str, *, copies: bool = True) -> Block:
    """One line of code on its own ground; choosing it ``copies`` it."""
    deep, code = len(text) - len(text.lstrip(" ")), plain(text, "code")
    return Block(code.leading(Copy(text)) if copies else code, first=blanks(1), rest=blanks(3 + deep), ground=True)


def _rows(tokens: Iterator[Token]) -> Iterator[list[Text]]:
    row: list[Text] = []
    for token in tokens:
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(_inline(token))
        elif token.type == "tr_close":
            yield row


def _inline(token: Token, *base: Look) -> Text:
    """The text of a paragraph with its emphasis as looks; what it links to is copied, for a browser that is elsewhere."""
    parts: list[Text] = []
    looks: list[tuple[Look, ...]] = [base]
    begun, address = 0, ""
    children = token.children or ()
    for number, child in enumerate(children):
        name, _, what = child.type.rpartition("_")
        now = tuple(look for own in looks for look in own)
        if child.type == "code_inline":
            parts.append(plain(child.content, "quoted"))
        elif child.type == "softbreak":
            parts.append(_soft(children, number))
        elif child.type == "hardbreak":
            parts.append(plain("\n"))
        elif what == "open":
            looks.append((INLINE[name],) if name in INLINE else ())
            begun, address = (len(parts), str(child.attrGet("href") or "")) if name == "link" else (begun, address)
        elif what == "close" and len(looks) > 1:
            looks.pop()
            if name == "link":
                parts[begun:] = [part.leading(Copy(address)) for part in parts[begun:]]
        elif child.content:
            parts.append(plain(child.content, *now))
    return BLANK.between(parts)


def _soft(children: Sequence[Token], number: int) -> Text:
    """What the end of a line in the source is in a paragraph: a blank, but nothing between ideographs."""
    before = "".join(child.content for child in children[:number])[-1:]
    after = "".join(child.content for child in children[number + 1 :])[:1]
    return BLANK if before and after and closes_up(before, after) else plain(" ")
