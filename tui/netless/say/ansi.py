"""Text for a terminal that shows colours: looks as SGR sequences (ECMA-48, 8.3.117), in the sixteen colours that every theme of a terminal has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .text import Look

CODES: Final[Mapping[Look, str]] = {
    "strong": "1", "emphasis": "3", "underlined": "4", "struck": "9", "muted": "2", "faint": "2", "label": "2", "line": "2",
    "accent": "34;1", "good": "36", "bad": "33;1", "warn": "33", "bridge": "35",
}  # fmt: skip
"""Looks that are shown; what has none here is told by its place and its signs alone."""


def coloured(text: str, looks: tuple[Look, ...]) -> str:
    """The text in its looks. It must not hold signs that act: whoever prints it has taken them out."""
    codes = ";".join(dict.fromkeys(code for look in looks if look in CODES for code in CODES[look].split(";")))
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text
