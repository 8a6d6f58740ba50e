"""What the agent and its clients say to each other: one JSON object a line over a Unix stream socket, tagged by ``type``.

The first line each way is ``Hello`` with the protocol version. A client sends requests with an ``id`` of its own; the agent
answers each with exactly one reply (``Done`` or ``Failed``) that carries the same id. A client that subscribed also gets events,
whoever caused them, so that every screen and terminal agree.

How a lab is ended is the same in every version: ``ending``.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .course.verdict import Verdict
from .documents import read_json, write_json
from .errors import ExitCode
from .lease import Lease
from .model.probe import Outcome, Probe
from .model.snapshot import Snapshot
from .primitives.base import Dialect

VERSION = 3


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of everything on the wire."""


class Hello(Message, frozen=True):
    """First line each way. The agent refuses all but ``Down`` to another version, in words. ``client`` is "app", "cli" ... for the log.

    ``lease`` is what the lab's shall be from now on (``up``, or a command that has just started it); None leaves it as it is.
    """

    version: int = VERSION
    client: str = ""
    lab: str = ""
    lease: Lease | None = None


class Request(Message, frozen=True):
    """Base of requests; ``id`` comes back in the reply."""

    id: int


class GetStatus(Request, frozen=True):
    """Answer: ``Done`` with a ``Status``."""


class GetSnapshot(Request, frozen=True):
    """Answer: ``Done`` with a ``Snapshot``."""


class GetCourses(Request, frozen=True):
    """Answer: ``Done`` with a tuple of ``CourseView``."""


class Subscribe(Request, frozen=True):
    """From now on send every event; starts with ``StatusEvent`` and ``SnapshotEvent``."""


class Run(Request, frozen=True):
    """Do a step for the learner: the current one, the one named, or all that remain in the lesson. Then judge it."""

    target: str | None = None
    rest: bool = False


class Check(Request, frozen=True):
    """Judge the current step, or every step of the target (a step, lesson or course)."""

    target: str | None = None


class Back(Request, frozen=True):
    """Undo the last step, or the learner's own last change when there is one after it."""


class Goto(Request, frozen=True):
    """Rebuild the lab for the start of the target, or its end."""

    target: str
    end: bool = False


class Reset(Request, frozen=True):
    """Rebuild to the start of the current step or lesson, or the whole lab. ``dry`` only lists what would go."""

    scope: Literal["step", "lesson", "lab"] = "step"
    dry: bool = False


class Next(Request, frozen=True):
    """Move on to the next step. When it can start from what is there, only the position changes.

    Else it is refused, with what is missing and what would be ``going``; with ``force`` the lab is rebuilt for the next step.
    """

    force: bool = False


class Hint(Request, frozen=True):
    """Open the next rung of help for the current step (or the given rung, from 0). Recorded in the progress."""

    rung: int | None = None


class SendProbe(Request, frozen=True):
    """Send one probe now. Answer: ``Done`` with an ``Outcome``."""

    probe: Probe
    must_reply: bool = True


class Explain(Request, frozen=True):
    """Send one ping, follow it, and say where and why it died. Answer: ``Done`` with an ``Explanation`` as JSON."""

    probe: Probe


class Play(Request, frozen=True):
    """Enter or leave play mode: judging pauses; leaving restores the step exactly."""

    on: bool


class Enter(Request, frozen=True):
    """Whether a node can be entered. Answer: ``Done`` with an ``Entry``."""

    node: str


class SetDialect(Request, frozen=True):
    """Choose the dialect in which commands are shown, for every view of this lab."""

    dialect: Dialect


class Down(Request, frozen=True):
    """End the lab. Understood from a client of any version."""


class Leave(Request, frozen=True):
    """The tutor that started the lab was quit on purpose. Answer: ``Done`` with why the lab goes on, "" when it ends now."""


class Call(Request, frozen=True):
    """A named extension (faults, journeys ...): ``name`` with plain JSON ``args``; see ``agent``'s table of calls."""

    name: str
    args: dict[str, Any] = {}


class NodeStatus(msgspec.Struct, frozen=True):
    """One node in a status. ``pid`` is as the lab's own processes see it, ``outside_pid`` as the machine sees it."""

    name: str
    role: str
    pid: int | None
    netns: int
    outside_pid: int | None = None
    names: tuple[str, ...] = ()


class StepView(msgspec.Struct, frozen=True):
    """A step as a list shows it: ``earned`` is the tick in the progress, ``live`` whether it holds now (None: not judged)."""

    id: str
    title: str
    earned: bool = False
    live: bool | None = None
    skipped: str = ""


class LessonView(msgspec.Struct, frozen=True):
    """A lesson as a list shows it."""

    id: str
    title: str
    steps: tuple[StepView, ...]


class CourseView(msgspec.Struct, frozen=True):
    """A course as the picker shows it."""

    id: str
    title: str
    about: str
    lessons: tuple[LessonView, ...]
    problems: tuple[str, ...] = ()


class Commands(msgspec.Struct, frozen=True):
    """The commands of a step in one dialect, with the learner's own names in them."""

    dialect: Dialect
    lines: tuple[str, ...]


