"""Colours: readable on their ground in both themes, a look for every word of the scene, and the background told right."""

from __future__ import annotations

import pytest
from textual.theme import Theme

from helpers.colours import contrast
from netless.app.drawing import LOOKS
from netless.app.themes import DARK, LIGHT, from_answer, from_environment
from netless_lab.model.scene import STYLES

TEXT = ("code", "muted", "box-1", "box-2", "box-3", "host", "internet", "chip", "bridge", "wire")


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_text_colour_can_be_read(theme: Theme) -> None:
    """At least 4.5 to 1 on the background (WCAG AA), and on the panel of header and keys."""
    named = {name: theme.variables[name] for name in TEXT}
    named |= {name: str(getattr(theme, name)) for name in ("foreground", "accent", "success", "warning", "error")}
    for ground in (str(theme.background), str(theme.panel)):
        low = {name: round(contrast(colour, ground), 2) for name, colour in named.items() if contrast(colour, ground) < 4.5}
        assert not low, (ground, low)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_faint_things_can_be_made_out(theme: Theme) -> None:
    """What is faint on purpose (dead keys, times, the goal) still has 3 to 1."""
    assert contrast(theme.variables["faint"], str(theme.background)) >= 3


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
