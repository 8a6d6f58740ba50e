"""How the app looks: its theme, and whether it goes without colours or without signs beyond ASCII. Decided at the start; the theme can be changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

from textual.app import App
from textual.filter import LineFilter, Monochrome, NoColor

from netless_lab.errors import Refusal

from ..config.colours import Palette, hard_to_read
from ..config.glyphs import ascii_only, speaks_utf8
from ..config.place import OWN, palette, palettes
from ..config.schema import Settings
from ..desk.reduce import Told
from .filters import Ascii, Colourless
from .themes import theme
from .toolkit import begin_in

BY_SHAPE: Final = "-by-shape"
"""A class of the app whose panes tell by their border which has the focus."""
_TOLD_BY_GROUND: Final = ("chosen", "flash", "screen-selection-background", "foreground")
"""Grounds that mean something; the last one lies under the cursor of a line to type in."""
_LESS: Final = ("faint",)
_OTHER: Final = ("code",)


class Appearance:
    """Of one app, which has just been made, with the toolkit's own filters."""

    def __init__(self, app: App[Any], filters: Sequence[LineFilter], own: Palette, settings: Settings) -> None:
        self._app, self._palette = app, own
        plain = ascii_only(settings.glyphs, os.environ)
        app.set_class(app.no_color or plain, BY_SHAPE)
        if not settings.animations:
            app.animation_level = "none"
        self._signs = Ascii(letters=speaks_utf8(os.environ)) if plain else None
        self._toolkits = tuple(own for own in filters if not isinstance(own, Monochrome | NoColor))
        self.filters: Sequence[LineFilter] = ()
        """What is done to every line before it is written."""
        self._show(own)

    def _show(self, own: Palette) -> None:
        self._palette = own
        signs = (self._signs,) if self._signs is not None else ()
        colours = (_colourless(own),) if self._app.no_color else ()
        self.filters = (*self._toolkits, *colours, *signs)
        self._app.register_theme(theme(own))
        if self._app.is_running:
            self._app.theme = own.name
        else:
            begin_in(self._app, own.name)

    def turn(self) -> list[Told]:
        """The next theme that can be used: dark, light, then a person's own by name. Says which, and what is wrong with any."""
        names = [*OWN, *palettes(os.environ)]
        here = names.index(self._palette.name) if self._palette.name in names else -1
        out: list[Told] = []
        for name in (*names[here + 1 :], *names[: here + 1]):
            try:
                found = palette(name, os.environ)
            except Refusal as refused:
                out.append(Told("warning", str(refused)))
                continue
            self._show(found)
            return [*out, Told("info", f"Theme {name}"), *self.complaints()]
        return out

    def complaints(self) -> list[Told]:
        """What can hardly be read in a theme of a person's own."""
        return [] if self._app.no_color else [Told("warning", f"Theme {self._palette.name}: {words}") for words in hard_to_read(self._palette)]


def _colourless(own: Palette) -> Colourless:
    grounds, faint, strong = (frozenset(own.colours[word].lower() for word in words) for words in (_TOLD_BY_GROUND, _LESS, _OTHER))
    return Colourless(grounds, faint, strong)
