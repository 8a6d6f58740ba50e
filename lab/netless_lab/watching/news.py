"""That the kernel had something to tell, counted, so that nobody who waits for more can miss any."""

from __future__ import annotations

import asyncio


class News:
    """Belongs to one loop. Each who waits does so beyond the count it has seen; what one has heard is not taken from another."""

    def __init__(self) -> None:
        self._count = 0
        self._next = asyncio.Event()

    @property
    def count(self) -> int:
        """How often there was news so far. Take it before you look, and wait beyond it when you have looked."""
        return self._count

    def tell(self) -> None:
        """There is news: everybody who waits for it goes on."""
        self._count += 1
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def beyond(self, seen: int, timeout_s: float | None = None) -> bool:
        """Wait until there is more than the ``seen`` count; False when the time passed without any."""
        if self._count == seen:
            try:
                await asyncio.wait_for(self._next.wait(), timeout_s)
            except TimeoutError:
                return self._count != seen
        return True
