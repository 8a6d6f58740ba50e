"""Work that must go on for as long as the lab does: when it fails it is tried again, and whoever looks on hears of it once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
"""A lab full of processes or out of files stays so for seconds, and every attempt takes a little of what it lacks."""

OnFailure = Callable[[Exception], None]


async def persist(work: Callable[[], Awaitable[None]], on_failure: OnFailure) -> int:
    """Do the work, and again after growing pauses until it succeeds; how often it failed. ``on_failure`` hears of the first failure."""
    pause, failures = FIRST_PAUSE_S, 0
    while True:
        try:
            await work()
            return failures
        except Exception as error:
            if not failures:
                on_failure(error)
            failures += 1
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)
