"""What every message is, and how a request declares its reply: ``class Goto(Verb[Moved])``.

Who asks gets a ``Moved`` and the type checker knows so; who answers can make the reply only by ``request.done(moved)``, so it is one. On the wire
a reply is read strictly by that type.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

import msgspec

from ..documents import read_json, write_json
from ..errors import ExitCode
from ..lease import Lease
from ..protocol_version import VERSION

R = TypeVar("R")
_NOTHING = msgspec.Raw(b"null")


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of everything on the wire."""

    @property
    def kind(self) -> str:
        """How its ``type`` is written."""
        return str(self.__struct_config__.tag)


class Hello(Message, frozen=True):
    """First line each way. The agent refuses all but ``Down`` to another version, in words. ``client`` is "app", "cli" ... for the log.

    ``lease`` is what the lab's shall be from now on (``up``, or a command that has just started it); None leaves it as it is.
    An ``onlooker`` only listens, and however long it does is no use of the lab: the lease runs on, and who quits a tutor ends the lab all the same.
    """

    version: int = VERSION
    client: str = ""
    lab: str = ""
    lease: Lease | None = None
    onlooker: bool = False


class Done(Message, frozen=True):
    """The reply to the request of this id, which worked. ``value`` is the JSON of what the request declares; ``Request.reply`` reads it."""

    id: int
    value: msgspec.Raw = _NOTHING


class Failed(Message, frozen=True):
    """The reply to a request that did not work. ``code`` is the exit code (1 check failed ... 4 our fault).

    ``going``: asked again with ``force`` it would be done, and take this away; None when there is no such way. ``coming`` it would put back.
    """

    id: int
    code: ExitCode
    text: str
    nearest: tuple[str, ...] = ()
    going: tuple[str, ...] | None = None
    coming: tuple[str, ...] = ()


class Request(Message, Generic[R], frozen=True, kw_only=True):
    """Base of requests, each of which says what its reply is. ``id`` is given to it when it is asked, from 1, and comes back in the reply."""

    __orig_bases__: ClassVar[tuple[Any, ...]]

    id: int = 0

    def done(self, reply: R) -> Done:
        """The message that answers it."""
        return Done(self.id, msgspec.Raw(write_json(reply)))

    def reply(self, done: Done) -> R:
        """What a message answers to it. Raises msgspec.MsgspecError in words when that is no such reply."""
        answer: R = read_json(bytes(done.value), _reader(type(self)))
        return answer


class Look(Request[R], Generic[R], frozen=True, forbid_unknown_fields=True):
    """A request that changes nothing in the lab and waits for nobody: it is answered while a verb is still at work."""


class Verb(Request[R], Generic[R], frozen=True, forbid_unknown_fields=True):
    """A request that has to wait for its turn: it changes the lab, judges it, or sends a packet that a change would spoil."""


class Move(Verb[R], Generic[R], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verb that moves the lab or what is in it. ``seen``: the last ``Status.moves`` of an asker who asks about what he sees and
    not about what it has become meanwhile; None does it whatever others have done.
    """

    seen: int | None = None


@functools.cache
def _reader(kind: type[Request[Any]]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(reply_type(kind))


def reply_type(kind: type[Request[Any]]) -> Any:
    """What a request declares as its reply: ``Moved`` of ``class Goto(Verb[Moved])``."""
    (declared,) = (get_args(base)[0] for base in kind.__orig_bases__ if get_origin(base) in (Request, Look, Verb, Move))
    return declared
