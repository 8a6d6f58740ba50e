"""What stands to be cleared away, and what comes back with it, in words: for whoever asks before a lab is put back. Pure."""

from __future__ import annotations

import msgspec


class Clearing(msgspec.Struct, frozen=True):
    """``going`` is there and would not be, ``coming`` is not there, or not so, and would be; sentences without a full stop."""

    going: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.going or self.coming)

    def __add__(self, other: Clearing) -> Clearing:
        return Clearing((*self.going, *other.going), (*self.coming, *other.coming))

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it as one list, as it is now."""
        return (*self.going, *(f"missing: {line}" for line in self.coming))
