"""What a client that subscribed is told, whoever caused it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ..course.verdict import ItemResult, Verdict
from ..model.journey import Journey
from ..model.probe import Outcome
from ..model.snapshot import Snapshot
from ..model.times import Time
from .base import Done, Failed, Hello, Message
from .replies import ChangeLine
from .status import Commands, Status


class StatusEvent(Message, frozen=True):
    """The status changed."""

    status: Status


class SnapshotEvent(Message, frozen=True):
    """The kernel's state changed. ``goal`` is the outline of the lesson's final picture, sent when it changes."""

    snapshot: Snapshot
    goal: Snapshot | None = None


class ChangesEvent(Message, frozen=True):
    """Kernel changes in words. ``who`` is "kernel" when all of it came by itself; ``at`` is the wall clock in seconds."""

    at: Time
    who: Literal["tutor", "learner", "kernel"]
    lines: tuple[ChangeLine, ...]


class ActionEvent(Message, frozen=True):
    """The tutor did (or failed to do) one action. ``commands`` holds it in every dialect."""

    at: Time
    sentence: str
    commands: tuple[Commands, ...]
    error: str = ""


class ProbeEvent(Message, frozen=True):
    """A probe ended. ``journey`` is the packet's path when it was followed."""

    at: Time
    outcome: Outcome
    wanted: bool
    journey: Journey | None = None


class JourneyEvent(Message, frozen=True):
    """A packet of the learner's own traffic, while following is on (the call ``follow``): its path.

    ``skipped`` counts frames that were left out since the last one, because more passed than can be told.
    """

    at: Time
    journey: Journey
    skipped: int = 0


class VerdictEvent(Message, frozen=True):
    """A step was judged. ``completed`` is true the first time it passes."""

    verdict: Verdict
    completed: bool = False


class Notice(Message, frozen=True):
    """Something the learner should know: a container died, the lab was rebuilt ..."""

    level: Literal["info", "warning", "error"]
    text: str


class Bye(Message, frozen=True):
    """The lab is ending, and why."""

    text: str


class FaultSummary(msgspec.Struct, frozen=True):
    """Of what is broken on purpose as much as a line has room for; see ``FaultStatus``."""

    tells: str
    drill: bool
    exam: bool
    healthy: bool
    began: Time
    hints: int
    whys: int


class Summary(Message, frozen=True):
    """Where one learner stands, some hundred bytes whatever the course and the network are: for who looks at many labs. Told when it changes.

    ``at`` is the wall clock since when it is so. ``results``: how each claim stood when it was last judged, those of a broken network's health
    while it is broken; ``passed``: all of them hold. ``earned`` counts the ticks among the ``steps`` of the course.
    """

    at: Time
    lab: str
    position: str
    title: str
    passed: bool = False
    results: tuple[ItemResult, ...] = ()
    busy: str = ""
    playing: bool = False
    earned: int = 0
    steps: int = 0
    fault: FaultSummary | None = None


Kind = Literal["statusevent", "snapshotevent", "changesevent", "actionevent", "probeevent", "journeyevent", "verdictevent", "notice", "bye", "summary"]
"""What can be subscribed to, as the ``type`` of its messages is written."""
DETAILS: Final[tuple[Kind, ...]] = (
    "statusevent", "snapshotevent", "changesevent", "actionevent", "probeevent", "journeyevent", "verdictevent", "notice", "bye"
)  # fmt: skip
"""All that a screen shows of one lab. A summary tells nothing beside them."""
AgentMessage = (Hello | Done | Failed | StatusEvent | SnapshotEvent | ChangesEvent | ActionEvent | ProbeEvent | JourneyEvent
                | VerdictEvent | Notice | Bye | Summary)
