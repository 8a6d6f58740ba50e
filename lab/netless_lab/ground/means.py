"""What the machine under a lab lacks of what a page needs: looked for, or tried, when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..model.needs import NEEDS, Lack

if TYPE_CHECKING:
    from ..sandbox.explain import Advice


class Means:
    """Remembers what was found: a module that is loaded stays, and what is lacking may be there when it is asked for again."""

    def __init__(self) -> None:
        self._found: set[str] = set()

    def lacking(self, needs: Iterable[str]) -> tuple[Lack, ...]:
        """What is lacking of these ``model.needs``. Takes some milliseconds for each that is asked for first; some start a program."""
        lacks = tuple(lack for need in needs if need not in self._found and (lack := _lack(need)) is not None)
        self._found.update(set(needs) - {lack.need for lack in lacks})
        return lacks


def _lack(name: str) -> Lack | None:
    import shutil  # most labs are never asked

    from ..sandbox.explain import explain_need, lacks_program

    need = NEEDS[name]
    if need.program and shutil.which(need.program) is None:
        return _told(name, lacks_program(need), f"the program {need.program}")
    if not need.of_kernel:
        return None
    from dataclasses import replace

    from ..sandbox.facts import gather
    from ..sandbox.trial import attempt

    outcome = attempt(name)
    facts = replace(gather(), seccomp=0)  # a lab has a filter of its own, which forbids none of these
    return _told(name, explain_need(need, outcome.errno, facts), need.title) if outcome.errno else None


def _told(name: str, advice: Advice, title: str) -> Lack:
    return Lack(name, title, advice.why, advice.do)