class StepPage(msgspec.Struct, frozen=True):
    """All a screen needs to show the current step, with the learner's own names in the text."""

    position: str
    lesson_title: str
    title: str
    prose: str
    sentences: tuple[str, ...]
    commands: tuple[Commands, ...]
    hints_open: tuple[str, ...] = ()
    hints_total: int = 0
    shell: str = "host"
    number: int = 1
    of: int = 1
    success: str = ""


class FaultStatus(msgspec.Struct, frozen=True):
    """What is broken on purpose, as far as the learner may know: ``id`` and what follows it are "" while it is a secret.

    ``healthy``: the network works again. ``began`` is the wall clock, ``seconds`` how long it is (or was) broken, ``hints`` and ``whys``
    how often help was asked for, ``verdict`` what the judge found last. An ``exam`` is a drill in which Why and hints are locked.
    """

    tells: str
    drill: bool = False
    exam: bool = False
    healthy: bool = False
    began: float = 0.0
    seconds: float = 0.0
    hints: int = 0
    whys: int = 0
    seed: int | None = None
    verdict: Verdict | None = None
    id: str = ""
    title: str = ""
    node: str = ""
    teaches: str = ""
    solution: str = ""


class Status(msgspec.Struct, frozen=True):
    """Everything about the lab but the network itself."""

    lab: str
    agent_pid: int
    mode: Literal["sandbox", "host"]
    position: str
    course: CourseView
    page: StepPage
    nodes: tuple[NodeStatus, ...]
    verdict: Verdict | None = None
    dialect: Dialect = "ip"
    busy: str = ""
    playing: bool = False
    notices: tuple[str, ...] = ()
    uptime_s: float = 0.0
    clients: int = 0
    bindings: dict[str, str] = {}
    limits: str = ""
    fault: FaultStatus | None = None


class Entry(msgspec.Struct, frozen=True):
    """A node that can be entered; how, is for the one who enters to know (``join``)."""

    node: str


class Done(Message, frozen=True):
    """The reply to a request that worked. ``value`` is the plain JSON of what the request promises."""

    id: int
    value: Any = None


class Failed(Message, frozen=True):
    """The reply to a request that did not work. ``code`` is the exit code (1 check failed ... 4 our fault).

    ``going``: asked again with ``force`` it would be done, and take this away or put it back; None when there is no such way.
    """

    id: int
    code: ExitCode
    text: str
    nearest: tuple[str, ...] = ()
    going: tuple[str, ...] | None = None


class StatusEvent(Message, frozen=True):
    """The status changed."""

    status: Status


class SnapshotEvent(Message, frozen=True):
    """The kernel's state changed. ``goal`` is the outline of the lesson's final picture, sent when it changes."""

    snapshot: Snapshot
    goal: Snapshot | None = None


class ChangeLine(msgspec.Struct, frozen=True):
    """One kernel change in words. ``quiet`` is true for what comes and goes by itself (neighbour states, learned MACs)."""

    sentence: str
    node: str = ""
    quiet: bool = False


class ChangesEvent(Message, frozen=True):
    """Kernel changes in words. ``who`` is "kernel" when all of it came by itself; ``at`` is the wall clock in seconds."""

    at: float
    who: Literal["tutor", "learner", "kernel"]
    lines: tuple[ChangeLine, ...]


class ActionEvent(Message, frozen=True):
    """The tutor did (or failed to do) one action. ``commands`` holds it in every dialect."""

    at: float
    sentence: str
    commands: tuple[Commands, ...]
    error: str = ""


class ProbeEvent(Message, frozen=True):
    """A probe ended. ``journey`` is the packet's path as JSON when it was followed (model/journey.py)."""

    at: float
    outcome: Outcome
    wanted: bool
    journey: Any = None


class JourneyEvent(Message, frozen=True):
    """A packet of the learner's own traffic, while following is on (the call ``follow``): its path as JSON (model/journey.py).

    ``skipped`` counts frames that were left out since the last one, because more passed than can be told.
    """

    at: float
    journey: Any
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


ClientMessage = (
    Hello | GetStatus | GetSnapshot | GetCourses | Subscribe | Run | Check | Back | Goto | Reset | Next | Hint | SendProbe
    | Explain | Play | Enter | SetDialect | Down | Leave | Call
)  # fmt: skip
AgentMessage = (
    Hello | Done | Failed | StatusEvent | SnapshotEvent | ChangesEvent | ActionEvent | ProbeEvent | JourneyEvent
    | VerdictEvent | Notice | Bye
)  # fmt: skip

_from_client: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_from_agent: msgspec.json.Decoder[AgentMessage] = msgspec.json.Decoder(AgentMessage)


def encode(message: Message) -> bytes:
    """One line of JSON with its newline."""
    return write_json(message) + b"\n"


def decode_request(line: bytes) -> ClientMessage:
    """A line from a client; raises msgspec.MsgspecError in words when it is not one."""
    return read_json(line, _from_client)


def decode_event(line: bytes) -> AgentMessage:
    """A line from the agent; raises msgspec.MsgspecError in words when it is not one."""
    return read_json(line, _from_agent)
