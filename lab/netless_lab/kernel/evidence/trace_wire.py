"""NFT_MSG_TRACE: what the kernel reports of a traced packet (<linux/netfilter/nf_tables.h>, enum nft_trace_attributes).

A message with packet headers begins a walk through one base chain; those that follow with the same id belong to it. The id changes on
the way (it is a hash that connection tracking takes part in), so walks are joined by what the headers say, never by id.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from ...model.journeys.decode import decode
from ...model.journeys.packet import Packet
from ..attributes import attributes, text
from ..nft.wire import FAMILY_NAMES, GENMSG_SIZE, SUBSYSTEM, big, verdict_of
from ..rtnetlink import HEADER, HEADER_SIZE

MESSAGE: Final = SUBSYSTEM << 8 | 17
_TABLE, _CHAIN, _HANDLE, _TYPE, _VERDICT, _ID, _NETWORK, _TRANSPORT = 1, 2, 3, 4, 5, 6, 8, 9
_IIF, _OIF, _NFPROTO, _POLICY = 10, 12, 15, 16
_KINDS: Final[dict[int, Literal["policy", "return", "rule"]]] = {1: "policy", 2: "return", 3: "rule"}
_POLICIES: Final = {0: "drop", 1: "accept"}
_WORDS: Final = {"verdict 2": "stolen", "verdict 3": "queue", "verdict 4": "repeat", "verdict 5": "stop"}
_ETHERTYPES: Final = {4: b"\x08\x00", 6: b"\x86\xdd"}


class Report(NamedTuple):
    """One message. ``packet`` is None when it carries no headers: then it belongs to the walk that its ``ident`` began."""

    family: str
    table: str
    chain: str
    kind: Literal["policy", "return", "rule"]
    verdict: str
    handle: int | None
    ident: int
    iif: int
    oif: int
    packet: Packet | None


def parse(data: bytes) -> Iterator[Report]:
    """The trace messages in what one receive gave."""
    at = 0
    while at + HEADER_SIZE <= len(data):
        length, kind, _, _, _ = HEADER.unpack_from(data, at)
        if length < HEADER_SIZE:
            return
        if kind == MESSAGE:
            found = _report(data[at + HEADER_SIZE : at + length])
            if found is not None:
                yield found
        at += (length + 3) & ~3


def _report(body: bytes) -> Report | None:
    parts = attributes(body, GENMSG_SIZE)
    kind = _KINDS.get(big(parts.get(_TYPE, b"")))
    if kind is None or not body:
        return None
    if kind == "policy":
        verdict = _POLICIES.get(big(parts.get(_POLICY, b"")), "")
    else:
        verdict = (verdict_of({2: parts[_VERDICT]}) if _VERDICT in parts else None) or ""
        verdict = _WORDS.get(verdict, verdict)
    return Report(
        family=FAMILY_NAMES.get(body[0], str(body[0])),
        table=text(parts.get(_TABLE, b"")),
        chain=text(parts.get(_CHAIN, b"")),
        kind=kind,
        verdict=verdict,
        handle=big(parts[_HANDLE]) if _HANDLE in parts else None,
        ident=big(parts.get(_ID, b"")),
        iif=big(parts.get(_IIF, b"")),
        oif=big(parts.get(_OIF, b"")),
        packet=_packet(parts),
    )


def _packet(parts: dict[int, bytes]) -> Packet | None:
    """The headers as far as the kernel copies them: 40 bytes of network, 20 of transport header."""
    network, transport = parts.get(_NETWORK, b""), parts.get(_TRANSPORT, b"")
    if not network:
        return None
    version = network[0] >> 4
    header = (network[0] & 0x0F) * 4 if version == 4 else 40
    kind = _ETHERTYPES.get(version)
    if kind is None or len(network) < header:
        return decode(bytes(12) + struct.pack("!H", 0x0806) + network) if version == 0 else None
    return decode(bytes(12) + kind + network[:header] + transport)
