"""A person's own colours: by name, over one of the two palettes that come along; what cannot be used is refused, what can hardly be read is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.colours import contrast as witness
from netless.config.colours import DARK, LIGHT, contrast, hard_to_read, read_palette
from netless.config.place import palette, palettes
from netless_lab.errors import Refusal


def test_what_a_file_does_not_name_is_that_of_its_base() -> None:
    """Dark unless it says light."""
    own, problems = read_palette("mine", 'base = "light"\naccent = "#123456"\ninput-selection-background = "#123456 20%"\n')
    assert not problems
    assert (own.name, own.dark) == ("mine", False)
    assert own.colours == {**LIGHT.colours, "accent": "#123456", "input-selection-background": "#123456 20%"}
    assert read_palette("mine", "")[0] == DARK._replace(name="mine")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('\nacent = "#123456"', "f:2: there is no colour acent; did you mean accent?"),
        ('accent = "blue"', 'f:1: accent = blue: a colour is written "#rrggbb"'),
        ("accent = 3", 'f:1: accent = 3: a colour is written "#rrggbb"'),
        ('base = "drak"', "f:1: base = drak: it can be dark or light; did you mean dark?"),
        ("accent", "f:1: this is no TOML: "),
    ],
)
def test_what_cannot_be_used(text: str, words: str) -> None:
    """With its line and the nearest word."""
    (problem,) = read_palette("mine", text)[1]
    assert problem.told("f").startswith(words)


def test_what_can_hardly_be_read_is_told() -> None:
    """On the ground that it is least readable on; the palettes that come along have nothing of the kind."""
    own, _ = read_palette("mine", 'muted = "#333333"\nfaint = "#12151b"\n')
    muted = min(witness("#333333", DARK.colours[ground]) for ground in ("background", "panel"))
    assert hard_to_read(own) == (
        f"muted on panel has a contrast of {muted:.1f}, and needs 4.5", "faint on background has a contrast of 1.0, and needs 3.0",
    )  # fmt: skip
    assert contrast("#123456", "#fedcba") == pytest.approx(witness("#123456", "#fedcba"))


def test_palettes_lie_beside_the_settings(tmp_path: Path) -> None:
    """Each in a file of its name; a name that is not there is refused with those that are."""
    folder = tmp_path / "netless" / "themes"
    folder.mkdir(parents=True)
    (folder / "sea.toml").write_text('accent = "#88ccff"\n', encoding="utf-8")
    (folder / "bad.toml").write_text("accent = 1\n", encoding="utf-8")
    there = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert palettes(there) == ("bad", "sea")
    assert palette("sea", there).colours["accent"] == "#88ccff"
    with pytest.raises(Refusal, match="there is no theme see; there are: auto, dark, light, bad, sea") as refused:
        palette("see", there)
    assert refused.value.nearest[0] == "sea"
    with pytest.raises(Refusal, match=r"themes/bad\.toml:1: accent = 1"):
        palette("bad", there)
    with pytest.raises(Refusal, match="there is no theme"):
        palette("../sea", there)
