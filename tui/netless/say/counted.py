"""Things and how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from netless_lab.course.verdict import Verdict


def plural(count: int, word: str, many: str = "") -> str:
    """``1 step``, ``2 steps``; ``many`` where an s is not enough."""
    return f"{count} {word if count == 1 else many or word + 's'}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


ASIDE: Final[Mapping[str, str]] = {"ahead": "ahead", "unknown": "untold", "lapsed": "gone"}
"""What neither holds nor fails, by its result, and how it is counted beside the others."""
UNJUDGED: Final[Mapping[str, str]] = {"waiting": "waiting", "error": "not judged"}
"""What may hold or not, by its result: packets that are not sent before the state is there, and what could not be tried. How many of those that decide
are so is told as well."""


def score(verdict: Verdict) -> str:
    """How many claims hold, of those that decide: ``2 of 3``."""
    results = [item.result for item in verdict.items if item.result not in ASIDE]
    return f"{results.count('pass')} of {len(results)}"


def every(verdict: Verdict) -> str:
    """The same, how many of the others were not judged, and what there is beside them: ``2 of 4, 1 waiting, 1 ahead``."""
    results = [item.result for item in verdict.items]
    return ", ".join((score(verdict), *(f"{results.count(result)} {word}" for result, word in {**UNJUDGED, **ASIDE}.items() if result in results)))


def rechecked(verdict: Verdict, *, broken: bool) -> str:
    """What is told of a judgement that is the one from before: of a step, or of a network that was ``broken`` on purpose."""
    if verdict.passed and not broken:
        return "Checked: the step still holds."
    unjudged = sum(item.result in UNJUDGED for item in verdict.items)
    if unjudged:
        return f"Checked: still {score(verdict)} conditions are known to hold; {unjudged} could not be judged."
    return f"Checked: still {score(verdict)} conditions hold."
