"""What becomes of a lab when the tutor that started it is quit, for whoever is asked first."""

from __future__ import annotations

from typing import Final

from netless_lab.lease import OF_A_TUTOR
from netless_lab.protocol import Parting

from ..called import Called
from .counted import plural
from .rebuild import cleared
from .text import EMPTY, Block, Blocks, plain, ticked

AS_WRITTEN: Final = Called()
KEPT: Final = f"`netless` comes back to it within {OF_A_TUTOR.unused_s / 60:.0f} minutes"
"""Of a lab that was kept, as after an accident."""


def parting(found: Parting | None, called: Called = AS_WRITTEN) -> Blocks:
    """What goes with the lab; None where it did not say. Then the ways there are; ``called`` words the command."""
    ways = (EMPTY, Block(ticked(called.typed(f"Kept, it goes on as it is: {KEPT}."))), Block(plain("Your ticks are kept in any case.", "muted")))
    if found is None:
        return (Block(plain("The lab ends with this tutor, which started it. It did not say in time what would go with it.")), *ways)
    others = (Block(plain(f"{plural(found.onlookers, 'other looks on', 'others look on')}, and would see it end.")),) if found.onlookers else ()
    if not found.going:
        return (Block(plain("The lab ends with this tutor, which started it.")), *others, *ways)
    return (
        Block(plain("The lab ends with this tutor, which started it. No step of the course brings this back:", "strong")),
        *cleared(found.going, ()), *others, *ways,
    )  # fmt: skip
