"""A terminal's screen as SVG: one file that needs nothing beside it. Pure.

Every sign stands at its own place, so that columns are straight in whatever font a viewer has; lines and blocks are shapes (``box``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from ..vt import FILLER, Attr, Colour, Flag, Screen
from .box import HEIGHT, WIDTH, shape

FONTS: Final = "DejaVu Sans Mono, Liberation Mono, Noto Sans Mono, Menlo, Consolas, monospace"
SIZE: Final = 15
"""Of the letters: those of the first font are then as wide as a cell."""
_BASE: Final = 15
"""From a cell's top to the line on which letters stand."""
MARGIN: Final = 9
_FAINT: Final = 0.6
_LEVELS: Final = (0, 95, 135, 175, 215, 255)
"""Of red, green and blue in xterm's cube of 216 colours."""


class Ink(NamedTuple):
    """A theme's colours as #rrggbb: letters and ground where nothing else is said, and the sixteen that have names."""

    letters: str
    ground: str
    named: tuple[str, ...]

    def of(self, colour: Colour, otherwise: str) -> str:
        """A colour of a cell."""
        if colour is None:
            return otherwise
        if isinstance(colour, int):
            if colour < 16:
                return self.named[colour]
            red, green, blue = _of_xterm(colour)
        else:
            red, green, blue = colour
        return f"#{red:02x}{green:02x}{blue:02x}"


class _Cell(NamedTuple):
    x: int
    y: int
    wide: int
    sign: str
    colour: str
    ground: str
    flags: int


def svg(screen: Screen, ink: Ink, title: str) -> str:
    """The document."""
    cells = list(_cells(screen, ink))
    ground = Counter(cell.ground for cell in cells).most_common(1)[0][0] if cells else ink.ground
    width, height = screen.columns * WIDTH + 2 * MARGIN, screen.height * HEIGHT + 2 * MARGIN
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="{-MARGIN} {-MARGIN} {width} {height}">',
        f"<title>{escape(title)}</title>",
        f'<rect x="{-MARGIN}" y="{-MARGIN}" width="{width}" height="{height}" rx="{MARGIN / 2}" fill="{ground}"/>',
        '<g shape-rendering="crispEdges">', *_grounds(cells, ground), *_shapes(cells), "</g>",
        *_curves(cells),
        f'<g font-family={quoteattr(FONTS)} font-size="{SIZE}">', *_letters(cells), "</g>",
        "</svg>", "",
    ))  # fmt: skip


def _cells(screen: Screen, ink: Ink) -> Iterator[_Cell]:
    looks: dict[int, tuple[str, str, int]] = {}
    for y, row in enumerate(screen.rows):
        signs, styles = row.thaw(screen.columns)
        for x, (sign, number) in enumerate(zip(signs, styles, strict=True)):
            if sign != FILLER:
                look = looks.get(number) or looks.setdefault(number, _look(screen.styles[number], ink))
                yield _Cell(x, y, 2 if x + 1 < len(signs) and signs[x + 1] == FILLER else 1, sign, *look)


def _look(attr: Attr, ink: Ink) -> tuple[str, str, int]:
    colour, ground = ink.of(attr.fg, ink.letters), ink.of(attr.bg, ink.ground)
    if attr.flags & Flag.REVERSE:
        colour, ground = ground, colour
    return ground if attr.flags & Flag.CONCEAL else colour, ground, attr.flags


def _of_xterm(number: int) -> tuple[int, int, int]:
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    red, rest = divmod(number - 16, 36)
    return _LEVELS[red], _LEVELS[rest // 6], _LEVELS[rest % 6]


def _grounds(cells: list[_Cell], usual: str) -> Iterator[str]:
    """Grounds that differ, each run of cells as one piece."""
    pieces: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for cell in cells:
        if cell.ground != usual:
            runs = pieces[cell.ground]
            if runs and runs[-1][0] == cell.y and runs[-1][2] == cell.x:
                runs[-1] = (cell.y, runs[-1][1], cell.x + cell.wide)
            else:
                runs.append((cell.y, cell.x, cell.x + cell.wide))
    for ground, runs in pieces.items():
        yield f'<path fill="{ground}" d="{"".join(_rect(a * WIDTH, y * HEIGHT, (b - a) * WIDTH, HEIGHT) for y, a, b in runs)}"/>'


def _shapes(cells: list[_Cell]) -> Iterator[str]:
    """All that is filled, by colour; and what is under or through letters."""
    pieces: defaultdict[tuple[str, float], list[str]] = defaultdict(list)
    for cell in cells:
        left, top = cell.x * WIDTH, cell.y * HEIGHT
        faint = _FAINT if cell.flags & Flag.DIM else 1.0
        found = shape(cell.sign)
        if found is not None and found.rects:
            pieces[cell.colour, found.opacity * faint] += [_rect(left + own.x, top + own.y, own.width, own.height) for own in found.rects]
        if cell.flags & Flag.UNDERLINE:
            pieces[cell.colour, faint].append(_rect(left, top + _BASE + 2, cell.wide * WIDTH, 1))
        if cell.flags & Flag.STRIKE:
            pieces[cell.colour, faint].append(_rect(left, top + HEIGHT // 2, cell.wide * WIDTH, 1))
    for (colour, opacity), rects in pieces.items():
        yield f'<path fill="{colour}"{_opacity(opacity)} d="{"".join(rects)}"/>'


def _curves(cells: list[_Cell]) -> Iterator[str]:
    """Round corners and slanted lines."""
    for cell in cells:
        found = shape(cell.sign)
        if found is not None and found.line:
            faint = _opacity(_FAINT if cell.flags & Flag.DIM else 1.0)
            yield f'<path transform="translate({cell.x * WIDTH} {cell.y * HEIGHT})" fill="none" stroke="{cell.colour}"{faint} d="{found.line}"/>'


def _letters(cells: list[_Cell]) -> Iterator[str]:
    """Signs of one look in one row together, each with its place. What SVG may count as several signs stands alone."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    run: list[_Cell] = []
    for cell in cells:
        if cell.sign.isspace() or shape(cell.sign) is not None or not cell.sign.isprintable():
            continue
        if run and not (_written(run[-1]) == _written(cell) and run[-1].y == cell.y and all(len(own.sign) == 1 and own.sign <= "\uffff" for own in (run[-1], cell))):
            groups[_written(run[0])].append(_text(run))
            run = []
        run.append(cell)
    if run:
        groups[_written(run[0])].append(_text(run))
    for look, texts in groups.items():
        yield f"<g {look}>{''.join(texts)}</g>"


def _written(cell: _Cell) -> str:
    """How letters look, as attributes."""
    bold = ' font-weight="bold"' if cell.flags & Flag.BOLD else ""
    italic = ' font-style="italic"' if cell.flags & Flag.ITALIC else ""
    return f'fill="{cell.colour}"{bold}{italic}{_opacity(_FAINT if cell.flags & Flag.DIM else 1.0)}'


def _text(run: list[_Cell]) -> str:
    places = " ".join(str(cell.x * WIDTH) for cell in run)
    return f'<text y="{run[0].y * HEIGHT + _BASE}" x="{places}">{escape("".join(cell.sign for cell in run))}</text>'


def _rect(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


def _opacity(share: float) -> str:
    return "" if share == 1 else f' opacity="{share:g}"'
