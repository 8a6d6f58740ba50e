"""What every view is told of where the lab stands: the status, in short the summary, what became of packets and of what the tutor did."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from ..model.probe import Outcome
from ..primitives.base import Action
from ..protocol import Act, ActionEvent, NodeStatus, ProbeEvent, Status, StatusEvent, Summary
from .offers import offers
from .pages import course_view, every_dialect, step_page, summary, where_of

if TYPE_CHECKING:
    from .stage import Stage


class Views:
    """Belongs to one stage, and knows what was told last: what is as it was need not be told again."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._began = time.monotonic()
        self.clients = 0
        """How many are connected now."""
        self._summary: Summary | None = None
        self._offered: tuple[int, dict[Act, str]] = (0, {})
        self._held = 0
        """How many blocks hold what is told of the status back now,"""
        self._due = False
        """and whether there is something to tell at their end."""

    def status(self) -> Status:
        """Everything but the network itself."""
        stage, state, snapshot = self._stage, self._stage.state, self._stage.live.last
        nodes = tuple(
            NodeStatus(node.name, node.role, node.pid, node.netns, stage.world.outside_pid(node.pid), node.names) for node in snapshot.nodes
        )
        return Status(
            lab=stage.name,
            agent_pid=stage.world.agent_pid,
            mode="sandbox",
            position=str(state.position),
            course=course_view(state.course, state),
            page=step_page(state, snapshot),
            nodes=nodes,
            verdict=state.verdict,
            dialect=state.dialect,
            busy=state.busy,
            playing=stage.mode.name == "play",
            notices=state.notices.lines,
            uptime_s=round(time.monotonic() - self._began, 1),
            clients=self.clients,
            bindings=state.bindings.words(),
            limits=stage.world.limits,
            fault=stage.mode.fault(),
            language=stage.library.language,
            lessons=stage.library.own,
            chosen=bool(state.progress.here),
            offers=offers(stage),
            moves=stage.moved,
            following=stage.world.following.overhears,
        )

    def tell_status(self) -> None:
        """Tell every view where we stand; where that is ``held``, at the end of it."""
        self._due = bool(self._held)
        if self._due:
            return
        status = self.status()
        self._offered = (status.moves, status.offers)
        self._stage.tell(StatusEvent(status))
        self.tell_summary(status)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What would tell the status inside this block, and in others that begin in it, has it told once, at the end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._due:
                self.tell_status()

    def tell_what_is_offered(self) -> None:
        """Tell every view where we stand when other things can be asked for than were told."""
        if (self._stage.moved, offers(self._stage)) != self._offered:
            self.tell_status()

    def tell_summary(self, status: Status | None = None) -> Summary:
        """The status in short; who wants to hear of it is told when it is not what it was."""
        before, now = self._summary, summary(status or self.status(), time.time())
        if before is not None and before == msgspec.structs.replace(now, at=before.at):
            return before
        self._summary = now
        self._stage.tell(now)
        return now

    def tell_probe(self, outcome: Outcome, wanted: bool) -> None:
        """What became of a probe."""
        self._stage.tell(ProbeEvent(time.time(), outcome, wanted, self._stage.world.following.journey_of(outcome)))
        self.tell_what_is_offered()

    def tell_action(self, action: Action, error: str = "") -> None:
        """What the tutor has done, in every dialect, or that it failed."""
        state = self._stage.state
        where = where_of(self._stage.live.last, state.step.shell)
        self._stage.tell(ActionEvent(time.time(), action.sentence(), every_dialect((action,), state.dialect, where), error))
