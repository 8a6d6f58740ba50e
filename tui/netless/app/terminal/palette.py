"""The sixteen named colours of a terminal, for a dark and a light background.

Every colour used for text has a contrast of at least 4.5 on the theme's background (WCAG 2.1, 1.4.3); only black on dark is left
dark, because programs use it as a background.  The other 240 colours and truecolour are what the program says.
"""

from __future__ import annotations

from typing import Final

Palette = tuple[str, ...]
"""Sixteen colours as #rrggbb: black, red, green, yellow, blue, magenta, cyan, white, and the bright ones."""

DARK: Final[Palette] = (
    "#232935", "#f2786b", "#5fc98f", "#e6b84c", "#6fb1f0", "#c79bf2", "#56c8d8", "#d8dde6",
    "#8a94a6", "#ff9a8c", "#86e0ac", "#f4d27a", "#9accff", "#dcbcff", "#86e1ee", "#ffffff",
)  # fmt: skip
LIGHT: Final[Palette] = (
    "#1f2530", "#b3261e", "#1a6b3c", "#7a5b00", "#1f5fbf", "#7a3fb5", "#00697a", "#5f6673",
    "#6b6f78", "#c2352b", "#1f7a46", "#856300", "#2b69c7", "#8648c4", "#00758a", "#3a4150",
)  # fmt: skip


def palette(dark: bool) -> Palette:
    """The colours for a dark or a light theme."""
    return DARK if dark else LIGHT
