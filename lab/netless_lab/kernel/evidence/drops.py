"""The kernel's own reason for freeing a packet (tracepoint skb:kfree_skb)."""

from __future__ import annotations

from ...model.evidence import Drop
from ...model.journeys.assemble import Followed
from ...model.snapshot import Snapshot


class DropEar:
    """Placeholder."""

    def skip(self) -> None: ...
    def take(self, snapshot: Snapshot, followed: Followed) -> tuple[Drop, ...]:
        return ()
