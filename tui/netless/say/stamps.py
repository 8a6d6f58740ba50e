"""When something happened, before what is told of it."""

from __future__ import annotations

import time
from typing import Final

from .text import Looked, Text, joined

NARROW: Final = 48
"""Below this many cells the time is left out."""


def clock(at: float) -> str:
    """The wall clock, to the second."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def stamped(at: float, width: int, *parts: Looked | str) -> Text:
    """The parts, with the time before them where there is room for it."""
    return joined(*parts) if width < NARROW else joined((clock(at), "faint"), "  ", *parts)
