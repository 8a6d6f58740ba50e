"""What the agent and its clients say to each other: one JSON object a line over a Unix stream socket, tagged by ``type``.

The first line each way is ``Hello`` with the protocol version. A client sends requests, each with an ``id`` of its own; the agent answers each
with exactly one reply (``Done`` or ``Failed``) that carries the same id. A client that subscribed also gets events, whoever caused them, so
that every screen and terminal agree.

How a lab is ended is the same in every version: ``ending``.
"""

from __future__ import annotations

import functools

import msgspec

from ..documents import read_json, write_json
from ..lease import Lease
from ..protocol_version import VERSION
from .base import Done, Failed, Look, Message, Request, Verb
from .events import (
    DETAILS,
    ActionEvent,
    Bye,
    ChangesEvent,
    FaultSummary,
    JourneyEvent,
    Kind,
    Notice,
    ProbeEvent,
    SnapshotEvent,
    StatusEvent,
    Summary,
    VerdictEvent,
)
from .replies import (
    Account,
    Broke,
    Capture,
    ChangeLine,
    Commands,
    CourseView,
    Enterable,
    Entry,
    FaultStatus,
    Following,
    Help,
    Judged,
    Judgement,
    LessonView,
    Mended,
    Moved,
    NodeStatus,
    Packet,
    Proven,
    Status,
    StepPage,
    StepView,
)
from .requests import (
    Asked,
    Back,
    Break,
    Check,
    Down,
    Enter,
    Explain,
    Follow,
    GetCapture,
    GetCourses,
    GetFaults,
    GetHistory,
    GetJourneys,
    GetPacket,
    GetProgress,
    GetSnapshot,
    GetStatus,
    Goto,
    Hint,
    Leave,
    Mend,
    Next,
    Play,
    Prove,
    Reset,
    Run,
    Scope,
    SendProbe,
    SetDialect,
    Subscribe,
    WhatGoes,
)


class Hello(Message, frozen=True):
    """First line each way. The agent refuses all but ``Down`` to another version, in words. ``client`` is "app", "cli" ... for the log.

    ``lease`` is what the lab's shall be from now on (``up``, or a command that has just started it); None leaves it as it is.
    """

    version: int = VERSION
    client: str = ""
    lab: str = ""
    lease: Lease | None = None


ClientMessage = Hello | Asked
AgentMessage = (
    Hello | Done | Failed | StatusEvent | SnapshotEvent | ChangesEvent | ActionEvent | ProbeEvent | JourneyEvent | VerdictEvent | Notice | Bye | Summary
)


@functools.cache
def _from_client() -> msgspec.json.Decoder[ClientMessage]:
    """Made when it is needed: who asks reads no requests, and who answers no replies."""
    return msgspec.json.Decoder(ClientMessage)


@functools.cache
def _answers() -> msgspec.json.Decoder[Hello | Done | Failed]:
    return msgspec.json.Decoder(Hello | Done | Failed)


@functools.cache
def _from_agent() -> msgspec.json.Decoder[AgentMessage]:
    return msgspec.json.Decoder(AgentMessage)


def encode(message: Message) -> bytes:
    """One line of JSON with its newline."""
    return write_json(message) + b"\n"


def decode_request(line: bytes) -> ClientMessage:
    """A line from a client; raises msgspec.MsgspecError in words when it is not one."""
    message = read_json(line, _from_client())
    if isinstance(message, Request) and message.id == 0:
        raise msgspec.ValidationError("a request has an `id` of its own, and 0 is none")
    return message


def decode_event(line: bytes) -> AgentMessage:
    """A line from the agent; raises msgspec.MsgspecError in words when it is not one.

    Who has not subscribed hears nothing but answers, and needs no reader of all the rest.
    """
    try:
        return read_json(line, _answers())
    except msgspec.MsgspecError:
        return read_json(line, _from_agent())


__all__ = [
    "DETAILS",
    "VERSION",
    "Account",
    "ActionEvent",
    "AgentMessage",
    "Asked",
    "Back",
    "Break",
    "Broke",
    "Bye",
    "Capture",
    "ChangeLine",
    "ChangesEvent",
    "Check",
    "ClientMessage",
    "Commands",
    "CourseView",
    "Done",
    "Down",
    "Enter",
    "Enterable",
    "Entry",
    "Explain",
    "Failed",
    "FaultStatus",
    "FaultSummary",
    "Follow",
    "Following",
    "GetCapture",
    "GetCourses",
    "GetFaults",
    "GetHistory",
    "GetJourneys",
    "GetPacket",
    "GetProgress",
    "GetSnapshot",
    "GetStatus",
    "Goto",
    "Hello",
    "Help",
    "Hint",
    "JourneyEvent",
    "Judged",
    "Judgement",
    "Kind",
    "Leave",
    "LessonView",
    "Look",
    "Mend",
    "Mended",
    "Message",
    "Moved",
    "Next",
    "NodeStatus",
    "Notice",
    "Packet",
    "Play",
    "ProbeEvent",
    "Prove",
    "Proven",
    "Request",
    "Reset",
    "Run",
    "Scope",
    "SendProbe",
    "SetDialect",
    "SnapshotEvent",
    "Status",
    "StatusEvent",
    "StepPage",
    "StepView",
    "Subscribe",
    "Summary",
    "Verb",
    "VerdictEvent",
    "WhatGoes",
    "decode_event",
    "decode_request",
    "encode",
]
