"""How much memory the app keeps: what Textual and Rich remember is bounded by what a screen can need, and what was freed goes back to the system.

Their caches are made for all programs there are. Here a style says where in a text it stands and what a click on it does, so there is no end of
them: full, those caches would hold 50 MiB of what will never be asked for again. It is imported when the first lesson has been painted.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from rich.segment import Segment
from textual.css.scalar import Scalar
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style


class Cache(NamedTuple):
    """A method whose results are remembered: its class, what it is called there, and of how many calls."""

    owner: type
    names: tuple[str, ...]
    most: int


BOUNDS: Final = (
    Cache(Strip, ("render_ansi",), 1024),  # by style, 0.8 KiB each
    Cache(Style, ("__add__", "__radd__"), 512),  # by style, 4 KiB each
    Cache(Segment, ("_split_cells",), 1024),  # by what is written
    Cache(Scalar, ("resolve",), 512),  # by the size of the terminal, as the others
    *(Cache(Region, (name,), 512) for name in ("__contains__", "grow", "intersection", "shrink", "union")),
)
"""What remembers by what has no end, and more of it than all that one screen shows."""


def bound_caches() -> tuple[str, ...]:
    """Let them remember so much and no more, beginning anew; returns those that are bounded. What another Textual remembers otherwise stays as it is."""
    done: list[str] = []
    for owner, names, most in BOUNDS:
        if (ask := remembering(owner, names[0])) is None:
            continue
        fewer: Any = lru_cache(most)(ask.__wrapped__)
        if isinstance(vars(owner)[names[0]], classmethod):
            fewer = classmethod(fewer)
        for name in names:
            setattr(owner, name, fewer)
        done.append(f"{owner.__name__}.{names[0]}")
    return tuple(done)


def remembering(owner: type, name: str) -> Any:
    """The function behind a method that remembers its results; None when it does not."""
    method = vars(owner).get(name)
    function = method.__func__ if isinstance(method, classmethod) else method
    return function if hasattr(function, "cache_info") else None


REST_S: Final = 10.0
"""For so long nothing was typed and nothing changed: who reads does not see that the app is at something else for some milliseconds."""
AT_LEAST_S: Final = 60.0
"""Where there is no rest, so often is given back what takes no look at what lives."""


class Rest:
    """Tidies up when nothing happens. While nothing does, and all is tidy, it takes no time at all."""

    def __init__(self, tidy: Callable[[bool], None]) -> None:
        self._tidy = tidy
        self._stirred = self._tidied = 0.0
        self._clock: asyncio.TimerHandle | None = None

    def stirred(self) -> None:
        """Something happened."""
        loop = asyncio.get_running_loop()
        self._stirred = loop.time()
        if self._clock is None:
            self._tidied = self._stirred
            self._clock = loop.call_later(REST_S, self._look)

    def close(self) -> None:
        """It is over."""
        if self._clock is not None:
            self._clock.cancel()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        rests = now >= self._stirred + REST_S
        if rests or now >= self._tidied + AT_LEAST_S:
            self._tidied = now
            self._tidy(rests)
        self._clock = None if rests else loop.call_later(max(0.0, self._stirred + REST_S - now), self._look)


def tidy(rests: bool) -> None:
    """Give what is free back to the system; at rest look for garbage before, which a scroll that was cut off may have left switched off (Textual's
    ``PAUSE_GC_ON_SCROLL``)."""
    if rests:
        gc.enable()
        gc.collect()
    trim()


LARGE: Final = 128 * 1024
"""Bytes of a block that the C library gets from the system for itself, and gives back when it is freed: what paints a large screen is such a one."""
_M_MMAP_THRESHOLD: Final = -3  # malloc.h


def keep_large_apart() -> bool:
    """Let large blocks not lie among small ones, which stay; False where the C library has no means. By itself it does so for a while only: each
    block that is freed has it take those of its size for usual from then on (mallopt(3)).
    """
    import ctypes

    try:
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE))
    except (OSError, AttributeError):
        return False


def trim() -> bool:
    """Let the C library give back what it holds for later; False where it has no means (musl, macOS). Python's own small objects are not with it."""
    import ctypes

    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError):
        return False
