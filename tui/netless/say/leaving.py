"""What becomes of a lab when the tutor that started it is quit, for whoever is asked first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from netless_lab.lease import OF_A_TUTOR
from netless_lab.model.telling import the
from netless_lab.protocol import Parting

from ..called import Called
from ..desk.shells import Running
from .counted import plural
from .rebuild import cleared
from .text import EMPTY, Block, Blocks, plain, ticked

AS_WRITTEN: Final = Called()
KEPT: Final = f"`netless` comes back to it within {OF_A_TUTOR.unused_s / 60:.0f} minutes"
"""Of a lab that was kept, as after an accident."""


def parting(found: Parting | None, called: Called = AS_WRITTEN, running: Sequence[Running] = ()) -> Blocks:
    """What goes with the lab; None where it did not say, and the shells in which something runs. Then the ways there are; ``called`` words the command."""
    kept, lost = [[own for own in running if own.kept is kept] for kept in (True, False)]
    stays = f"its shells too, with what runs in them: {KEPT}" if kept else KEPT
    ways = (
        EMPTY, Block(ticked(called.typed(f"Kept, it goes on as it is{',' if kept else ':'} {stays}."))),
        *(Block(plain(f"{line} will end in any case: the lab does not keep that shell.")) for line in programs_in(lost)),
        Block(plain("Your ticks stay in any case.", "muted")),
    )  # fmt: skip
    ends = (Block(plain("What runs in its shells will end too:", "strong")), *cleared(programs_in(running), ())) if running else ()
    if found is None:
        return (Block(plain("The lab will end with this tutor, which started it. It did not say in time what would go with it.")), *ends, *ways)
    others = (Block(plain(f"{plural(found.onlookers, 'other looks on', 'others look on')}, and would see it end.")),) if found.onlookers else ()
    if not found.going:
        return (Block(plain("The lab will end with this tutor, which started it.")), *ends, *others, *ways)
    return (
        Block(plain("The lab will end with this tutor, which started it. No step of the course brings this back:", "strong")),
        *cleared(map(will, found.going), ()), *ends, *others, *ways,
    )  # fmt: skip


_WILL: Final = (
    (re.compile(r"^gone: (.*)$", re.DOTALL), r"\1 will go"),
    (re.compile(r" is gone\b"), " will go"),
    (re.compile(r" went away\b"), " will go away"),
    (re.compile(r" lost "), " will lose "),
    (re.compile(r"^"), "afterwards: "),
)
"""How a sentence that is true afterwards is told before: the first that fits."""


def will(sentence: str) -> str:
    """What will be so, of a sentence that is true once it is (``Clearing``)."""
    return next(pattern.sub(words, sentence, count=1) for pattern, words in _WILL if pattern.search(sentence))


def programs_in(running: Sequence[Running]) -> tuple[str, ...]:
    """Each program with the node of its shell."""
    return tuple(f"{program} in {the(own.node)}" for own in running for program in own.programs)
