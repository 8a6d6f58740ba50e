"""Where the courses that come with netless lie. Apart from ``files``, so that who only starts a lab need not load what reads them."""

from __future__ import annotations

from pathlib import Path


def lessons_root() -> Path:
    """The folder of the courses that come with netless: inside the wheel, else in the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_lessons"
    return inside if inside.is_dir() else package.parent.parent / "lessons"
