"""Enough of nfnetlink to learn what this kernel's packet filter can: one table, tried in one batch, never kept (nfnetlink, nf_tables(8)).

Everything that lasts is written by ``kernel``; this needs no other program and no library, as a doctor should.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Final

from .rtnl import attribute

NETLINK_NETFILTER: Final = 12
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFTABLES: Final = 10
_NEWTABLE, _NEWCHAIN, _NEWRULE = 0, 3, 6
_IPV4: Final = 2
_REQUEST, _ACK, _CREATE, _APPEND = 0x1, 0x4, 0x400, 0x800
_TABLE: Final = b"netless-doctor\0"
_NESTED: Final = 0x8000
_META_NFTRACE: Final = 12
_HOOK_FORWARD, _HOOK_POSTROUTING = 2, 4


def masquerade() -> bytes:
    """``masquerade``"""
    return _expression("masq")


def counter() -> bytes:
    """``counter``"""
    return _expression("counter")


def connection_state() -> bytes:
    """``ct state established``: the load of the state; what it is compared with makes no difference to the kernel's abilities."""
    return _expression("ct", attribute(2, struct.pack(">I", 0)) + attribute(1, struct.pack(">I", 1)))


def trace() -> bytes:
    """``meta nftrace set 1``"""
    load = _expression("immediate", attribute(1, struct.pack(">I", 8)) + _nested(2, attribute(1, struct.pack("=I", 1))))
    return load + _expression("meta", attribute(2, struct.pack(">I", _META_NFTRACE)) + attribute(3, struct.pack(">I", 8)))


def try_rule(expressions: bytes, *, nat: bool) -> None:
    """Add a table with one chain and one rule, in the namespace of the calling thread. Raises OSError with the kernel's errno."""
    kind, hook, priority = ("nat", _HOOK_POSTROUTING, 100) if nat else ("filter", _HOOK_FORWARD, 0)
    chain = f"try-{os.urandom(4).hex()}\0".encode()
    where = _nested(4, attribute(1, struct.pack(">I", hook)) + attribute(2, struct.pack(">i", priority)))
    messages = (
        (_NEWTABLE, _CREATE, attribute(1, _TABLE)),
        (_NEWCHAIN, _CREATE, attribute(1, _TABLE) + attribute(3, chain) + where + attribute(7, kind.encode() + b"\0")),
        (_NEWRULE, _CREATE | _APPEND, attribute(1, _TABLE) + attribute(2, chain) + _nested(4, expressions)),
    )
    data = _message(_BATCH_BEGIN, 0, 0, b"", resource=_NFTABLES, family=0)
    for number, (action, flags, body) in enumerate(messages, 1):
        data += _message((_NFTABLES << 8) | action, _ACK | flags, number, body)
    data += _message(_BATCH_END, 0, 0, b"", resource=_NFTABLES, family=0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER) as sock:
        sock.settimeout(2)
        sock.send(data)
        left = len(messages)
        while left:
            answer = sock.recv(1 << 16)
            at = 0
            while at + 20 <= len(answer):
                length, code = struct.unpack_from("=I", answer, at)[0], -struct.unpack_from("=i", answer, at + 16)[0]
                if code:
                    raise OSError(code, os.strerror(code))
                left -= 1
                at += (length + 3) & ~3


def _message(kind: int, flags: int, sequence: int, body: bytes, resource: int = 0, family: int = _IPV4) -> bytes:
    full = struct.pack(">BBH", family, 0, resource) + body
    return struct.pack("=IHHII", 16 + len(full), kind, _REQUEST | flags, sequence, 0) + full


def _nested(kind: int, value: bytes) -> bytes:
    return attribute(kind | _NESTED, value)


def _expression(name: str, data: bytes = b"") -> bytes:
    return _nested(1, attribute(1, name.encode() + b"\0") + _nested(2, data))
