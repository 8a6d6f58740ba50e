"""A screen as a text file: its rows, then the style of every run. Readable in a diff, and free of any exporter's habits.

``NETLESS_LOOKS=write ./tests/run tests/app/test_looks.py`` records them anew, and never passes; look at what changed before committing it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
from rich.style import Style
from textual.app import App

from app.driving import strips

FOLDER = Path(__file__).parent / "looks"


def look_of(app: App[None]) -> str:
    """The screen: characters first, then for each row its runs as ``start-end style``."""
    painted = strips(app)
    width = app.size.width
    rows = ["".join(segment.text for segment in strip)[:width].rstrip() for strip in painted]
    styles: list[str] = []
    for y, strip in enumerate(painted):
        runs: list[tuple[int, int, str]] = []
        x = 0
        for segment in strip:
            name = _style(segment.style)
            end = x + segment.cell_length
            if runs and runs[-1][2] == name:
                runs[-1] = (runs[-1][0], end, name)
            else:
                runs.append((x, end, name))
            x = end
        styles.append(f"{y:>3}: " + ", ".join(f"{start}-{end} {name}" for start, end, name in runs))
    return "\n".join([*rows, "=" * width, *styles, ""])


def assert_look(app: App[None], name: str) -> None:
    """The screen looks as recorded under this name."""
    same(look_of(app), FOLDER / f"{name}.txt")


def same(now: str, path: Path) -> None:
    """A look is as recorded. Recording anew compares nothing, so it is no pass; in CI, where nobody would look at it, it is refused."""
    if os.environ.get("NETLESS_LOOKS") == "write":
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail("NETLESS_LOOKS=write records and compares nothing: not in CI")
        path.write_text(now, encoding="utf-8")
        pytest.fail(f"recorded anew: look at what changed in {path.name}, then run it without NETLESS_LOOKS")
    before = path.read_text(encoding="utf-8")
    changes = list(difflib.unified_diff(before.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=0))
    assert not changes, "\n".join(changes[:60])


def _style(style: Style | None) -> str:
    if style is None:
        return "-"
    words = [word for word, on in (("bold", style.bold), ("underline", style.underline), ("italic", style.italic),
                                   ("reverse", style.reverse), ("dim", style.dim)) if on]  # fmt: skip
    words.append(style.color.name if style.color else "default")
    if style.bgcolor:
        words.append(f"on {style.bgcolor.name}")
    return " ".join(words)
