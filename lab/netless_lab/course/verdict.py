"""What the judge says: pass, fail or error, and always with reasons."""

from __future__ import annotations

from typing import Literal

import msgspec

Result = Literal["pass", "fail", "error", "waiting"]
"""``waiting``: the state is right and probes are not sent yet. Never the last word."""


class Item(msgspec.Struct, frozen=True):
    """One claim of a step and whether it holds.

    ``kind`` tells a state check from a probe. ``expected``, ``seen`` and ``look`` (one command to look with) are filled when it
    does not hold; ``near`` is the sentence for a near miss. "waiting" means not judged yet: probes wait for the state.
    """

    result: Literal["pass", "fail", "error", "waiting"]
    claim: str
    kind: Literal["state", "probe"] = "state"
    expected: str = ""
    seen: str = ""
    look: str = ""
    near: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """The judgement of one step. ``extras`` mentions objects the step did not ask for; they never fail it."""

    step: str
    result: Result
    items: tuple[Item, ...]
    extras: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True when every claim holds."""
        return self.result == "pass"
