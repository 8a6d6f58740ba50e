"""The wire format of nf_tables: message numbers, attribute numbers, families, hooks (include/uapi/linux/netfilter/nf_tables.h).

Numbers inside nf_tables attributes are in network byte order, unlike everywhere else in netlink.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ...model.netfilter import rules as r
from ..netlink.attributes import attribute, attributes, each, nest, text

SUBSYSTEM: Final = 10
NEWTABLE, GETTABLE, DELTABLE = 0, 1, 2
DORMANT: Final = 1
"""NFT_TABLE_F_DORMANT."""
NEWCHAIN, GETCHAIN, DELCHAIN = 3, 4, 5
NEWRULE, GETRULE, DELRULE = 6, 7, 8
GETSET, GETSETELEM = 10, 13
GETOBJ, GETFLOWTABLE = 19, 23
OBJECTS: Final = {
    1: "counter", 2: "quota", 3: "ct helper", 4: "limit", 5: "ct count", 6: "tunnel", 7: "ct timeout", 8: "secmark", 9: "ct expectation",
    10: "synproxy",
}  # fmt: skip
"""NFT_OBJECT_*, in the words of nft(8)."""
BATCH_BEGIN: Final = 0x10
BATCH_END: Final = 0x11

CREATE: Final = 0x400
APPEND: Final = 0x800

FAMILIES: Final = {"inet": 1, "ip": 2, "arp": 3, "netdev": 5, "bridge": 7, "ip6": 10}
FAMILY_NAMES: Final = {number: name for name, number in FAMILIES.items()}

TABLE_OWNER: Final = 2
"""NFT_TABLE_F_OWNER (Linux 5.12): the table belongs to the socket that made it and goes with it; nobody else may change it."""
TRACE_PREFIX: Final = "netless-trace-"
"""How the tables begin that follow one packet through the rules. They live for milliseconds and are left out of every picture."""

_IP_HOOKS: Final = ("prerouting", "input", "forward", "output", "postrouting", "ingress")
_HOOKS: Final = {"arp": ("input", "output", "forward"), "netdev": ("ingress", "egress")}

DROP, ACCEPT, CONTINUE, BREAK, JUMP, GOTO, RETURN = 0, 1, -1, -2, -3, -4, -5
"""Verdict codes: NF_DROP, NF_ACCEPT and enum nft_verdicts."""

_NFGENMSG: Final = struct.Struct(">BBH")
GENMSG_SIZE: Final = 4


class Expression(NamedTuple):
    """One expression of a rule: its name and its attributes by number, as the kernel has them."""

    name: str
    data: dict[int, bytes]

    def number(self, kind: int, default: int = 0) -> int:
        """Attribute ``kind`` as an unsigned number."""
        return int.from_bytes(self.data[kind], "big") if kind in self.data else default

    def value(self, kind: int) -> bytes:
        """The bytes of attribute ``kind`` that is a data value (NFTA_DATA_VALUE)."""
        return attributes(self.data.get(kind, b"")).get(1, b"")


def hooks(family: str) -> tuple[str, ...]:
    """The hooks of a family, by number."""
    return _HOOKS.get(family, _IP_HOOKS)


def kind(message: int) -> int:
    """The netlink message type of nf_tables message ``message``."""
    return SUBSYSTEM << 8 | message


def genmsg(family: int, resource: int = 0) -> bytes:
    """struct nfgenmsg, with which every body starts."""
    return _NFGENMSG.pack(family, 0, resource)


def string(number: int, value: str) -> bytes:
    """A C string attribute."""
    return attribute(number, value.encode() + b"\0")


def number32(number: int, value: int) -> bytes:
    """A 32 bit attribute, signed or not."""
    return attribute(number, struct.pack(">I", value & 0xFFFFFFFF))


def number64(number: int, value: int) -> bytes:
    """A 64 bit attribute."""
    return attribute(number, struct.pack(">Q", value))


def value(number: int, payload: bytes) -> bytes:
    """A data value (NFTA_DATA_VALUE) in attribute ``number``."""
    return nest(number, attribute(1, payload))


def expression(name: str, *parts: bytes) -> bytes:
    """One element of a rule's expression list."""
    return nest(1, string(1, name), nest(2, *parts))


def big(payload: bytes) -> int:
    """An unsigned number in network byte order."""
    return int.from_bytes(payload, "big")


def parse_expressions(payload: bytes) -> Iterator[Expression]:
    """The expressions of NFTA_RULE_EXPRESSIONS, in order."""
    for _, element in each(payload):
        found = attributes(element)
        yield Expression(text(found.get(1, b"")), attributes(found.get(2, b"")))


def verdict_of(data: dict[int, bytes]) -> r.Verdict | None:
    """The verdict in the attributes of a data item (NFTA_DATA_VERDICT), None when it holds a value instead."""
    if 2 not in data:
        return None
    found = attributes(data[2])
    code = int.from_bytes(found.get(1, b""), "big", signed=True)
    match code & 0xFF if code >= 0 else code:
        case 0:
            return r.Drop()
        case 1:
            return r.Accept()
        case -3 | -4 as way:
            return r.Jump(text(found.get(2, b"")), way == GOTO)
        case -5:
            return r.Return()
        case -1:
            return r.Proceed()
        case _:
            return r.Unfollowed(f"verdict {code}")


def verdict_words(verdict: r.Verdict | None) -> str:
    """As nft prints it; "" for none."""
    match verdict:
        case r.Accept():
            return "accept"
        case r.Drop():
            return "drop"
        case r.Return():
            return "return"
        case r.Proceed():
            return "continue"
        case r.Jump(chain=chain, goto=goto):
            return f"{'goto' if goto else 'jump'} {chain}"
        case r.Unfollowed(words=words):
            return words
        case None:
            return ""


def join(parts: Iterable[bytes]) -> bytes:
    """Several attributes in a row."""
    return b"".join(parts)
