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
from ..protocol_version import VERSION as VERSION
from . import base

if TYPE_CHECKING:
    from .base import *  # noqa: F403
    from .messages import *  # noqa: F403
    from .messages import AgentMessage, ClientMessage
    from .replies import *  # noqa: F403
    from .status import *  # noqa: F403
else:

    def __getattr__(name: str) -> object:
        """A message is imported when it is asked for: a command has use for two or three of them, and waits for all that they are made of.

        They begin with a capital, and so does what they are made of; any other name (``__path__``, a module of this package) is none.
        """
        for home in _HOMES if name[:1].isupper() else ():
            found = vars(import_module(f".{home}", __name__)).get(name)
            if found is not None:
                globals()[name] = found
                return found
        raise AttributeError(name)


_HOMES: Final = ("base", "status", "replies", "messages")
"""What takes little to import comes first."""


@functools.cache  # made when it is needed: who asks reads no requests, and who answers no replies
def _from_client() -> msgspec.json.Decoder[ClientMessage]:
    from . import messages

    return msgspec.json.Decoder(messages.ClientMessage)


@functools.cache
def _answers() -> msgspec.json.Decoder[base.Hello | base.Done | base.Failed]:
    return msgspec.json.Decoder(base.Hello | base.Done | base.Failed)


@functools.cache
def _from_agent() -> msgspec.json.Decoder[AgentMessage]:
    from . import messages

    return msgspec.json.Decoder(messages.AgentMessage)


def encode(message: base.Message) -> bytes:
    """One line of JSON with its newline."""
    return write_json(message) + b"\n"


def expect_requests() -> None:
    """Make what ``decode_request`` needs, which takes 5 ms, before somebody waits for it."""
    _from_client()


def decode_request(line: bytes) -> ClientMessage:
    """A line from a client; raises msgspec.MsgspecError in words when it is not one."""
    message = read_json(line, _from_client())
    if isinstance(message, base.Request) and message.id == 0:
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
