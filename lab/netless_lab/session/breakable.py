"""A desk that knows of faults: while one is on, it is the fault that is judged, and nothing gives it away."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ..course.outline import outline, owners
from ..course.step import step_at
from ..course.verdict import Verdict
from ..errors import Refusal
from ..model.probe import Probe
from ..model.snapshot import Snapshot
from ..protocol import Status
from .desk import Desk
from .faulting import Faulting
from .state import actions_before

if TYPE_CHECKING:
    from .session import Session


class BreakableDesk(Desk):
    """What faults change about looking and judging."""

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.faulting = Faulting(cast("Session", self))
        self._settings: Hashable = None

    async def judge_now(self, *, by_tutor: bool = False) -> Verdict:
        """The step as it is now; while a fault is on, the network's health."""
        return await (self.faulting.judge() if self.faulting.on else super().judge_now(by_tutor=by_tutor))

    async def explain(self, probe: Probe) -> Any:
        """Where and why a probe dies; counted in a drill, refused in an exam."""
        self.faulting.asked_why()
        return await super().explain(probe)

    def relive(self, snapshot: Snapshot) -> None:
        """The live marks of the steps stay as they were while a fault is on: they would tell where it is."""
        if not self.faulting.hidden:
            super().relive(snapshot)

    def owners(self) -> dict[str, str]:
        """In which node the lessons up to here mean each address to live, in the learner's words."""
        state = self.state
        asked = (*actions_before(state.course, state.position), *step_at(state.course, state.position).do)
        homes = owners(outline(self.world.baseline, asked))
        return {state.bindings.address(address): node for address, node in homes.items()}

    def refuse_while_broken(self) -> None:
        """For verbs that would go on with the lessons on a network that is broken on purpose."""
        if self.faulting.on:
            raise Refusal("something is broken on purpose: repair it, or let `netless mend` do it; `goto` and `reset` rebuild", code=1)

    def _kernel_changed(self, snapshot: Snapshot) -> None:
        """What comes by itself does not end a fault, unless it is a setting; probes change none, so this cannot go round."""
        if not self.faulting.hidden:
            super()._kernel_changed(snapshot)
            return
        before, self._settings = self._settings, tuple((node.netns, *sorted(node.sysctls.items())) for node in snapshot.nodes)
        if before != self._settings and not self.state.busy:
            self.rejudge()

    async def _watching(self) -> None:
        await (self.faulting.follow() if self.faulting.on else super()._watching())

    def _status(self) -> Status:
        return msgspec.structs.replace(super()._status(), fault=self.faulting.status())
