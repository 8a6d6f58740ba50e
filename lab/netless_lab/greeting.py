"""One question to a lab in as few words as it takes: whether a node can be entered.

``netless exec`` is to be in the node at once, and what reads every message of the ``protocol`` takes longer to import than that takes. So only
the plain yes is understood here. Whoever hears anything else asks again in full (``client``), and is told why.
"""

from __future__ import annotations

import _socket

from .address import address
from .protocol_version import VERSION
from .sandbox import way

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Final

_PATIENCE_S: Final = 5
_LONGEST: Final = 1 << 12
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def lets_in(lab: str, node: str) -> bool:
    """Whether a lab says at once that its node can be entered; False also where nobody can tell so quickly."""
    if not _PLAIN.issuperset(node):
        return False
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        way.refuse_files(sock)
        way.connect(sock, address(lab), _PATIENCE_S)
        sock.settimeout(_PATIENCE_S)
        sock.sendall(
            b'{"type":"hello","version":%d,"client":"cli","lab":"%b"}\n{"type":"enter","id":1,"node":"%b"}\n' % (VERSION, lab.encode(), node.encode())
        )
        heard = b""
        while heard.count(b"\n") < 2 and len(heard) < _LONGEST and (got := sock.recv(_LONGEST)):
            heard += got
    except (OSError, ValueError):
        return False
    finally:
        sock.close()
    hello, _, done = heard.partition(b"\n")
    greeted = hello.startswith(b'{"type":"hello","version":%d,' % VERSION) and b'"lab":"%b"' % lab.encode() in hello
    return greeted and done.startswith(b'{"type":"done","id":1,"value":')
