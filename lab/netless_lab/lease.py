"""When a lab ends by itself: after its lease, counted from the moment its last client hung up. Pure: every time is handed in.

Clients are what counts: a tutor, a shell and an ``exec`` hold their connection open as long as they last. A process that somebody left
running in the lab is no client and prolongs nothing, nor does a client that only looks on (``Hello.onlooker``). A verb such as ``check`` is a
client for a moment: the lease starts over after it, and stays of the kind it was.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec


class Lease(msgspec.Struct, frozen=True):
    """``unused_s``: how many seconds a lab outlives its last client. ``lasting``: a command asked for the lab, so quitting a tutor ends it not."""

    unused_s: float
    lasting: bool = False

    def ends(self, last_use: float, clients: int) -> float:
        """When the lab is to end: on the clock of ``last_use`` (when the last client hung up), in seconds; never while one is connected."""
        return math.inf if clients else last_use + self.unused_s


OF_A_TUTOR: Final = Lease(30 * 60.0)
"""A lab that the tutor started: a dropped ssh must not cost a learner the lab."""
LASTING: Final = Lease(24 * 3600.0, lasting=True)
"""A lab that ``up``, or another command that needed one, started."""
