"""A scene as plain text, for terminals without our screen, for files and for tests; and as one self-contained SVG: lines are drawn as lines and
dots as dots, so that no font can tear them apart.

Words are text in whatever monospace font the viewer has, stretched to their cells by ``textLength`` (SVG 2, 11.3.3), so that the
picture is the same everywhere and its text can be selected and searched.

Colours for printers that have no theme of their own: the post's picture, dark and light.

Containers orange, green, blue; interface chips yellow; the bridge purple. Success is sky and error vermillion, which stay apart for
colour-blind eyes (after Okabe and Ito); every state has its own shape as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Literal

import msgspec

from ...harmless import harmless
from ..scene import ASCII, Region, Scene
from ..scene.labels import DEAD, DOUBLE_D, DOUBLE_U, DOWN, LINES, UP, WAIT, D, L, R, U


def text(scene: Scene, ascii: bool = False) -> str:
    """The drawing without colours, blank rows at the top and bottom and blanks at the ends of rows left out.

    With ``ascii`` every character is plain ASCII, one for one, so that nothing moves.
    """
    rows = ["".join(run.text for run in row) for row in scene.rows]
    if ascii:
        rows = [ASCII.show(row) for row in rows]
    lines = [row.rstrip() for row in rows]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines) + "\n" if lines else ""


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


CELL, ROW = 9, 20
"""Pixels of one cell."""
MARGIN = 16
_BARS = 2
"""Half the distance of a bridge's two strokes."""

_BITS = {glyph: bits for bits, glyph in reversed(list(enumerate(LINES))) if glyph != " "} | {
    "║": DOUBLE_U | DOUBLE_D,
    "╟": DOUBLE_U | DOUBLE_D | R,
    "╢": DOUBLE_U | DOUBLE_D | L,
    "╫": DOUBLE_U | DOUBLE_D | R | L,
}
_DASHES = {"╌": L | R, "╎": U | D}
_DOTS = (UP, WAIT, DOWN, DEAD)


def svg(scene: Scene, palette: Palette = DARK) -> str:
    """The drawing as an SVG document, blank rows and columns around it left out."""
    left, top, right, bottom = _bounds(scene)
    width, height = (right - left) * CELL + 2 * MARGIN, (bottom - top) * ROW + 2 * MARGIN
    body: list[str] = []
    clouds = _clouds(scene)
    body += _backs(scene, palette, clouds)
    strokes: dict[tuple[str, bool], list[str]] = {}
    words: list[str] = []
    for y, row in enumerate(scene.rows):
        x = 0
        for text, style in row:
            for start, piece, kind in _pieces(text):
                at = x + start
                if kind == "line":
                    for place, char in enumerate(piece, at):
                        dashed = char in _DASHES or style == "ghost"
                        strokes.setdefault((style, dashed), []).append(_arms(place, y, _DASHES.get(char) or _BITS[char], char))
                elif kind == "dot":
                    for arm_style, arm in _behind(scene, at, y):
                        strokes.setdefault((arm_style, False), []).append(arm)
                    words.append(_dot(at, y, piece, palette.colour(style), palette.background))
                elif style != "node-internet":
                    words.append(_word(at, y, piece, style, palette))
            x += len(text)
    for (style, dashed), arms in strokes.items():
        dash = ' stroke-dasharray="3 3"' if dashed else ""
        look = f'stroke="{palette.colour(style)}" fill="none" stroke-width="{2 if style == "bridge" else 1.5}"{dash}'
        body.append(f'<path d="{" ".join(arms)}" {look}/>')
    body += words
    box = f"{left * CELL - MARGIN} {top * ROW - MARGIN} {width} {height}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="{box}" role="img">\n'
        f"<title>{escape(_about(scene))}</title>\n"
        f'<rect x="{left * CELL - MARGIN}" y="{top * ROW - MARGIN}" width="{width}" height="{height}" fill="{palette.background}"/>\n'
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="15">\n'
        + "\n".join(body)
        + "\n</g>\n</svg>\n"
    )


def _about(scene: Scene) -> str:
    """A line for those who cannot see the picture."""
    nodes = list(dict.fromkeys(region.node for region in scene.regions if region.kind == "node"))
    return "Network of " + (harmless(", ".join(nodes)) if nodes else "nothing yet")


def _bounds(scene: Scene) -> tuple[int, int, int, int]:
    rows = ["".join(run.text for run in row) for row in scene.rows]
    used = [(x, y) for y, row in enumerate(rows) for x, char in enumerate(row) if char != " "]
    if not used:
        return 0, 0, 10, 3
    return min(x for x, _ in used), min(y for _, y in used), max(x for x, _ in used) + 1, max(y for _, y in used) + 1


def _pieces(text: str) -> Iterator[tuple[int, str, str]]:
    """The run cut into lines, dots and words; a word ends at two blanks."""
    start, kind = 0, ""
    for x, char in enumerate(text + "\0"):
        if char == "\0":
            here = "end"
        elif char in _BITS or char in _DASHES:
            here = "line"
        elif char in _DOTS:
            here = "dot"
        else:
            here = "word" if char != " " or (kind == "word" and text[x + 1 : x + 2].strip()) else "blank"
        if here != kind or here == "dot":
            if kind in ("line", "dot", "word") and x > start:
                yield start, text[start:x], kind
            start, kind = x, here


def _middle(x: int, y: int) -> tuple[float, float]:
    return x * CELL + CELL / 2, y * ROW + ROW / 2


