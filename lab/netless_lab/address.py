"""Where a lab is found: an abstract Unix socket of the machine's own network namespace, named after its user and itself.

An abstract name (unix(7)) is no file: it is there exactly as long as somebody holds the socket. It has no permissions either,
so both sides ask the kernel who the other one is (``find.peer_uid``) before they say a word.
"""

from __future__ import annotations

import os

from .room import SOCKET

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Final

_LONGEST: Final = 32
PREFIX: Final = "netless"


def check_name(lab: str) -> str:
    """The name as it is. Raises ValueError, for a person to read, when a lab cannot be called so."""
    if not _is_name(lab):
        raise ValueError(f"a lab cannot be called {lab!r}: use up to 32 letters, digits, '-', '_' or '.', the first a letter or digit")
    return lab


def socket_name(lab: str, uid: int) -> str:
    """The address to bind or connect to, with its leading zero byte."""
    return f"\0{PREFIX}/{uid}/{check_name(lab)}"


def terminals_name(lab: str, uid: int) -> str:
    """Where the keeper of a lab's terminals is found (``sandbox.kept``), with its leading zero byte: no lab's own name has a slash."""
    return f"{socket_name(lab, uid)}/terminals"


def address(lab: str) -> str:
    """Where a lab of this user is found from here: a path for those who live in it, else @ and its abstract name.

    Raises ValueError for an impossible name.
    """
    outer = f"@{socket_name(lab, os.geteuid())[1:]}"
    return SOCKET if os.environ.get("NETLESS_LAB") == lab and os.path.exists(SOCKET) else outer


def lab_of(path: str, uid: int) -> str | None:
    """The lab whose socket /proc/net/unix shows as ``path`` ("@netless/1001/default"), None for any other socket."""
    head = f"@{PREFIX}/{uid}/"
    name = path.removeprefix(head)
    return name if name != path and _is_name(name) else None


def _is_name(name: str) -> bool:
    plain = name.isascii() and len(name) <= _LONGEST
    return plain and name[:1].isalnum() and all(sign.isalnum() or sign in "_.-" for sign in name)
