"""What a client that subscribed is told, whoever caused it, and what any may ask for. Each request declares its reply, and whether it only looks
or has to wait for its turn.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ..course.progress import Progress
from ..course.verdict import ItemResult, Verdict
from ..ending import Others
from ..model.clearing import Clearing
from ..model.journey import Explanation, Journey
from ..model.listed import Listed
from ..model.probe import Outcome, Probe
from ..model.snapshot import Snapshot
from ..model.times import Time
from ..primitives.roles import Dialect
from .base import Done, Failed, Hello, Look, Message, Move, Request, Verb
from .replies import Account, Broke, Capture, ChangeLine, Enterable, FollowStatus, Help, Judgement, Mended, Moved, Packet, Parting, Proven
from .status import Commands, CourseView, GetStatus, Status


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

    @property
    def as_wanted(self) -> bool:
        """Whether it ended as the step wants it: answered or, if it must not be answered, failed. An error never does."""
        return self.outcome.result == ("answered" if self.wanted else "failed")


class JourneyEvent(Message, frozen=True):
    """A packet of the learner's own traffic, while following is on (``Follow``): its path.

    ``skipped`` counts frames that were left out since the last one, because more passed than can be told.
    """

    at: Time
    journey: Journey
    skipped: int = 0


class VerdictEvent(Message, frozen=True):
    """A step was judged. ``completed`` is true the first time it passes."""

    verdict: Verdict
    completed: bool = False


class Explained(Message, frozen=True):
    """Somebody asked why a packet died, and this is what was answered."""

    at: Time
    explanation: Explanation


class Notice(Message, frozen=True):
    """Something the learner should know: a container died, a drill is over ... What who asked for a verb has in its answer is "info" to all others.

    One that ``lapses`` speaks of how things stand: it is void when they stand otherwise.
    """

    level: Literal["info", "warning", "error"]
    text: str
    lapses: bool = False


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


Kind = Literal["statusevent", "snapshotevent", "changesevent", "actionevent", "probeevent", "journeyevent", "verdictevent", "explained", "notice", "bye", "summary"]
"""What can be subscribed to, as the ``type`` of its messages is written."""
DETAILS: Final[tuple[Kind, ...]] = (
    "statusevent", "snapshotevent", "changesevent", "actionevent", "probeevent", "journeyevent", "verdictevent", "notice", "bye"
)  # fmt: skip
"""All that a screen shows of one lab. A summary tells nothing beside them, and an explanation is shown to who asked."""
AgentMessage = (Hello | Done | Failed | StatusEvent | SnapshotEvent | ChangesEvent | ActionEvent | ProbeEvent | JourneyEvent
                | VerdictEvent | Explained | Notice | Bye | Summary)
Scope = Literal["step", "lesson", "lab"]


class Subscribe(Request[None], frozen=True):
    """From now on send the events of these kinds, and no others; the last subscription counts. What is so now is sent at once: status,
    snapshot, verdict and summary, as far as they are among them; and with the ``past`` what happened lately, in its order, as it was told then.
    ``mine``: only of what happens while a verb of this client is done, for who narrates what it does and not what others do.
    """

    kinds: tuple[Kind, ...] = DETAILS
    past: bool = False
    mine: bool = False


class Down(Request[Others], frozen=True):
    """End the lab. Understood from a client of any version."""


class Leave(Request[str], frozen=True):
    """The tutor that started the lab was quit on purpose: why the lab goes on, "" when it ends now.

    ``agreed``: whoever quits knows what goes, and wants it so. Else the lab goes on where something would go by now that no step brings back, or somebody
    would see it end.
    """

    agreed: bool = False


class GetSnapshot(Look[Snapshot], frozen=True):
    """The state of every node, read now."""


class GetCourses(Look[tuple[CourseView, ...]], frozen=True):
    """Every course, with its ticks."""


class GetProgress(Look[Progress], frozen=True):
    """What was earned so far."""


class GetHistory(Look[Account], frozen=True):
    """What was done in this lab."""


class GetFaults(Look[tuple[Listed, ...]], frozen=True):
    """Every fault there is, and what this machine lacks for it."""


class GetJourneys(Look[tuple[Journey, ...]], frozen=True):
    """The journeys that are kept, oldest first."""


class GetPacket(Look[Packet], frozen=True):
    """One packet: the ``hop``, from 0, of the ``journey`` of this number."""

    journey: int
    hop: int


class GetCapture(Look[Capture], frozen=True):
    """The packets of one journey, or all that are kept."""

    journey: int | None = None


class Enter(Look[Enterable], frozen=True):
    """Whether a node can be entered."""

    node: str


class Follow(Look[FollowStatus], frozen=True):
    """Follow the learner's own traffic, as ``JourneyEvent`` to all who subscribed, or stop; None only asks. The lab stays as it is."""

    on: bool | None = None


