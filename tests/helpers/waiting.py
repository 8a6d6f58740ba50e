"""Wait for what must come to be: a condition is asked again and again until it holds, with a deadline that only a failure meets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 15.0
"""What a machine with too much to do may take. Nothing that works takes so long, so nothing is slower for it."""


def eventually(check: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
    """Whether ``check`` becomes true within a time."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


async def becomes(check: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
    """Whether ``check`` becomes true within a time, while the event loop goes on."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.005)
    return True
