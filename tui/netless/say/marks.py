"""What the marks on the screen mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .cells import padded
from .text import Block, Blocks, Looked, plain

SIGNS: Final = 10
"""Cells before what a sign means."""


PORTS: Final[tuple[tuple[Looked, str], ...]] = (
    (("●", "good"), "up, and the other end is up as well"),
    (("◐", "warn"), "up, but no carrier: the other end is down"),
    (("○", "muted"), "down"),
    (("◆", "strong", "chip"), "a packet on its way"),
    (("✗", "strong", "bad"), "a packet died here, or a claim does not hold"),
    (("»", "strong", "accent"), "more works than the step asks for: you are ahead"),
    (("-", "accent"), "it cannot be told; below stands what decided"),
    (("║", "strong", "bridge"), "a bridge; its ports branch off it"),
)
GATES: Final[tuple[tuple[Looked, str], ...]] = (
    (("[fwd]", "strong", "good"), "a gate on the way out, open: forwarding, firewall, NAT"),
    (("›fw‹", "strong", "warn"), "a gate that lets some packets through and others not"),
    (("[fwd✗]", "strong", "bad"), "a closed gate: packets die here"),
    (("[fw?]", "muted"), "a gate with rules that cannot be read"),
    (("fw", "faint"), "nothing set at this gate: packets pass as they are"),
    (("(veth1) ◌", "faint"), "part of the goal, not built yet; its lines are ╌ and ╎"),
)


STEPS: Final[tuple[tuple[Looked, str], ...]] = (
    (("✓", "strong", "good"), "done: the tick stays, whatever happens later"),
    (("▸", "strong", "accent"), "you are here"),
    (("·", "faint"), "to come"),
)


def picture_marks() -> Blocks:
    """The marks in the picture."""
    return _section("Marks in the picture", (*PORTS, *GATES))


def legend() -> Blocks:
    """The marks in the list of steps."""
    return _section("Marks in the list of steps", STEPS)


def keys_section(title: str, keys: Iterable[tuple[str, str]]) -> Blocks:
    """Keys and what they do, under a title."""
    return _section(title, [((key, "strong", "accent"), text) for key, text in keys])


def _section(title: str, rows: Iterable[tuple[Looked, str]]) -> Blocks:
    return (Block(plain(title, "strong")), *(Block(plain(text), first=plain(padded(sign[0], SIGNS), *sign[1:])) for sign, text in rows))
