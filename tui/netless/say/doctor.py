"""What this machine can and cannot: each thing that was tried, and what to do about what failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from .cells import padded
from .text import Block, Looked, joined, labelled, plain

if TYPE_CHECKING:
    from netless_lab.sandbox.doctor import Check

MARKS: Final[Mapping[str, Looked]] = {"ok": ("✓", "good"), "missing": ("○", "muted"), "failed": ("✗", "strong", "bad")}


def tried(check: Check) -> Iterator[Block]:
    """One thing that was tried, and for what is not well: why, what to do, and what needs it."""
    yield Block(plain(f"{padded(check.name, 34)} {check.detail}"), first=joined(MARKS[check.status], " "))
    if check.status != "ok":
        for label, text in (("why", check.why), ("do", check.do), ("needed for", check.needed_for)):
            if text:
                yield labelled(f"    {label}: ", plain(text))
