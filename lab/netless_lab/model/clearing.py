"""What stands to be cleared away, and what comes back with it, in words: for whoever asks before a lab is put back. Pure."""

from __future__ import annotations

import msgspec


class Clearing(msgspec.Struct, frozen=True):
    """``going`` is there and would not be, ``coming`` is not there, or not so, and would be: sentences without a full stop, true once it is done."""

    going: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.going or self.coming)

    def __add__(self, other: Clearing) -> Clearing:
        return Clearing((*self.going, *other.going), (*self.coming, *other.coming))


class Things(msgspec.Struct, frozen=True):
    """The same of what has a name and no sentence of its own."""

    going: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()

    def __add__(self, other: Things) -> Things:
        return Things((*self.going, *other.going), (*self.coming, *other.coming))

    @property
    def now(self) -> tuple[str, ...]:
        """All of it as one list, as it is now."""
        return (*self.going, *(f"missing: {own}" for own in self.coming))

    @property
    def cleared(self) -> Clearing:
        """As it would be."""
        return Clearing(tuple(f"gone: {own}" for own in self.going), tuple(f"back: {own}" for own in self.coming))
