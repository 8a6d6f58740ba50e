"""Colours: readable on their ground in both themes, a look for every word of the scene, and the background told right."""

from __future__ import annotations

import gc

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from helpers.colours import contrast
from netless.app.drawing import LOOKS
from netless.app.filters import Colourless
from netless.app.themes import from_answer, from_environment
from netless.config.colours import DARK, LIGHT, TEXT, Palette, hard_to_read
from netless.say.ascii import KNOWN
from netless_lab.model.scene import STYLES


@pytest.mark.parametrize("own", [DARK, LIGHT], ids=lambda own: own.name)
def test_every_text_colour_can_be_read(own: Palette) -> None:
    """At least 4.5 to 1 on the background (WCAG AA), and on the panel of header and keys; what is faint on purpose still has 3 to 1."""
    for ground in ("background", "panel"):
        low = {name: round(contrast(own.colours[name], own.colours[ground]), 2) for name in TEXT}
        assert min(low.values()) >= 4.5, (ground, low)
    assert contrast(own.colours["faint"], own.colours["background"]) >= 3
    assert hard_to_read(own) == ()


def test_every_style_of_the_scene_has_a_look() -> None:
    """The picture's vocabulary is covered, and nothing is there that it does not know."""
    assert set(LOOKS) == set(STYLES)


def test_looks_use_theme_variables_only() -> None:
    """No colour is written into the picture: both themes serve it."""
    assert all("#" not in look for look in LOOKS.values())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[?62;c", "dark"),
        (b"\x1b]11;rgb:fdfd/f6f6/e3e3\x07\x1b[?1;2c", "light"),
        (b"\x1b]11;rgba:ff/ff/ff/ff\x1b\\", "light"),
        (b"\x1b]11;rgb:0/8/0\x1b\\", "dark"),
        (b"\x1b[?1;2c", None),
        (b"", None),
        (b"\x1b]11;rgb:zz/zz/zz\x1b\\", None),
    ],
)
def test_background_by_answer(answer: bytes, expected: str | None) -> None:
    """What terminals answer to OSC 11, with 1 to 4 digits a colour, or nothing."""
    assert from_answer(answer) == expected


@pytest.mark.parametrize(("value", "expected"), [("15;0", "dark"), ("0;15", "light"), ("0;default;7", "light"), ("", None), ("x", None)])
def test_background_by_environment(value: str, expected: str | None) -> None:
    """COLORFGBG as rxvt and Konsole set it."""
    assert from_environment(value) == expected


def test_what_was_shown_without_colours_is_forgotten() -> None:
    """A style holds its place in the text, so texts of hours have styles without end: no more of them are kept than a screen shows."""

    def alive() -> int:
        gc.collect()
        return sum(isinstance(kept, Style) for kept in gc.get_objects())

    without, before = Colourless(frozenset(), frozenset(), frozenset()), alive()
    for row in range(4 * KNOWN):
        [told] = without.apply([Segment("c1", Style(color="#e6b84c", meta={"offset": (0, row)}))], Color(0, 0, 0))
        assert told.style is not None
        assert told.style.meta == {"offset": (0, row)}
    assert alive() - before < 3 * KNOWN
