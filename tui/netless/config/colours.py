"""The colours of the tutor by name, and a person's own: a file of them, what is wrong in it, and what can hardly be read. Pure.

The eight colours of the picture descend from Okabe and Ito's set, which stays apart for colour-blind eyes; success is sky and error
vermillion for the same reason. The own two palettes have a contrast of at least 4.5 for every text colour on their ground (WCAG 2.1, 1.4.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from .reading import Problem, line_of, near, unreadable

MAIN: Final = {
    "primary": ("#8fb8de", "#2b5f8f"), "secondary": ("#8a94a6", "#5b6575"), "accent": ("#b9a3f2", "#6a3fc0"),
    "foreground": ("#d8dde6", "#1f2530"), "background": ("#12151b", "#fbfaf7"), "panel": ("#1b2029", "#f0eee8"),
    "success": ("#56b4e9", "#006aa5"), "warning": ("#e6b84c", "#8a6100"), "error": ("#f07b3f", "#b8430a"),
}  # fmt: skip
"""The toolkit's own colours: in the dark palette, in the light one."""
FURTHER: Final = {
    "line": ("#343c4a", "#cfcbc0"), "muted": ("#8a94a6", "#5b6575"), "faint": ("#5c6677", "#7d8694"),
    "code": ("#e8d58a", "#7a4b00"), "code-background": ("#1b2029", "#f0eee8"),
    "box-1": ("#e8963a", "#a35200"), "box-2": ("#3fbf8f", "#00734f"), "box-3": ("#5aa9e6", "#0a66a8"),
    "host": ("#9aa5b8", "#4c5666"), "internet": ("#9aa5b8", "#4c5666"), "chip": ("#f0dc6a", "#7d6200"), "bridge": ("#b58df0", "#7a3fc9"),
    "wire": ("#aeb8c8", "#5f6978"), "chosen": ("#232935", "#e6e3da"), "flash": ("#2f3a52", "#dfe6f7"),
    "scrollbar": ("#2a313d", "#d5d1c6"), "scrollbar-hover": ("#3a4352", "#c2bdb0"), "scrollbar-active": ("#4a5466", "#aaa596"),
    "input-selection-background": ("#b9a3f2 30%", "#6a3fc0 25%"), "screen-selection-background": ("#3a4668", "#cfdcf5"),
}  # fmt: skip
"""The same for the words that are ours, and those of the toolkit that no main colour has."""
TEXT: Final = (
    "foreground", "accent", "success", "warning", "error", "code", "muted", "box-1", "box-2", "box-3", "host", "internet", "chip", "bridge", "wire",
)  # fmt: skip
"""Those in which something is written that has to be read."""
READABLE, VISIBLE = 4.5, 3.0
"""What contrast text needs (WCAG AA), and what is faint on purpose."""
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}( \d{1,3}%)?")
_BASE: Final = ("dark", "light")


class Palette(NamedTuple):
    """Every colour by its name. ``dark``: it is light on dark, and a terminal's sixteen colours are those of a dark one."""

    name: str
    dark: bool
    colours: Mapping[str, str]


def _own(name: str, at: int) -> Palette:
    return Palette(name, at == 0, {word: both[at] for word, both in (MAIN | FURTHER).items()})


DARK, LIGHT = _own("dark", 0), _own("light", 1)


def read_palette(name: str, text: str) -> tuple[Palette, tuple[Problem, ...]]:
    """A palette as a file has it: ``base`` is dark or light, and what the file does not name is as there. With all that is wrong in it."""
    import tomllib  # most people have no such file

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return DARK._replace(name=name), (unreadable(str(error), text),)
    problems: list[Problem] = []
    base = found.pop("base", "dark")
    if base not in _BASE:
        problems.append(Problem(line_of(text, "base"), f"base = {base}: it can be dark or light", near(str(base), _BASE)))
    ground = LIGHT if base == "light" else DARK
    colours = dict(ground.colours)
    for word, value in found.items():
        if word not in colours:
            problems.append(Problem(line_of(text, word), f"there is no colour {word}", near(word, colours)))
        elif not isinstance(value, str) or not _COLOUR.fullmatch(value):
            problems.append(Problem(line_of(text, word), f'{word} = {value}: a colour is written "#rrggbb"'))
        else:
            colours[word] = value
    return Palette(name, ground.dark, colours), tuple(sorted(problems))


def hard_to_read(palette: Palette) -> tuple[str, ...]:
    """What can hardly be read on the ground or on the panel of header and keys, in words."""
    out = []
    for word, least in (*((word, READABLE) for word in TEXT), ("faint", VISIBLE)):
        low = {ground: contrast(palette.colours[word], palette.colours[ground]) for ground in ("background", "panel")[: 1 if word == "faint" else 2]}
        ground, value = min(low.items(), key=lambda one: one[1])
        if value < least:
            out.append(f"{word} on {ground} has a contrast of {value:.1f}, and needs {least}")
    return tuple(out)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two ``#rrggbb``, 1 to 21 (WCAG 2.1)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
