"""Colours for printers that have no theme of their own: the post's picture, dark and light.

Containers orange, green, blue; interface chips yellow; the bridge purple. Success is sky and error vermillion, which stay apart for
colour-blind eyes (after Okabe and Ito); every state has its own shape as well.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Palette(msgspec.Struct, frozen=True):
    """A colour for each style word of a scene."""

    name: Literal["dark", "light"]
    background: str
    foreground: str
    colours: dict[str, str]

    def colour(self, style: str) -> str:
        """The colour of a style; titles share the colour of their frame."""
        return self.colours.get(style) or self.colours.get(style.removesuffix("-title")) or self.foreground


def _palette(name: Literal["dark", "light"], background: str, foreground: str, **own: str) -> Palette:
    colours = {
        "node-host": own["host"], "node-internet": own["host"], "node-router": own["host"], "node-unknown": own["muted"],
        "container-0": own["orange"], "container-1": own["green"], "container-2": own["blue"], "chip": own["chip"],
        "address": foreground, "dim": own["muted"], "ghost": own["faint"], "more": own["warning"], "bridge": own["purple"],
        "bridge-wait": own["purple"], "bridge-down": own["muted"], "port-up": own["good"], "port-wait": own["warning"],
        "port-down": own["muted"], "dead": own["bad"], "wire-up": own["wire"], "wire-wait": own["muted"], "wire-down": own["muted"],
        "route": own["wire"], "gate-open": own["good"], "gate-narrow": own["warning"], "gate-closed": own["bad"],
        "gate-absent": own["faint"], "gate-unknown": own["muted"],
    }  # fmt: skip
    return Palette(name, background, foreground, colours)


DARK = _palette(
    "dark", "#12151b", "#d8dde6", host="#9aa5b8", orange="#e8963a", green="#3fbf8f", blue="#5aa9e6", chip="#f0dc6a", purple="#b58df0",
    good="#56b4e9", warning="#e6b84c", bad="#f07b3f", wire="#aeb8c8", muted="#8a94a6", faint="#5c6677",
)  # fmt: skip
LIGHT = _palette(
    "light", "#fbfaf7", "#1f2530", host="#4c5666", orange="#b35c00", green="#00734f", blue="#0a66a8", chip="#7d6200", purple="#7a3fc9",
    good="#0072b2", warning="#8a6100", bad="#b8430a", wire="#5f6978", muted="#5b6575", faint="#7d8694",
)  # fmt: skip
