"""What a real lab said, read from ``recordings/``: one file a moment, one JSON object a line, as it went over the wire.

The first line is what the client asked; a file without one holds what the lab said while somebody else worked in it. ``record`` writes them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from netless_lab import protocol

FOLDER = Path(__file__).parent / "recordings"


class Exchange(msgspec.Struct, frozen=True):
    """A request (None: nothing was asked) and everything the lab said from then on, in its order; the reply is among it."""

    request: protocol.ClientMessage | None
    said: tuple[protocol.AgentMessage, ...]

    @property
    def events(self) -> list[protocol.AgentMessage]:
        """What was said but for the reply."""
        return [message for message in self.said if not isinstance(message, protocol.Done | protocol.Failed)]

    @property
    def reply(self) -> protocol.Done | protocol.Failed:
        """The reply."""
        return next(message for message in self.said if isinstance(message, protocol.Done | protocol.Failed))

    @property
    def value(self) -> Any:
        """What the reply holds, as what the request declares. The request must have been done."""
        assert isinstance(self.reply, protocol.Done) and isinstance(self.request, protocol.Request)
        return self.request.reply(self.reply)

    @property
    def status(self) -> protocol.Status:
        """The last status that was told."""
        return next(message.status for message in reversed(self.said) if isinstance(message, protocol.StatusEvent))

    def answer(self, request: protocol.Request[Any]) -> Sequence[protocol.Message]:
        """All of it again, as the answer to this request: for ``Peer``."""
        replies = protocol.Done | protocol.Failed
        return [msgspec.structs.replace(message, id=request.id) if isinstance(message, replies) else message for message in self.said]


@functools.cache
def recorded(moment: str) -> Exchange:
    """The exchange of a moment."""
    return read((FOLDER / f"{moment}.jsonl").read_bytes())


def read(lines: bytes) -> Exchange:
    """An exchange from its lines. Raises msgspec.MsgspecError when a line is of no message that is spoken today."""
    first, *rest = lines.splitlines()
    try:
        request = protocol.decode_request(first)
    except msgspec.ValidationError:
        return Exchange(None, tuple(map(protocol.decode_event, (first, *rest))))
    return Exchange(request, tuple(map(protocol.decode_event, rest)))


def written(exchange: Exchange) -> bytes:
    """The lines of an exchange."""
    asked = (exchange.request,) if exchange.request is not None else ()
    return b"".join(map(protocol.encode, (*asked, *exchange.said)))