class Run(Move[Judgement], frozen=True):
    """Do a step for the learner: the current one, the one named, or all that remain in the lesson. Then judge it.

    ``wait``: until a network that is still getting ready is ready; meanwhile others have their turns.
    """

    target: str | None = None
    rest: bool = False
    wait: bool = False


class Check(Verb[Judgement], frozen=True):
    """Judge the current step, or every step of the target (a step, lesson or course). ``wait`` as in ``Run``."""

    target: str | None = None
    wait: bool = False


class Back(Move[Moved], frozen=True):
    """Undo the last step, or the learner's own last change when there is one after it.

    Where that takes more with it of what the learner made, it is refused, with what would be ``going`` and ``coming`` back; with ``force`` it is
    done.
    """

    force: bool = False


class Goto(Move[Moved], frozen=True):
    """Rebuild the lab for the start of the target, or its end."""

    target: str
    end: bool = False


class Reset(Move[Moved], frozen=True):
    """Rebuild to the start of the current step or lesson, or the whole lab."""

    scope: Scope = "step"


class WhatGoes(Verb[Clearing], frozen=True):
    """What ``Reset`` would take away or put back. It waits for its turn: what is being rebuilt just now would tell nothing."""

    scope: Scope = "step"


class WhatLeaves(Verb[Parting], frozen=True):
    """What ``Leave`` would end, and what would go with it. It waits for its turn, as ``WhatGoes`` does."""


class Next(Move[Moved], frozen=True):
    """Move on to the next step. When it can start from what is there, only the position changes.

    Else it is refused, with what is missing and what would be ``going`` and ``coming`` back; with ``force`` the lab is rebuilt for the next step.
    """

    force: bool = False


class Hint(Verb[Help], frozen=True):
    """Open the next rung of help for the current step (or the given rung, from 0). Recorded in the progress."""

    rung: int | None = None


class SendProbe(Verb[Outcome], frozen=True):
    """Send one probe now. Its target may be the name of a node, which stands for its first address."""

    probe: Probe
    must_reply: bool = True


class Explain(Verb[Explanation], frozen=True):
    """Send one probe, follow it, and say where and why it died. A target as in ``SendProbe``, but ``named``: then DNS is asked for it, whatever
    node is called so. None is for the packet that was lost last in this step, whoever sent it.
    """

    probe: Probe | None = None
    named: bool = False


class Play(Move[Moved], frozen=True):
    """Enter or leave play mode: judging pauses; leaving restores the step exactly.

    Where that takes something with it, leaving is refused, with what would be ``going`` and ``coming`` back; with ``force`` it is done.
    """

    on: bool
    force: bool = False


class SetDialect(Verb[Moved], frozen=True):
    """Choose the dialect in which commands are shown, for every view of this lab."""

    dialect: Dialect


class Break(Move[Broke], frozen=True):
    """Break something on purpose. Without ``fault`` one is drawn by ``seed``, or by lot; a drawn one and a drill's stay secret.

    ``node`` is the container it shall be in, "" where it belongs. An ``exam`` is a drill without help.
    Where the lab has to be rebuilt and that takes something along that the learner made, it is refused, with what would be ``going``; with ``force``
    it is done.
    """

    fault: str = ""
    seed: int | None = None
    node: str = ""
    drill: bool = False
    exam: bool = False
    force: bool = False


class Mend(Move[Mended], frozen=True):
    """Take away what was broken on purpose: while it is, that gives up and tells what it was."""


class Prove(Verb[Proven], frozen=True):
    """Lint's proof of the course in hand, or of the lessons of these ids: every step fails before, passes after, and fails again undone."""

    lessons: tuple[str, ...] = ()


Asked = (
    Subscribe | Down | Leave
    | GetStatus | GetSnapshot | GetCourses | GetProgress | GetHistory | GetFaults | GetJourneys | GetPacket | GetCapture | Enter | Follow
    | Run | Check | Back | Goto | Reset | WhatGoes | WhatLeaves | Next | Hint | SendProbe | Explain | Play | SetDialect | Break | Mend | Prove
)  # fmt: skip
ClientMessage = Hello | Asked
