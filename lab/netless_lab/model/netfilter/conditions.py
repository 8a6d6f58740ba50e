"""What a rule asks: which part of what a packet may be meets a condition and which does not, and the words for it, nft's own (nft(8)). Pure.

Names are as nft prints them, numbers from the kernel's own headers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from typing import Final, Literal

from .. import local
from ..snapshot import Chain, Node, Rule
from . import rules as r
from .packet import DNAT, SNAT, STATES, Packet, Spans, addresses, common, network, only, single, spans, without

_LOCAL, _BROADCAST, _MULTICAST, _UNICAST = 2, 3, 5, 1
"""Types of address (RTN_*), as ``fib daddr type`` has them."""
_TYPES = range(12)
_XT_STATES = {1: 1, 2: 2, 4: 4, 8: 8, 64: 256}
"""From bits of nft's ct state to those of iptables."""

Question = r.Condition | r.Lookup | r.Unread
"""What a rule asks of a packet."""
Guess = Literal["unread", "varies", "unlisted"]
"""Why it cannot be told whether a condition holds: it is not readable, it depends on more than the packet, the packet's field is not known."""
Split = tuple[Packet | None, Packet | None] | Guess
"""(the part that meets a condition, the part that does not), None for none of it."""


class View:
    """What rules of a node can ask. ``before_conntrack``: where a packet has not been seen by that, so its state is invalid (nft_ct.c)."""

    def __init__(self, node: Node, *, before_conntrack: bool = False) -> None:
        self.before_conntrack = before_conntrack
        self._node = node
        self._of_types: dict[tuple[int, int], Spans] = {}

    def ask(self, part: Question, chain: Chain, packet: Packet) -> Split:
        """Part a packet by a question of a rule in ``chain``."""
        match part:
            case r.Unread():
                return "varies" if part.varies else "unread"
            case r.Lookup():
                if (elements := self.elements(part, chain)) is None:
                    return "unread"
                if any(self.lacks(field, packet) for field in part.fields):
                    return None, packet
                if not elements:  # whatever the packet is, it is not among them
                    return (packet, None) if part.negated else (None, packet)
                if len(part.fields) == 1:
                    return self._part(part.fields[0], _together(elements), packet, part.negated)
                fits = _any([self._fits(part.fields, element, packet) for element in elements])
                return "unlisted" if fits is None else (packet, None) if fits != part.negated else (None, packet)
            case r.Condition():
                return self._part(part.field, part.values, packet, part.negated)

    def elements(self, part: r.Lookup | r.VerdictMap, chain: Chain) -> tuple[r.Element, ...] | None:
        """Those of the set that a rule of ``chain`` asks, None where it is not in the snapshot."""
        if part.elements is not None:
            return part.elements
        named = (found for found in self._node.sets if (found.family, found.table, found.name) == (chain.family, chain.table, part.name))
        return next((found.elements for found in named), None)

    def lacks(self, field: str, packet: Packet) -> bool:
        """Whether there is no such thing to ask of the packet here: then a rule ends, also one that asks for something else (NFT_BREAK)."""
        return field.startswith("ct ") and field != "ct state" and (self.before_conntrack or not packet.tracked)

    def _part(self, field: str, values: r.Values, packet: Packet, negated: bool) -> Split:
        if self.lacks(field, packet):
            return None, packet
        if (split := self._split(field, values, packet)) is None:
            return "unlisted"
        return (split[1], split[0]) if negated else split

    def _split(self, field: str, values: r.Values, packet: Packet) -> tuple[Packet | None, Packet | None] | None:
        """The packet where the field is among the values, and where it is not; None when that cannot be told."""
        if isinstance(values, r.Names):
            if (name := packet.names.get(field)) is None:
                return None
            return (packet, None) if values.hold(name) else (None, packet)
        if field in ("fib saddr type", "fib daddr type"):
            of = packet.source if field == "fib saddr type" else packet.destination
            kinds = (kind for kind in _TYPES if common(only(kind), values.spans))
            return self._split(of, r.Numbers(spans(pair for kind in kinds for pair in self._of_type(kind, packet.family))), packet)
        if field == "xt state":
            value = self._xt_state(packet)
            return None if value is None else (packet, None) if common(only(value & (values.mask or value)), values.spans) else (None, packet)
        have = only(STATES["invalid"]) if field == "ct state" and self.before_conntrack and packet.tracked else packet.possible(field)
        if have is None:
            return None
        if values.mask is not None:
            if (value := single(have)) is None:
                return None
            return (packet, None) if common(only(value & values.mask), values.spans) else (None, packet)
        inside, outside = common(have, values.spans), without(have, values.spans)
        if not (inside and outside):
            return (packet, None) if inside else (None, packet)
        return packet.listing(field, inside), packet.listing(field, outside)

    def _xt_state(self, packet: Packet) -> int | None:
        """The state as iptables has it, translations among them (XT_CONNTRACK_STATE_*): of a packet without a conntrack entry there are none."""
        if self.before_conntrack or not packet.tracked:
            return _XT_STATES[STATES["invalid"] if packet.tracked else STATES["untracked"]]
        state, status = single(packet.possible("ct state") or ()), single(packet.possible("ct status") or ())
        if state is None or status is None:
            return None
        return _XT_STATES.get(state, 0) | (64 if status & SNAT else 0) | (128 if status & DNAT else 0)

    def _of_type(self, kind: int, family: int) -> Spans:
        """The addresses of which the node's routing says that they are local, broadcast, multicast or unicast."""
        if (kind, family) not in self._of_types:
            if kind == _UNICAST:
                others = spans(pair for other in (_LOCAL, _BROADCAST, _MULTICAST) for pair in self._of_type(other, family))
                found = without(addresses(family), others)
            elif kind == _MULTICAST:
                found = network("224.0.0.0/4" if family == 4 else "ff00::/8")
            else:
                found = local.own_addresses(self._node, family) if kind == _LOCAL else local.broadcast_addresses(self._node) if kind == _BROADCAST and family == 4 else ()
            self._of_types[kind, family] = found
        return self._of_types[kind, family]

    def _fits(self, fields: Sequence[str], element: r.Element, packet: Packet) -> bool | None:
        """Whether fields side by side are one element; None where some of what the packet may be is and some is not."""
        answers: list[bool | None] = []
        for field, key in zip(fields, element.keys, strict=False):
            split = self._split(field, key, packet)
            answers.append(None if split is None or (split[0] is not None and split[1] is not None) else split[0] is not None)
        return False if False in answers else None if None in answers else True


