"""Write frames as pcapng, with the node and link of each, so that Wireshark and tcpdump open what the lab saw.

Blocks: one section header, one interface description for each link of each node (its name is ``node:link``), then the frames in
order with nanosecond stamps and direction. Source: the pcapng draft (draft-ietf-opsawg-pcapng).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from ...model.journey import Direction
from ...model.journeys.frame import Frame

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_MAGIC: Final = 0x1A2B3C4D
_ETHERNET: Final = 1
_COMMENT, _APPLICATION, _IF_NAME, _IF_DESCRIPTION, _IF_RESOLUTION, _FLAGS = 1, 4, 2, 3, 9, 2
_NANOSECONDS: Final = bytes([9])
_IN, _OUT = 1, 2
_UNICAST, _MULTICAST, _BROADCAST, _PROMISCUOUS = 1 << 2, 2 << 2, 3 << 2, 4 << 2
_DIRECTIONS: Final[dict[Direction, int]] = {
    "in": _IN | _UNICAST,
    "out": _OUT,
    "broadcast": _IN | _BROADCAST,
    "multicast": _IN | _MULTICAST,
    "other": _IN | _PROMISCUOUS,
}


def pcapng(frames: Iterable[Frame], *, lost: int = 0) -> bytes:
    """A whole file. How many frames were ``lost`` is told in its comment."""
    comment = [_option(_COMMENT, f"{lost} frames passed too fast to be recorded".encode())] if lost else []
    blocks = [_block(_SECTION, struct.pack("<IHHq", _MAGIC, 1, 0, -1), [*comment, _option(_APPLICATION, b"netless")])]
    numbers: dict[tuple[str, str], int] = {}
    for frame in frames:
        place = (frame.node, frame.link)
        if place not in numbers:
            numbers[place] = len(numbers)
            blocks.append(_interface(frame))
        blocks.append(_frame(frame, numbers[place]))
    return b"".join(blocks)


def _interface(frame: Frame) -> bytes:
    options = [
        _option(_IF_NAME, f"{frame.node}:{frame.link}".encode()),
        _option(_IF_DESCRIPTION, f"{frame.link} of node {frame.node}".encode()),
        _option(_IF_RESOLUTION, _NANOSECONDS),
    ]
    return _block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, 0), options)


def _frame(frame: Frame, number: int) -> bytes:
    data = frame.data
    head = struct.pack("<IIIII", number, frame.at_ns >> 32, frame.at_ns & 0xFFFFFFFF, len(data), max(frame.length, len(data)))
    flags = _option(_FLAGS, struct.pack("<I", _DIRECTIONS[frame.direction]))
    return _block(_PACKET, head + data + bytes(-len(data) % 4), [flags])


def _option(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes, options: Iterable[bytes]) -> bytes:
    """Type, length, body, options with their end mark, length again."""
    body += b"".join(options) + _option(0, b"")
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
