"""Where courses lie. Apart from ``files``, so that who only starts a lab need not load what reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..errors import Refusal

if TYPE_CHECKING:
    from pathlib import Path

LESSONS: Final = "NETLESS_LESSONS"
"""An environment variable: a folder of courses that are there beside those that come with netless; ``--lessons`` sets it."""


def lessons_root() -> Path:
    """The folder of the courses that come with netless: inside the wheel, else in the checkout."""
    from pathlib import Path  # most verbs ask for no folder

    package = Path(__file__).resolve().parent.parent
    inside = package / "_lessons"
    return inside if inside.is_dir() else package.parent.parent / "lessons"


def own_root(environ: Mapping[str, str]) -> str:
    """The folder of the learner's own courses, absolute; "" for none. Raises Refusal (2) when it is named and is no folder."""
    named = environ.get(LESSONS, "")
    if named and not os.path.isdir(named):
        raise Refusal(f"{named} is no folder: {LESSONS} and --lessons name one in which each course has a folder with a course.toml")
    return os.path.abspath(named) if named else ""
