"""Pieces of rules, one function for each thing a lesson's rule can say. Each returns the bytes of one or more expressions.

    batch.add_rule("ip", "lab", "post", saddr("10.0.0.0/24"), oifname("br0", "!="), masquerade())

They are encoded as ``nft`` 1.0.6 encodes them, so that ``nft list ruleset`` shows the rule as one would have typed it. No sets: some
kernels (WSL) are built without them.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final, Literal

from ..netlink.attributes import nest
from . import wire
from .wire import expression, number32, number64, value

Comparison = Literal["==", "!="]
Protocol = Literal["tcp", "udp", "icmp", "icmpv6"]
Table = Literal["ip", "ip6", "inet"]
State = Literal["invalid", "established", "related", "new", "untracked"]

_OPERATORS: Final = {"==": 0, "!=": 1}
_PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
_STATES: Final = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
_IIFNAME, _OIFNAME, _NFTRACE, _NFPROTO, _L4PROTO = 6, 7, 12, 15, 16
_CT_STATE: Final = 0
_NETWORK, _TRANSPORT = 1, 2
_SOURCES: Final = {4: 12, 6: 8}
"""Where an address stands in its header."""
_NAME_SIZE: Final = 16


def _compare(payload: bytes, operator: Comparison = "==") -> bytes:
    return expression("cmp", number32(1, 1), number32(2, _OPERATORS[operator]), value(3, payload))


def _load(base: int, offset: int, width: int) -> bytes:
    return expression("payload", number32(1, 1), number32(2, base), number32(3, offset), number32(4, width))


def _meta(key: int) -> bytes:
    return expression("meta", number32(2, key), number32(1, 1))


def _mask(mask: bytes) -> bytes:
    return expression(
        "bitwise", number32(1, 1), number32(2, 1), number32(3, len(mask)), value(4, mask), value(5, bytes(len(mask)))
    )  # fmt: skip


def _any_bit(bits: int) -> bytes:
    mask = struct.pack("=I", bits)
    return _mask(mask) + _compare(bytes(4), "!=")


def _device(key: int, name: str, operator: Comparison) -> bytes:
    if len(name.encode()) >= _NAME_SIZE:
        raise ValueError(f"{name!r} is not a device name: it has more than {_NAME_SIZE - 1} bytes")
    encoded = name[:-1].encode() if name.endswith("*") else name.encode().ljust(_NAME_SIZE, b"\0")
    return _meta(key) + _compare(encoded, operator)


def iifname(name: str, operator: Comparison = "==") -> bytes:
    """The packet came in by the device ``name``; ``eth*`` means every name that starts with eth."""
    return _device(_IIFNAME, name, operator)


def oifname(name: str, operator: Comparison = "==") -> bytes:
    """The packet goes out by the device ``name``."""
    return _device(_OIFNAME, name, operator)


def saddr(cidr: str, operator: Comparison = "==", family: Table = "ip") -> bytes:
    """The source lies in ``cidr``, IPv4 or IPv6. Raises ValueError when it is no network."""
    network = ipaddress.ip_network(cidr, strict=False)
    if family != "inet" and (family == "ip6") != (network.version == 6):
        raise ValueError(f"{cidr} cannot be matched in a table of family {family}")
    packed, offset, length = network.network_address.packed, _SOURCES[network.version], network.prefixlen
    guard = (_meta(_NFPROTO) + _compare(bytes([2 if network.version == 4 else 10]))) if family == "inet" else b""
    if length and length % 8 == 0:
        width = length // 8
        return guard + _load(_NETWORK, offset, width) + _compare(packed[:width], operator)
    return guard + _load(_NETWORK, offset, len(packed)) + _mask(network.netmask.packed) + _compare(packed, operator)


def l4proto(protocol: Protocol) -> bytes:
    """The packet is TCP, UDP or ICMP."""
    return _meta(_L4PROTO) + _compare(bytes([_PROTOCOLS[protocol]]))


def port(side: Literal["sport", "dport"], number: int) -> bytes:
    """One port is ``number``, whatever the protocol: say which before."""
    return _load(_TRANSPORT, 0 if side == "sport" else 2, 2) + _compare(struct.pack(">H", number))


def echo_id(number: int) -> bytes:
    """The id of an ICMP or ICMPv6 echo is ``number``: say which protocol before."""
    return _load(_TRANSPORT, 4, 2) + _compare(struct.pack(">H", number))


def ct_state(*states: State) -> bytes:
    """The packet's connection is in one of ``states``."""
    return expression("ct", number32(2, _CT_STATE), number32(1, 1)) + _any_bit(sum(_STATES[state] for state in states))


def counter() -> bytes:
    """Count packets and bytes that come this far."""
    return expression("counter", number64(1, 0), number64(2, 0))


def masquerade() -> bytes:
    """Rewrite the source to the address of the device the packet leaves by."""
    return expression("masq")


def accept() -> bytes:
    """Let the packet pass this hook's chain."""
    return expression("immediate", number32(1, 0), nest(2, nest(2, number32(1, wire.ACCEPT))))


def trace() -> bytes:
    """Have the kernel report every rule this packet meets (``nft monitor trace``)."""
    load = expression("immediate", number32(1, 1), value(2, b"\1"))
    return load + expression("meta", number32(2, _NFTRACE), number32(3, 1))
