"""What is said of a course's steps at its end, by the lab and by every screen: the one place for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..primitives.look import listed

_NAMED: Final = 3
"""So many are named; of more only the number is told."""


def named(titles: Sequence[str]) -> str:
    """Steps that were never done, the first few by their titles, as a sentence; "" when there are none."""
    more = (f"{len(titles) - _NAMED} more",) if len(titles) > _NAMED else ()
    return f"Not done yet: {listed((*map(repr, titles[:_NAMED]), *more), '')}." if titles else ""


def not_done(steps: Sequence[tuple[str, str]]) -> str:
    """The same of positions with their titles, and how one gets there by a word."""
    if not steps:
        return ""
    return f"{named([title for _, title in steps])} `goto {steps[0][0]}` goes {'there' if len(steps) == 1 else 'to the first of them'}."
