"""What happens in a lab is told to each who wants to hear of it."""

from __future__ import annotations

from typing import Any

import pytest

from netless_lab import protocol
from netless_lab.connection import Audience, Connection
from netless_lab.protocol import Bye, Message, Notice


class Wire:
    """What one client is sent; nothing waits to be read."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.transport = self

    def is_closing(self) -> bool:
        """It listens."""
        return False

    def write(self, data: bytes) -> None:
        """As a stream takes it."""
        self.heard.append(data)

    def get_write_buffer_size(self) -> int:
        """All is read at once."""
        return 0


def test_what_is_told_to_many_is_written_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hear of it; and what nobody wants to hear of, not at all."""
    written: list[Message] = []
    encode = protocol.encode

    def counted(message: Message) -> bytes:
        written.append(message)
        return encode(message)

    monkeypatch.setattr(protocol, "encode", counted)
    audience, wires = Audience(), [Wire() for _ in range(3)]
    streams: list[Any] = list(wires)
    for stream in streams:
        audience.join(Connection(stream), ("notice",))
    notice = Notice("info", "told to all")
    audience.tell(notice)
    audience.tell(Bye("told to nobody"))
    assert [wire.heard for wire in wires] == [[encode(notice)]] * 3
    assert written == [notice]
