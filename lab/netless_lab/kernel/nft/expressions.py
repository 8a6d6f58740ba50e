"""Pieces of rules, one function for each thing a lesson's rule can say. Each returns the bytes of one or more expressions.

    batch.add_rule("ip", "lab", "post", saddr("10.0.0.0/24"), oifname("br0", "!="), masquerade())

They are encoded as ``nft`` 1.0.6 encodes them, so that ``nft list ruleset`` shows the rule as one would have typed it. No sets: some
kernels (WSL) are built without them.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Final, Literal

from ..attributes import attribute, nest
from . import wire
from .wire import expression, number32, number64, string, value

Comparison = Literal["==", "!="]
Protocol = Literal["tcp", "udp", "icmp", "icmpv6"]
Table = Literal["ip", "ip6", "inet"]
State = Literal["invalid", "established", "related", "new", "untracked"]

_OPERATORS: Final = {"==": 0, "!=": 1, "<": 2, "<=": 3, ">": 4, ">=": 5}
_PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
_STATES: Final = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
_IIFNAME, _OIFNAME, _NFTRACE, _NFPROTO, _L4PROTO = 6, 7, 12, 15, 16
_CT_STATE, _CT_STATUS = 0, 2
_NETWORK, _TRANSPORT = 1, 2
_ADDRESSES: Final = {("saddr", 4): 12, ("daddr", 4): 16, ("saddr", 6): 8, ("daddr", 6): 24}
_FIB_ADDRTYPE, _FIB_DADDR, _RTN_LOCAL = 3, 2, 2
_MAP_IPS, _PROTO_SPECIFIED = 1, 2
_NAME_SIZE: Final = 16
_DNAT_STATUS: Final = 0x20


def _compare(payload: bytes, operator: Comparison | Literal["<=", ">="] = "==") -> bytes:
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


def _verdict(code: int, chain: str = "") -> bytes:
    parts = number32(1, code) + (string(2, chain) if chain else b"")
    return expression("immediate", number32(1, 0), nest(2, nest(2, parts)))


def _constant(register: int, payload: bytes) -> bytes:
    return expression("immediate", number32(1, register), value(2, payload))


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
    return _address("saddr", cidr, operator, family)


def daddr(cidr: str, operator: Comparison = "==", family: Table = "ip") -> bytes:
    """The destination lies in ``cidr``."""
    return _address("daddr", cidr, operator, family)


def _address(side: str, cidr: str, operator: Comparison, family: Table) -> bytes:
    network = ipaddress.ip_network(cidr, strict=False)
    if family != "inet" and (family == "ip6") != (network.version == 6):
        raise ValueError(f"{cidr} cannot be matched in a table of family {family}")
    packed, offset, length = network.network_address.packed, _ADDRESSES[side, network.version], network.prefixlen
    guard = (_meta(_NFPROTO) + _compare(bytes([2 if network.version == 4 else 10]))) if family == "inet" else b""
    if length and length % 8 == 0:
        width = length // 8
        return guard + _load(_NETWORK, offset, width) + _compare(packed[:width], operator)
    return guard + _load(_NETWORK, offset, len(packed)) + _mask(network.netmask.packed) + _compare(packed, operator)


def l4proto(protocol: Protocol) -> bytes:
    """The packet is TCP, UDP or ICMP."""
    return _meta(_L4PROTO) + _compare(bytes([_PROTOCOLS[protocol]]))


def dport(protocol: Literal["tcp", "udp"], first: int, last: int | None = None) -> bytes:
    """The destination port is ``first``, or lies between ``first`` and ``last``."""
    port = _load(_TRANSPORT, 2, 2)
    if last is None or last == first:
        return l4proto(protocol) + port + _compare(struct.pack(">H", first))
    return l4proto(protocol) + port + _compare(struct.pack(">H", first), ">=") + _compare(struct.pack(">H", last), "<=")


def port(side: Literal["sport", "dport"], number: int) -> bytes:
    """One port is ``number``, whatever the protocol: say which before."""
    return _load(_TRANSPORT, 0 if side == "sport" else 2, 2) + _compare(struct.pack(">H", number))


def echo_id(number: int) -> bytes:
    """The id of an ICMP or ICMPv6 echo is ``number``: say which protocol before."""
    return _load(_TRANSPORT, 4, 2) + _compare(struct.pack(">H", number))


def ct_state(*states: State) -> bytes:
    """The packet's connection is in one of ``states``."""
    return expression("ct", number32(2, _CT_STATE), number32(1, 1)) + _any_bit(sum(_STATES[state] for state in states))


