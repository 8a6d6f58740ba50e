"""What was told of a lab lately: for those who join later, and for Why, which asks about a packet that was lost. Bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from ..model.probe import Probe
from ..protocol import ActionEvent, ChangesEvent, JourneyEvent, Message, ProbeEvent

MOST: Final = {"done": 300, "by itself": 60, "packet": 100}
"""So much is kept of what somebody did, of what the kernel did by itself, and of packets."""
MOST_LINES: Final = 3000
"""And no more than so many lines or hops of each: one command can change a thousand things, and whoever joins is told all of it at once."""

Happened: TypeAlias = ActionEvent | ChangesEvent | ProbeEvent | JourneyEvent


class Past:
    """What happened, as it was told."""

    def __init__(self, tell: Callable[[Message], None]) -> None:
        """``tell`` tells every view that is there now."""
        self._tell = tell
        self._kept: dict[str, deque[Happened]] = {sort: deque() for sort in MOST}
        self._lines = dict.fromkeys(MOST, 0)
        self._ended: dict[Probe, ProbeEvent] = {}
        """How each probe that was sent since the lab came to its step ended last, the newest at the end."""

    def tell(self, message: Message) -> None:
        """Tell every view, and keep it if it is something that happened."""
        self._tell(message)
        match message:
            case ProbeEvent():
                self._keep("packet", message)
                probe = message.outcome.probe
                self._ended.pop(probe, None)
                self._ended[probe] = message
                if len(self._ended) > MOST["packet"]:
                    del self._ended[next(iter(self._ended))]
            case JourneyEvent():
                self._keep("packet", message)
            case ChangesEvent(who="kernel"):
                self._keep("by itself", message)
            case ActionEvent() | ChangesEvent():
                self._keep("done", message)
            case _:
                pass

    def _keep(self, sort: str, event: Happened) -> None:
        kept = self._kept[sort]
        kept.append(event)
        self._lines[sort] += _lines(event)
        while len(kept) > MOST[sort] or (self._lines[sort] > MOST_LINES and len(kept) > 1):
            self._lines[sort] -= _lines(kept.popleft())

    def moved_on(self) -> None:
        """The lab came to another step: what was lost before is no question of this one."""
        self._ended.clear()

    @property
    def happened(self) -> tuple[Happened, ...]:
        """What is kept, in its order."""
        return tuple(sorted((event for kept in self._kept.values() for event in kept), key=lambda event: event.at))

    @property
    def lost(self) -> Probe | None:
        """The probe that Why asks about: of those since the step began the newest that did not end as wanted, else the newest that was not
        answered; None when there is none. What was sent again since counts as it ended last.
        """
        unanswered = [event for event in reversed(self._ended.values()) if not event.as_wanted or event.outcome.result != "answered"]
        return min(unanswered, key=lambda event: event.as_wanted).outcome.probe if unanswered else None


def _lines(event: Happened) -> int:
    match event:
        case ChangesEvent(lines=lines):
            return max(len(lines), 1)
        case ProbeEvent(journey=journey) | JourneyEvent(journey=journey) if journey is not None:
            return max(len(journey.hops), 1)
        case _:
            return 1
