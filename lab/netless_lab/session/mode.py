"""What a lab is for at the moment: a lesson, a drill, or play. A mode says what judging and help mean, and what is refused.

The verbs ask the mode that the stage is in, and no verb knows which it is.
"""

from __future__ import annotations

from typing import Literal, Protocol

from ..course.verdict import Verdict
from ..model.journey import Explanation
from ..model.probe import Probe
from ..model.snapshot import Snapshot
from ..protocol import Act, FaultStatus, Help, Judgement


class Mode(Protocol):
    """One way to use the lab."""

    @property
    def name(self) -> Literal["lesson", "drill", "play"]:
        """What it is called."""

    @property
    def watches(self) -> bool:
        """Whether what changes is judged by itself."""

    def refuses(self, act: Act) -> str:
        """Why this cannot be had now, and the way on; "" when the mode has nothing against it (``offers`` says what else may)."""

    async def judge(self, *, by_tutor: bool = False, looked: bool = False) -> Verdict:
        """Judge what is to be achieved, as things are now, and tell. ``by_tutor``: what is seen meanwhile is the tutor's doing; ``looked``: the
        last look was just now, and unless the kernel has told of something since no other is needed.
        """

    async def check(self, target: str | None) -> Judgement:
        """The answer to ``check``: verdicts with their words."""

    def hint(self, rung: int | None) -> Help:
        """Open the next rung of help, or the one asked for. Raises Refusal."""

    async def explain(self, probe: Probe) -> Explanation:
        """Send one probe, and say where it died and why. Raises Refusal."""

    async def watch(self, *, looked: bool) -> None:
        """What the watching judge does after a change; ``looked``: that the last look was just now."""

    def on_change(self, snapshot: Snapshot, *, by_somebody: bool) -> None:
        """Something changed: by somebody who does no verb, or by itself."""

    def on_command(self) -> None:
        """Somebody's command has ended in the lab: what it did may be nothing that the kernel tells of."""

    def going(self) -> tuple[str, ...]:
        """What a rebuild takes away, in words that do not give it away; () when the network itself says that."""

    def ending(self) -> str:
        """What a rebuild does to this mode, in words; "" when nothing."""

    async def left(self) -> Mode:
        """The lab is about to be rebuilt: end what must not outlive that. Returns the mode the lab is in from then on."""

    def close(self) -> None:
        """The lab is about to end: write down what is unfinished."""

    def fault(self) -> FaultStatus | None:
        """What may be told of something that is, or was, broken on purpose."""
