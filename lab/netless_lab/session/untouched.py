"""Whether nobody can have changed anything in silence since a lab was cleaned: what a picture shows says the rest, and another purge has nothing to do.

Much of what a purge looks through changes without a word of the kernel's: settings, what hangs on links, tables that no snapshot holds. But only by
somebody who lives in the lab, by the tutor, or by packets. Where nobody has lived in it since, nothing was written and nothing sent, it is as it was.
"""

from __future__ import annotations

from ..ground.ground import Ground


class Untouched:
    """Belongs to one world, which says what is done in it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._untouched = False

    def touched(self) -> None:
        """Something is written or sent, somebody is let in, or a node has ended."""
        self._untouched = False

    def cleaned(self) -> None:
        """A purge has put everything right; whoever still lives there may be at work."""
        self._untouched = self._ground.alone()

    def perhaps(self, containers: tuple[str, ...]) -> bool:
        """Whether only what a picture shows can be otherwise than after that, and exactly these containers are there."""
        return self._untouched and containers == tuple(ref.name for ref in self._ground.refs() if ref.role == "container")
