"""How text is printed to Textual: looks as styles of the theme, links as what the screen does when they are clicked, rows as strips."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.style import Style

from ..say.links import Copy, Do, Link, ShowPane, ShowTerminal, TakeScope, ToHop, ToStep, UseDialect
from ..say.text import Look, Text

Chosen = tuple[int, int | None, Style]
"""The letters from one to before another, or to the end, and their style."""

LOOKS: Final[dict[Look, str]] = {
    "strong": "bold", "emphasis": "italic", "struck": "strike", "underlined": "underline", "reversed": "reverse",
    "main": "$foreground", "muted": "$muted", "faint": "$faint", "accent": "$accent", "good": "$success", "bad": "$error", "warn": "$warning",
    "code": "$code", "command": "$code", "quoted": "$code", "label": "$muted", "ground": "on $code-background", "line": "$line", "bridge": "$bridge", "chip": "$chip",
}  # fmt: skip
"""Every look as a style; theme variables only, so that a change of theme repaints the same text."""


@lru_cache(maxsize=256)
def style_of(looks: tuple[Look, ...]) -> str:
    """Looks as one style, grounds last."""
    return " ".join(sorted((LOOKS[look] for look in looks), key=lambda style: style.startswith("on ")))


def action_of(link: Link) -> tuple[str, tuple[str | int, ...]]:
    """What a screen does when a link is clicked: its action and the parameters, which are never parsed."""
    match link:
        case Copy(text):
            return "app.copy_text_of", (text,)
        case ToStep(target):
            return "screen.go_to", (target,)
        case UseDialect(dialect):
            return "screen.use_dialect", (dialect,)
        case Do(command):
            return "screen.do", (command,)
        case ShowPane(pane):
            return "screen.do", (f"pane.{pane}",)
        case ShowTerminal(node):
            return "screen.show_terminal", (node,)
        case ToHop(journey, hop):
            return "screen.look_at_hop", (journey, hop)
        case TakeScope(scope):
            return "screen.scope", (scope,)


def clicked(link: Link) -> Style:
    """The style of a link."""
    return Style.from_meta({"@click": action_of(link)})


def content_of(text: Text) -> Content:
    """A text for what Textual paints itself, such as the border of a pane."""
    parts: list[Content] = []
    for span in text.spans:
        part = Content.styled(span.text, style_of(span.looks))
        parts.append(part if span.link is None else part.stylize(clicked(span.link)))
    return Content("").join(parts)


def strip_of(text: Text, base: Style, width: int, chosen: Chosen | None = None) -> Strip:
    """One row as a strip of exactly this width; with the letters that are ``chosen`` in a style of their own."""
    if chosen is None:
        pieces = _segments(text, base, None)
    else:
        start, end, style = chosen
        after = [] if end is None else _segments(text.part(end), base, None)
        pieces = [*_segments(text.part(0, start), base, None), *_segments(text.part(start, end), base, style), *after]
    return Strip(pieces).adjust_cell_length(width, base.rich_style)


def _segments(text: Text, base: Style, over: Style | None) -> list[Segment]:
    out: list[Segment] = []
    for span in text.spans:
        style = base + Style.parse(style_of(span.looks)) if span.looks else base
        if span.link is not None:
            style += clicked(span.link)
        out.append(Segment(span.text, (style if over is None else style + over).rich_style))
    return out