def _arms(x: int, y: int, bits: int, char: str) -> str:
    """The strokes of one line character."""
    cx, cy = _middle(x, y)
    west, east, north, south = x * CELL, (x + 1) * CELL, y * ROW, (y + 1) * ROW
    if char in "╭╮╰╯":
        side, end = (east if bits & R else west), (south if bits & D else north)
        radius = CELL / 2
        turn = cy + radius if bits & D else cy - radius
        return f"M{side:g} {cy:g}Q{cx:g} {cy:g} {cx:g} {turn:g}V{end:g}"
    double = bits & (DOUBLE_U | DOUBLE_D)
    off: float = _BARS if double else 0
    found = []
    if double:
        top = north if bits & DOUBLE_U else cy
        bottom = south if bits & DOUBLE_D else cy
        found += [f"M{cx - off:g} {top:g}V{bottom:g}", f"M{cx + off:g} {top:g}V{bottom:g}"]
        if cy in (top, bottom):
            found.append(f"M{cx - off:g} {cy:g}H{cx + off:g}")
    else:
        found += [f"M{cx:g} {cy:g}V{north:g}"] * bool(bits & U) + [f"M{cx:g} {cy:g}V{south:g}"] * bool(bits & D)
    found += [f"M{cx - off:g} {cy:g}H{west:g}"] * bool(bits & L) + [f"M{cx + off:g} {cy:g}H{east:g}"] * bool(bits & R)
    return "".join(found)


def _dot(x: int, y: int, char: str, colour: str, background: str) -> str:
    cx, cy = _middle(x, y)
    if char == DEAD:
        cross = f"M{cx - 3:g} {cy - 4:g}l6 8M{cx + 3:g} {cy - 4:g}l-6 8"
        return f'<path d="{cross}" stroke="{colour}" stroke-width="2"/>'
    fill = colour if char == UP else background
    ring = f'<circle cx="{cx:g}" cy="{cy:g}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'
    if char == WAIT:
        ring += f'<path d="M{cx:g} {cy - 4:g}A4 4 0 0 0 {cx:g} {cy + 4:g}Z" fill="{colour}"/>'
    return ring


def _word(x: int, y: int, text: str, style: str, palette: Palette) -> str:
    colour = palette.colour(style)
    bold = ' font-weight="bold"' if style.endswith("-title") or style.startswith("gate-") or style == "bridge" else ""
    width = len(text) * CELL
    back = ""
    if style == "chip":
        place = f'x="{x * CELL - 3}" y="{y * ROW + 1}" width="{width + 6}" height="{ROW - 2}"'
        back = f'<rect {place} rx="4" fill="{colour}" fill-opacity="0.18"/>'
    return (
        f'{back}<text x="{x * CELL}" y="{y * ROW + 15}" textLength="{width}" lengthAdjust="spacingAndGlyphs" '
        f'fill="{colour}"{bold} xml:space="preserve">{escape(text)}</text>'
    )


def _behind(scene: Scene, x: int, y: int) -> list[tuple[str, str]]:
    """The lines that lead to a dot from its neighbours, with their styles, so that they meet under it."""
    cx, cy = _middle(x, y)
    ends = {
        (-1, 0, R): f"M{x * CELL} {cy:g}H{cx:g}",
        (1, 0, L): f"M{(x + 1) * CELL} {cy:g}H{cx:g}",
        (0, -1, D): f"M{cx:g} {y * ROW}V{cy:g}",
        (0, 1, U): f"M{cx:g} {(y + 1) * ROW}V{cy:g}",
    }
    cells = ((_at(scene, x + dx, y + dy), bit, arm) for (dx, dy, bit), arm in ends.items())
    return [(style, arm) for (char, style), bit, arm in cells if _BITS.get(char, 0) & bit]


def _at(scene: Scene, x: int, y: int) -> tuple[str, str]:
    """The character and style of a cell."""
    if 0 <= y < scene.height and 0 <= x < scene.width:
        for text, style in scene.rows[y]:
            if x < len(text):
                return text[x], style
            x -= len(text)
    return " ", ""


def _clouds(scene: Scene) -> list[Region]:
    """Nodes drawn as a cloud: their words take the place of a frame."""
    low = (region for region in scene.regions if region.kind == "node" and region.rect.height == 3)
    return [region for region in low if _at(scene, region.rect.x, region.rect.y + 1) == ("(", "node-internet")]


def _cloud(region: Region, colour: str) -> str:
    """A cloud around the middle row, in the shape every child draws."""
    x, y = region.rect.x * CELL, region.rect.y * ROW + 2
    width, height = region.rect.width * CELL, 3 * ROW - 4
    shape = (
        f"M{x + 0.2 * width:g} {y + 0.92 * height:g}"
        f"a{0.2 * width:g} {0.3 * height:g} 0 0 1 {-0.01 * width:g} {-0.6 * height:g}"
        f"a{0.25 * width:g} {0.36 * height:g} 0 0 1 {0.47 * width:g} {-0.1 * height:g}"
        f"a{0.19 * width:g} {0.32 * height:g} 0 0 1 {0.16 * width:g} {0.7 * height:g}z"
    )
    return f'<path d="{shape}" fill="{colour}" fill-opacity="0.07" stroke="{colour}" stroke-width="1.5"/>'


def _backs(scene: Scene, palette: Palette, clouds: list[Region]) -> list[str]:
    """A breath of each node's colour behind it."""
    found = [_cloud(region, palette.colour("node-internet")) for region in clouds]
    for region in scene.regions:
        if region not in clouds and region.kind == "node" and region.rect.height > 2 and scene.level != "outline":
            rect = region.rect
            colour = palette.colour(_at(scene, rect.x, rect.y + rect.height - 1)[1])
            found.append(
                f'<rect x="{rect.x * CELL + CELL / 2:g}" y="{rect.y * ROW + ROW / 2:g}" width="{(rect.width - 1) * CELL}" '
                f'height="{(rect.height - 1) * ROW}" rx="5" fill="{colour}" fill-opacity="0.07"/>'
            )
    return found
