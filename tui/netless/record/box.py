"""Lines and blocks as shapes that fill their cells, so that borders join in every viewer and in every font. Pure.

What a sign looks like is read from its name in Unicode ("BOX DRAWINGS DOWN DOUBLE AND LEFT SINGLE", "LEFT THREE QUARTERS BLOCK").
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal, NamedTuple

WIDTH: Final = 9
HEIGHT: Final = 19
"""Of a cell. Odd, so that a line of one lies in the very middle."""
_ACROSS, _DOWN = WIDTH // 2, HEIGHT // 2
_APART: Final = 2
"""How far the two lines of a double one lie from the middle."""

Side = Literal["up", "down", "left", "right"]
Weight = Literal["light", "heavy", "double"]
_OPPOSITE: Final[dict[Side, Side]] = {"up": "down", "down": "up", "left": "right", "right": "left"}
_BESIDE: Final[dict[Side, tuple[Side, Side]]] = {"up": ("left", "right"), "down": ("left", "right"), "left": ("up", "down"), "right": ("up", "down")}
_SIDES: Final[dict[str, tuple[Side, ...]]] = {
    "up": ("up",), "down": ("down",), "left": ("left",), "right": ("right",), "vertical": ("up", "down"), "horizontal": ("left", "right"),
}  # fmt: skip
_WEIGHTS: Final[dict[str, Weight]] = {"light": "light", "single": "light", "heavy": "heavy", "double": "double"}
_EIGHTHS: Final = {
    "one eighth": 1, "one quarter": 2, "three eighths": 3, "half": 4, "five eighths": 5, "three quarters": 6, "seven eighths": 7, "full": 8,
}  # fmt: skip
_DASHES: Final = {"double dash": 2, "triple dash": 3, "quadruple dash": 4}
_SHADES: Final = {"light shade": 0.25, "medium shade": 0.5, "dark shade": 0.75}


class Rect(NamedTuple):
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float


class Shape(NamedTuple):
    """What is to be filled, and lines to be drawn as wide as a light one, as SVG says a path from the cell's corner; how much of the ground is covered."""

    rects: tuple[Rect, ...] = ()
    line: str = ""
    opacity: float = 1.0


@lru_cache(512)
def shape(sign: str) -> Shape | None:
    """The shape of a sign; None for one that a font has to draw."""
    if len(sign) != 1 or not "\u2500" <= sign <= "\u259f":
        return None
    name = unicodedata.name(sign).lower()
    if name.startswith("box drawings "):
        return _box(name.removeprefix("box drawings "))
    return _block(name)


def _box(name: str) -> Shape:
    if name.startswith("light arc "):
        return Shape(line=_arc(name))
    if "diagonal" in name:
        rising, falling = f"M0 {HEIGHT}L{WIDTH} 0", f"M0 0L{WIDTH} {HEIGHT}"
        return Shape(line=rising + falling if "cross" in name else falling if "upper left" in name else rising)
    dashes = next((count for word, count in _DASHES.items() if word in name), 0)
    if dashes:
        heavy, upright = "heavy" in name, "vertical" in name
        return Shape(tuple(_dashed(dashes, 3 if heavy else 1, upright)))
    arms = _arms(name)
    return Shape(tuple(rect for side in arms for rect in _arm(side, arms)))


def _arms(name: str) -> dict[Side, Weight]:
    """Which lines leave the middle, and how: a weight counts for the sides named beside it until the next one is named."""
    arms: dict[Side, Weight] = {}
    weight: Weight = "light"
    for part in name.split(" and "):
        words = part.split()
        weight = next((_WEIGHTS[word] for word in words if word in _WEIGHTS), weight)
        arms.update(dict.fromkeys((side for word in words for side in _SIDES.get(word, ())), weight))
    return arms


def _arm(side: Side, arms: dict[Side, Weight]) -> list[Rect]:
    """The lines from the middle to one edge. Beside a double line they end at the nearer of its two, at a corner at the farther one."""
    weight = arms[side]
    before, after = _BESIDE[side]
    through = _OPPOSITE[side] in arms

    def reach(own: Side, other: Side) -> int:
        """Where a line begins, counted from the middle towards the edge, that has these beside it."""
        if own in arms:
            return _APART if arms[own] == "double" else 0
        return -_APART if arms.get(other) == "double" and not through else 0

    if weight == "double":
        return [_strip(side, reach(before, after), -_APART, 1), _strip(side, reach(after, before), _APART, 1)]
    inner = 0 if through else _APART if arms.get(before) == arms.get(after) == "double" else min(reach(before, after), reach(after, before), 0)
    return [_strip(side, inner, 0, 3 if weight == "heavy" else 1)]


def _strip(side: Side, begin: int, offset: int, thick: int) -> Rect:
    """From the middle, or so far from it, to an edge; the middle's own cells belong to it."""
    half = thick // 2
    if side in ("left", "right"):
        y, start = _DOWN + offset - half, begin - half
        return Rect(_ACROSS + start, y, WIDTH - _ACROSS - start, thick) if side == "right" else Rect(0, y, _ACROSS + 1 - start, thick)
    x, start = _ACROSS + offset - half, begin - half
    return Rect(x, _DOWN + start, thick, HEIGHT - _DOWN - start) if side == "down" else Rect(x, 0, thick, _DOWN + 1 - start)


def _dashed(count: int, thick: int, upright: bool) -> list[Rect]:
    length = HEIGHT if upright else WIDTH
    step, at = length / count, (_ACROSS if upright else _DOWN) - thick // 2
    pieces = [(round(number * step + step / 6, 2), round(step * 2 / 3, 2)) for number in range(count)]
    return [Rect(at, start, thick, size) if upright else Rect(start, at, size, thick) for start, size in pieces]


def _arc(name: str) -> str:
    x, y, edge_x, edge_y = _ACROSS + 0.5, _DOWN + 0.5, WIDTH if "right" in name else 0, HEIGHT if "down" in name else 0
    bend = WIDTH / 2
    return f"M{x} {edge_y}V{y + (bend if 'down' in name else -bend)}Q{x} {y} {edge_x} {y}"


def _block(name: str) -> Shape:
    if name in _SHADES:
        return Shape((Rect(0, 0, WIDTH, HEIGHT),), opacity=_SHADES[name])
    if name.startswith("quadrant "):
        quarters = re.findall(r"(upper|lower) (left|right)", name)
        return Shape(tuple(Rect(WIDTH / 2 * (x == "right"), HEIGHT / 2 * (y == "lower"), WIDTH / 2, HEIGHT / 2) for y, x in quarters))
    size = next(eighths for words, eighths in _EIGHTHS.items() if f"{words} block" in name) / 8
    width, height = (WIDTH, HEIGHT * size) if "upper" in name or "lower" in name else (WIDTH * size, HEIGHT)
    return Shape((Rect(WIDTH - width if "right" in name else 0, HEIGHT - height if "lower" in name else 0, width, height),))
