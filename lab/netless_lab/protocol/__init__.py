"""What the agent and its clients say to each other: one JSON object a line over a Unix stream socket, tagged by ``type``.

The first line each way is ``Hello`` with the protocol version. A client sends requests, each with an ``id`` of its own; the agent answers each
with exactly one reply (``Done`` or ``Failed``) that carries the same id. A client that subscribed also gets events, whoever caused them, so
that every screen and terminal agree.

How a lab is ended is the same in every version: ``ending``.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Final

import msgspec

from ..documents import read_json, write_json
from ..protocol_version import VERSION
from .base import Done, Failed, Hello, Look, Message, Request, Verb

if TYPE_CHECKING:
    from .events import (
        DETAILS,
        ActionEvent,
        AgentMessage,
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
        Enterable,
        Entry,
        Following,
        Help,
        Judged,
        Judgement,
        Mended,
        Moved,
        Packet,
        Proven,
    )
    from .requests import (
        Asked,
        Back,
        Break,
        Check,
        ClientMessage,
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
    from .status import Commands, CourseView, FaultStatus, GetStatus, LessonView, NodeStatus, Status, StepPage, StepView
else:

    def __getattr__(name: str) -> object:
        """A message is imported when it is asked for: a command has use for two or three of them, and waits for all that they are made of."""
        for home in _HOMES if name in __all__ else ():
            found = vars(import_module(f".{home}", __name__)).get(name)
            if found is not None:
                globals()[name] = found
                return found
        raise AttributeError(name)


_HOMES: Final = ("status", "replies", "events", "requests")
"""What takes little to import comes first."""


@functools.cache
def _from_client() -> msgspec.json.Decoder[ClientMessage]:
    """Made when it is needed: who asks reads no requests, and who answers no replies."""
    from . import requests

    return msgspec.json.Decoder(requests.ClientMessage)


@functools.cache
def _answers() -> msgspec.json.Decoder[Hello | Done | Failed]:
    return msgspec.json.Decoder(Hello | Done | Failed)


@functools.cache
def _from_agent() -> msgspec.json.Decoder[AgentMessage]:
    from . import events

    return msgspec.json.Decoder(events.AgentMessage)


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
