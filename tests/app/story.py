"""What a real lab said at the moments that the tests of the app are about, by name; each value is of a recording (``recordings``).

Where a test needs a state that was not recorded, a recorded one is varied: the functions with arguments say in what.
The course at cable/plug: the pair is made, veth2 was switched on too early, and three probes were sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from app.recordings import Exchange, recorded
from app.same_each_time import NOON
from netless_lab import protocol
from netless_lab.course.verdict import Verdict
from netless_lab.model.journey import Explanation
from netless_lab.model.listed import Listed
from netless_lab.model.snapshot import Snapshot

__all__ = [
    "BUILT",
    "CLOSED",
    "FAULTS",
    "GOAL",
    "GOING",
    "HINTS",
    "LOG",
    "NEIGHBOURS",
    "NOON",
    "PASSED",
    "PENDING",
    "PORT_DOWN",
    "PROBES",
    "SHUT",
    "TABLE",
    "WHY",
    "course",
    "events",
    "followed",
    "judged",
    "opening",
    "page",
    "snapshot_of",
    "status",
]  # fmt: skip


def snapshot_of(exchange: Exchange) -> Snapshot:
    """The network as it was told last."""
    return next(message.snapshot for message in reversed(exchange.said) if isinstance(message, protocol.SnapshotEvent))


def judged(exchange: Exchange) -> Verdict:
    """The verdict that was told last."""
    return next(message.verdict for message in reversed(exchange.said) if isinstance(message, protocol.VerdictEvent))


def events(*moments: str, of: Any) -> tuple[Any, ...]:
    """The events of some kinds that were told in these moments."""
    return tuple(message for moment in moments for message in recorded(moment).said if isinstance(message, of))


_HERE = recorded("plug-opening")

TABLE = snapshot_of(_HERE)
"""The cable lies on the host, one end of it on."""
GOAL = next(message.goal for message in _HERE.said if isinstance(message, protocol.SnapshotEvent))
BUILT = snapshot_of(recorded("masquerade-opening"))
"""Everything between c1 and the internet."""
CLOSED = snapshot_of(recorded("masquerade-closed"))
"""The same, but that the host does not forward."""
PORT_DOWN = snapshot_of(recorded("masquerade-port-down"))
"""The same as built, but that the port of the bridge is down."""
NEIGHBOURS = snapshot_of(recorded("everyone-opening"))
"""The end of the course: two containers."""
SHUT = snapshot_of(recorded("drill-start"))
"""The same, but that the host does not forward: broken for a drill."""

PENDING = judged(_HERE)
PASSED = judged(recorded("plug-run"))
WHY: Explanation = recorded("plug-why").value
"""Why c1 gets no answer from 10.0.0.1 while it has no cable."""
GOING: tuple[str, ...] = recorded("plug-reset-dry").value.going
"""What a reset of the step puts back."""
HINTS = recorded("plug-hint-3").status.page.hints_open

LOG: tuple[protocol.ActionEvent | protocol.ChangesEvent, ...] = events(
    "pair-run", "plug-touched", of=protocol.ActionEvent | protocol.ChangesEvent
)  # fmt: skip
PROBES: tuple[protocol.ProbeEvent, ...] = events("plug-probe-itself", "plug-probe-from-host", "plug-probe-gateway", of=protocol.ProbeEvent)
"""One that was answered, one that must not be and was not, one that should have been and was not."""
FAULTS: tuple[Listed, ...] = recorded("drill-faults").value


def course(done: int = 5, broken: str = "") -> protocol.CourseView:
    """The course with its first ``done`` steps earned; ``broken`` is the id of one that no longer holds."""
    told = _HERE.status.course
    every = [f"{lesson.id}/{step.id}" for lesson in told.lessons for step in lesson.steps]

    def varied(place: str, step: protocol.StepView) -> protocol.StepView:
        earned = every.index(place) < done
        return msgspec.structs.replace(step, earned=earned, live=place != broken if earned else None)

    lessons = tuple(
        msgspec.structs.replace(lesson, steps=tuple(varied(f"{lesson.id}/{step.id}", step) for step in lesson.steps)) for lesson in told.lessons
    )
    return msgspec.structs.replace(told, lessons=lessons)


def page(hints: int = 0) -> protocol.StepPage:
    """The page of cable/plug, with so many hints open."""
    return recorded(f"plug-hint-{hints}").status.page


def status(*, done: int = 5, hints: int = 0, verdict: Verdict | None = None, busy: str = "", playing: bool = False,
           dialect: str = "ip", broken: str = "", position: protocol.StepPage | None = None,
           forbidden: dict[protocol.Act, str] | None = None) -> protocol.Status:  # fmt: skip
    """The status at cable/plug, varied; ``position``: with the page of another step; ``forbidden``: for these reasons, and no others."""
    shown = position or page(hints)
    waits: dict[protocol.Act, str] = {act: f"the lab is busy: {busy}" for act in protocol.ACTS if busy and act not in protocol.BESIDE}
    offers = (_HERE.status.offers if forbidden is None else forbidden) | waits
    return msgspec.structs.replace(
        _HERE.status, position=shown.position, course=course(done, broken), page=shown, verdict=verdict, busy=busy, playing=playing,
        dialect=dialect, offers=offers,
    )  # fmt: skip


def followed(request: protocol.Request[Any]) -> list[protocol.Message]:
    """What a lab at the end of internet/masquerade answers to who asks for the learner's own packets: every view hears that they are followed."""
    return [protocol.StatusEvent(msgspec.structs.replace(recorded("masquerade-opening").status, following=True)), request.done(protocol.FollowStatus(True))]


def opening(moment: str = "plug-opening", log: Sequence[protocol.Message] = (*LOG, *PROBES)) -> list[protocol.Message]:
    """What a new client was told, and then the log and the packets as one knows them who was there before."""
    return [*recorded(moment).events, *log]
