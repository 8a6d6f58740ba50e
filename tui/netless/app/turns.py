"""One key after the other, however many come in one read.

Textual hands all that was read to the queue of what has the focus just then. What stands behind a key that moves the focus has then come to
the wrong place: a pane or a terminal that takes keys itself would have them before the first was heeded. So each key waits until the one before it is over.

Only so much waits. What comes then is left out until all of that has had its turn, so that no gap is in what is typed behind it, and how much that was is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from textual import events
from textual.message import Message
from textual.widget import Widget

Typed = events.Key | events.Paste

MOST_WAITING: Final = 20_000
"""So many keys wait at most: a key that is held down for ten minutes, all of which the app stands still. They take 12 MiB."""
PASTED_AS_A_KEY: Final = 500
"""So many letters of what is pasted take the room of a key."""


class Turn(Message):
    """Goes the way of a key, right behind it: where it arrives the key has been, whether somebody took it or not."""

    def __init__(self, target: Widget) -> None:
        super().__init__()
        self.target = target


class Turns:
    """What was typed and waits for its turn; ``take`` gives one to what has the focus, ``left_out`` is told how many were too many to wait."""

    def __init__(self, take: Callable[[Typed], Awaitable[None]], left_out: Callable[[int], None]) -> None:
        self._take, self._tell = take, left_out
        self._waiting: deque[Typed] = deque()
        self._room_taken = 0
        self._left_out = 0
        self._turn: Turn | None = None

    async def read(self, event: Typed) -> None:
        """Something was typed."""
        if self._left_out or self._room_taken >= MOST_WAITING:
            self._left_out += 1
        else:
            self._waiting.append(event)
            self._room_taken += _room(event)
        await self._go_on()

    def begin(self, target: Widget) -> None:
        """It was given to this one: its turn lasts until that has heeded it, and all around that."""
        turn = Turn(target)
        self._turn = turn if target.post_message(turn) else None

    async def over(self, turn: Turn) -> None:
        """This one has been where it was sent; one that was read anew meanwhile has not."""
        if turn is self._turn:
            self._turn = None
            await self._go_on()

    async def left(self, window: object) -> None:
        """Another window lies on top now, so that some may have been taken away."""
        await self._go_on()

    async def _go_on(self) -> None:
        if self._turn is not None and not self._turn.target.is_attached:
            self._turn = None  # what was taken away sends nothing back
        while self._waiting and self._turn is None:
            event = self._waiting.popleft()
            self._room_taken -= _room(event)
            await self._take(event)
        if self._left_out and not self._waiting:
            left_out, self._left_out = self._left_out, 0
            self._tell(left_out)


def _room(event: Typed) -> int:
    """How much room it takes, in keys."""
    return 1 + len(event.text) // PASTED_AS_A_KEY if isinstance(event, events.Paste) else 1