def ct_status_dnat() -> bytes:
    """The connection had its destination rewritten."""
    return expression("ct", number32(2, _CT_STATUS), number32(1, 1)) + _any_bit(_DNAT_STATUS)


def fib_daddr_local() -> bytes:
    """The destination is one of this namespace's own addresses."""
    load = expression("fib", number32(1, 1), number32(2, _FIB_ADDRTYPE), number32(3, _FIB_DADDR))
    return load + _compare(struct.pack("=I", _RTN_LOCAL))


def counter() -> bytes:
    """Count packets and bytes that come this far."""
    return expression("counter", number64(1, 0), number64(2, 0))


def masquerade() -> bytes:
    """Rewrite the source to the address of the device the packet leaves by."""
    return expression("masq")


def snat(address: str, port: int | None = None, family: Table = "ip") -> bytes:
    """Rewrite the source to ``address``."""
    return _nat(0, address, port, family)


def dnat(address: str, port: int | None = None, family: Table = "ip") -> bytes:
    """Rewrite the destination to ``address``, and to ``port``; a port needs a match on tcp or udp before it."""
    return _nat(1, address, port, family)


def _nat(kind: int, address: str, port: int | None, family: Table) -> bytes:
    target = ipaddress.ip_address(address)
    if family != "inet" and (family == "ip6") != (target.version == 6):
        raise ValueError(f"{address} cannot be a target in a table of family {family}")
    version = socket.AF_INET if target.version == 4 else socket.AF_INET6
    parts = [number32(1, kind), number32(2, version), number32(3, 1), number32(4, 1)]
    loads, flags = _constant(1, target.packed), _MAP_IPS
    if port is not None:
        loads += _constant(2, struct.pack(">H", port))
        parts += [number32(5, 2), number32(6, 2)]
        flags |= _PROTO_SPECIFIED
    return loads + expression("nat", *parts, number32(7, flags))


def redirect(port: int | None = None) -> bytes:
    """Rewrite the destination to this namespace itself."""
    if port is None:
        return expression("redir")
    return _constant(1, struct.pack(">H", port)) + expression("redir", number32(1, 1), number32(2, 1), number32(3, _PROTO_SPECIFIED))


def accept() -> bytes:
    """Let the packet pass this hook's chain."""
    return _verdict(wire.ACCEPT)


def drop() -> bytes:
    """Throw the packet away without a word."""
    return _verdict(wire.DROP)


def reject(family: Table = "ip") -> bytes:
    """Throw the packet away and answer port unreachable."""
    kind, code = {"ip": (0, 3), "ip6": (0, 4), "inet": (2, 1)}[family]
    return expression("reject", number32(1, kind), attribute(2, bytes([code])))


def jump(chain: str) -> bytes:
    """Go on in ``chain`` and come back."""
    return _verdict(wire.JUMP, chain)


def go_to(chain: str) -> bytes:
    """Go on in ``chain`` for good."""
    return _verdict(wire.GOTO, chain)


def return_() -> bytes:
    """Leave this chain."""
    return _verdict(wire.RETURN)


def log(prefix: str) -> bytes:
    """Write the packet into the kernel's log."""
    return expression("log", string(2, prefix))


def trace() -> bytes:
    """Have the kernel report every rule this packet meets (``nft monitor trace``)."""
    load = expression("immediate", number32(1, 1), value(2, b"\1"))
    return load + expression("meta", number32(2, _NFTRACE), number32(3, 1))
