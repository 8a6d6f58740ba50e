"""Text without looks: what a look tells is told by signs, so that a pipe, a file and a reader that speaks lose nothing.

Code in a sentence stands in backticks, a command to be typed after a dollar sign, and what a label is of after a colon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .text import Block, Blocks, Span, Text, blanks, joined


def signed(blocks: Iterable[Block]) -> Blocks:
    """The same blocks, with signs for looks; they are laid out like any others."""
    return tuple(_signed(block) for block in blocks)


def rows(blocks: Iterable[Block], indent: int = 0) -> Iterator[Text]:
    """The rows of such blocks as long as they are: whoever shows them wraps them."""
    for block in signed(blocks):
        first, *others = block.content.lines()
        rest = block.rest if block.rest is not None else blanks(block.first.cells) if others else None
        yield blanks(indent) + block.first + first
        for line in others:
            yield joined(blanks(indent), rest or "", line)


def quoting(text: Text) -> Text:
    """A sentence with the code in it between backticks."""
    if not any("quoted" in span.looks for span in text.spans):
        return text
    return Text(tuple(Span(f"`{span.text}`", span.looks, span.link) if "quoted" in span.looks else span for span in text.spans))


def _signed(block: Block) -> Block:
    content, first = quoting(block.content), Text(tuple(map(_labelling, block.first.spans)))
    if not first.plain.strip() and content and "command" in content.spans[0].looks:
        first += Text((Span("$ ", ("muted",)),))
    return Block(content, first, block.rest, block.ground, block.key, block.keep)


def _labelling(span: Span) -> Span:
    return Span(f"{span.text.rstrip(' :')}: ", span.looks, span.link) if "label" in span.looks else span
