"""What the judge says: pass, fail or error, and always with reasons."""

from __future__ import annotations

from typing import Literal

import msgspec

Result = Literal["pass", "fail", "error", "waiting"]
"""``waiting``: the state is right and probes are not sent yet. Never the last word."""


ItemResult = Literal["pass", "fail", "error", "waiting", "unknown", "ahead", "lapsed"]
"""``unknown``: it cannot be told, so something else of the step decides. ``ahead``: an observation that is overtaken, since the learner
has done more than the step asks for. ``lapsed``: what an earlier step built is not there. None of the three passes or fails."""


class Item(msgspec.Struct, frozen=True):
    """One claim of a step and whether it holds.

    ``kind`` tells a state check from a probe. ``expected``, ``seen`` and ``look`` (one command to look with) are filled when it
    does not hold; ``near`` is the sentence for a near miss. "waiting" means not judged yet: probes wait for the state. ``seen`` of an
    "unknown" item says why nobody can tell and what decided; the claim of one that is "ahead" is what is true instead.
    """

    result: ItemResult
    claim: str
    kind: Literal["state", "probe"] = "state"
    expected: str = ""
    seen: str = ""
    look: str = ""
    near: str = ""

    @property
    def words(self) -> str:
        """The claim, with what was expected and seen where it does not hold."""
        return self.claim + (f" (expected {self.expected}; seen {self.seen})" if self.seen else "")


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

    @property
    def results(self) -> tuple[tuple[str, ItemResult], ...]:
        """Each claim with how it stands."""
        return tuple((item.claim, item.result) for item in self.items)

    @property
    def but(self) -> str:
        """What is to be said of a step that passed, behind "Done"; "" where its page's own sentence is true.

        That speaks of the end of the step and of all before it: where an item is "ahead" or "unknown", or something is there that no step has asked
        for, there is more than that, or it cannot be told; where one is "lapsed" there is less.
        """
        results = {item.result for item in self.items}
        if "lapsed" in results:
            return ", but what an earlier step built is not there."
        if "ahead" in results:
            return ", and you are ahead: there is more already than this step asks for."
        if "unknown" in results:
            return ", as far as anybody can tell: not everything here could be read."
        return "; there is more here than this step asks for." if self.extras else ""

    def told(self, success: str) -> str:
        """What to say of a step that passed: its page's ``success`` when every word of it is true now; "" when it did not pass."""
        return "" if not self.passed else f"Done{self.but}" if self.but else success
