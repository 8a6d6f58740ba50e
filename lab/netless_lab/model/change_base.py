"""What every change has (see ``changes``)."""

from __future__ import annotations

import msgspec


class _Somewhere(msgspec.Struct, frozen=True, tag_field="change"):
    """``node`` is where it is now; where it was, when it is gone."""

    node: str


class Difference(_Somewhere, frozen=True, kw_only=True):
    """``quiet`` is true for what comes and goes by itself: neighbour states, learned MACs, what the kernel adds on its own."""

    quiet: bool = False