def _together(elements: Iterable[r.Element]) -> r.Values:
    """What elements of one field mean as one condition."""
    keys = [element.keys[0] for element in elements]
    names = [key for key in keys if isinstance(key, r.Names)]
    if names:
        return r.Names(tuple(own for key in names for own in key.names), tuple(own for key in names for own in key.begins))
    return r.Numbers(spans(pair for key in keys if isinstance(key, r.Numbers) for pair in key.spans))


def _any(answers: Collection[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


NAMES: Final[Mapping[str, Mapping[int, str]]] = {
    "l4proto": {
        1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 17: "udp", 33: "dccp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah",
        58: "ipv6-icmp", 89: "ospf", 132: "sctp", 136: "udplite",
    },
    "nfproto": {2: "ipv4", 10: "ipv6"},
    "ethertype": {0x0800: "ip", 0x0806: "arp", 0x86DD: "ip6", 0x8100: "vlan"},
    "ctdir": {0: "original", 1: "reply"},
    "icmp": {
        0: "echo-reply", 3: "destination-unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request", 9: "router-advertisement",
        10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem", 13: "timestamp-request", 14: "timestamp-reply",
        15: "info-request", 16: "info-reply", 17: "address-mask-request", 18: "address-mask-reply",
    },
    "icmpcode": {
        0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable", 4: "frag-needed",
        9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited",
    },
    "icmpv6": {
        1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem", 128: "echo-request",
        129: "echo-reply", 130: "mld-listener-query", 131: "mld-listener-report", 132: "mld-listener-done", 133: "nd-router-solicit",
        134: "nd-router-advert", 135: "nd-neighbor-solicit", 136: "nd-neighbor-advert", 137: "nd-redirect", 143: "mld2-listener-report",
    },
    "icmpv6code": {0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable", 5: "policy-fail", 6: "reject-route"},
    "pkttype": {0: "host", 1: "broadcast", 2: "multicast", 3: "other"},
    "fibtype": {0: "unspec", 1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"},
    "arpop": {1: "request", 2: "reply", 3: "rrequest", 4: "rreply", 8: "inrequest", 9: "inreply", 10: "nak"},
    "devtype": {1: "ether", 772: "loopback", 512: "ppp", 768: "ipip", 769: "ipip6", 778: "ipgre"},
    "dscp": {
        0: "cs0", 8: "cs1", 16: "cs2", 24: "cs3", 32: "cs4", 40: "cs5", 48: "cs6", 56: "cs7", 46: "ef",
        10: "af11", 12: "af12", 14: "af13", 18: "af21", 20: "af22", 22: "af23", 26: "af31", 28: "af32", 30: "af33",
        34: "af41", 36: "af42", 38: "af43",
    },
    "ecn": {0: "not-ect", 1: "ect1", 2: "ect0", 3: "ce"},
    "presence": {0: "missing", 1: "exists"},
}  # fmt: skip
"""Kinds whose values have names."""

FLAGS: Final[Mapping[str, Mapping[int, str]]] = {
    "ctstate": {1: "invalid", 2: "established", 4: "related", 8: "new", 64: "untracked"},
    "xtstate": {1: "invalid", 2: "established", 4: "related", 8: "new", 64: "snat", 128: "dnat", 256: "untracked"},
    "ctstatus": {1: "expected", 2: "seen-reply", 4: "assured", 8: "confirmed", 0x10: "snat", 0x20: "dnat", 0x200: "dying"},
    "tcpflags": {1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg", 64: "ecn", 128: "cwr"},
}
"""Kinds whose bits have names of their own."""

_KINDS: Final = {
    "meta l4proto": "l4proto", "meta nfproto": "nfproto", "meta protocol": "ethertype", "ether type": "ethertype", "meta pkttype": "pkttype",
    "ct direction": "ctdir", "ct state": "ctstate", "ct status": "ctstatus", "xt state": "xtstate", "tcp flags": "tcpflags", "ip dscp": "dscp", "ip ecn": "ecn",
    "icmp type": "icmp", "icmp code": "icmpcode", "icmpv6 type": "icmpv6", "icmpv6 code": "icmpv6code", "fib saddr type": "fibtype",
    "fib daddr type": "fibtype", "meta mark": "mark", "ct mark": "mark", "arp operation": "arpop", "meta iiftype": "devtype", "meta oiftype": "devtype",
}  # fmt: skip
_ADDRESSES: Final = ("ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr", "addr ip")


def words(asked: Question) -> str:
    """One condition as nft(8) has it: ``ip saddr 10.0.0.0/24``, ``oifname != "br0"``, ``th dport @open``."""
    match asked:
        case r.Unread():
            return asked.words
        case r.Lookup():
            listed = f"@{asked.name}" if asked.elements is None else "{ " + ", ".join(own.text for own in sorted(asked.elements, key=_order)) + " }"
            return f"{' . '.join(asked.fields)} {'!= ' * asked.negated}{listed}"
        case r.Condition(field, r.Names(names, begins), negated):
            quoted = [f'"{name}"' for name in (*map(literally, names), *(f"{begin}*" for begin in begins))]
            return f"{field} {'!= ' * negated}{_listed(quoted)}"
        case r.Condition(field, r.Numbers(found, mask), negated):
            if mask is None:
                return f"{field} {'!= ' * negated}{_listed(_ranges(field, found))}"
            if _KINDS.get(field) in FLAGS:
                any_of = found == ((0, 0),)
                among = bits(_KINDS[field], mask)
                return f"{field} {'! ' * (not negated)}{among}" if any_of else f"{field} {'!= ' * negated}{_listed(_ranges(field, found))} / {among}"
            return f"{field} & {_value(field, mask)} {'!=' if negated else '=='} {_listed(_ranges(field, found))}"
    raise AssertionError(asked)


def literally(name: str) -> str:
    """A device's whole name: a star at its end would stand for all names that begin so, unless a backslash stands before it."""
    return f"{name[:-1]}\\*" if name.endswith("*") else name


def fields_of(asked: Question) -> tuple[str, ...]:
    """What of a packet a condition asks for; nothing that is known of one that cannot be read."""
    match asked:
        case r.Condition(field):
            return (field,)
        case r.Lookup(fields):
            return fields
    return ()


def allowed(rule: Rule, field: str) -> Spans | None:
    """The values of a field that a rule is only for; None when it does not say, or says it by a set with a name."""
    for part in rule.parts:
        if isinstance(part, r.Condition) and part.field == field and not part.negated and isinstance(part.values, r.Numbers) and part.values.mask is None:
            return part.values.spans
        if isinstance(part, r.Lookup) and part.fields == (field,) and not part.negated and part.elements is not None:
            return spans(pair for own in part.elements for key in own.keys if isinstance(key, r.Numbers) for pair in key.spans)
    return None


def _order(own: r.Element) -> tuple[tuple[tuple[int, int], ...], str]:
    """By value, as nft lists the elements of a set; the kernel has them in any order."""
    return tuple(key.spans[0] for key in own.keys if isinstance(key, r.Numbers)), own.text


def _listed(values: list[str]) -> str:
    return values[0] if len(values) == 1 else "{ " + ", ".join(values) + " }"


def _ranges(field: str, found: Spans) -> list[str]:
    return [shown for first, last in found for shown in _range(field, first, last)]


def _range(field: str, first: int, last: int) -> Iterable[str]:
    if first < last and field.endswith(_ADDRESSES):
        kind = IPv6Address if "ip6 " in field else IPv4Address
        networks = list(summarize_address_range(kind(first), kind(last)))
        if len(networks) == 1:
            return (str(networks[0]),)
    return (_value(field, first) + (f"-{_value(field, last)}" if last > first else ""),)


def _value(field: str, value: int) -> str:
    if field in ("ether saddr", "ether daddr") or field.endswith("addr ether"):
        return value.to_bytes(6, "big").hex(":")
    if field.endswith(_ADDRESSES):
        return str((IPv6Address if "ip6 " in field else IPv4Address)(value))
    return named(_KINDS.get(field, ""), value)


def named(kind: str, value: int) -> str:
    """A number as nft prints it where it is of this kind (``l4proto``, ``ctstate``, ``mark``): by its name, if there is one."""
    if kind == "mark":
        return f"0x{value:08x}"
    return bits(kind, value) if kind in FLAGS else NAMES.get(kind, {}).get(value, str(value))


def bits(kind: str, value: int) -> str:
    """The names of the bits of ``value``, lowest bit first, joined by commas."""
    known = FLAGS[kind]
    rest = value & ~sum(known)
    return ",".join([*(name for bit, name in known.items() if value & bit), *([f"0x{rest:x}"] if rest else [])]) or "0x0"
