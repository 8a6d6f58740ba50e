"""What is said on the two lines between a lab's agent and its keeper, who stays outside.

Before there is an agent the builder says one word to the keeper by ``callers``: ``NO_MAP``, or a ``UserMap`` that only somebody outside
may write, and is answered when it is written.

``callers``  a socket pair. To the agent: one byte a message; ``CALLER`` carries the open connection of somebody who was let in
             (SCM_RIGHTS, unix(7)), ``END`` asks for the lab's end. From the agent nothing; when one side closes it, the other knows.
``words``    a pipe from the agent: frames of one letter, four bytes of length and so many bytes. ``AGENT`` its pid as seen from outside,
             ``READY`` with the notes for the starter, ``KEEP`` something to be kept, ``LAST`` that nobody more is to be let in.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

CALLER: Final = b"C"
END: Final = b"E"
AGENT: Final = b"A"
READY: Final = b"R"
KEEP: Final = b"K"
LAST: Final = b"L"
HEADER: Final = struct.Struct("=cI")
MOST: Final = 1 << 20
"""Bytes of one frame. Who sends more is not our agent any more: the lab is ended."""
NO_MAP: Final = b"-"
_MAP: Final = struct.Struct("=iII")


class UserMap(NamedTuple):
    """Root of the user namespace of this process is to be this user and group outside."""

    pid: int
    uid: int
    gid: int

    def to_bytes(self) -> bytes:
        """One message."""
        return _MAP.pack(*self)

    @classmethod
    def from_bytes(cls, message: bytes) -> UserMap | None:
        """Back; None for ``NO_MAP``, and for the end of a builder who has failed and told why."""
        return cls(*_MAP.unpack(message)) if len(message) == _MAP.size else None
