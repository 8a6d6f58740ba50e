"""The rules of the old iptables as chains of a snapshot, from the table that the kernel hands out (``xtables``).

The layout is that of struct ipt_entry and ip6t_entry (include/uapi/linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h) and of
x_tables.h; the witness is iptables-legacy-save(8). A rule's words are close to that program's.
"""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from ..model.netfilter import rules as r
from ..model.netfilter.packet import only, spans
from ..model.snapshot import Chain, Rule
from .nft import xt_matches, xt_targets
from .nft.datatypes import quoted

HOOKS: Final = ("prerouting", "input", "forward", "output", "postrouting")
_PRIORITIES: Final[Mapping[str, int]] = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
_NAT: Final = (-100, 100, 0, -100, 100)
_HEAD: Final = struct.Struct("=H29sB")
"""struct xt_entry_match and xt_entry_target: size, name, revision."""
_HEAD_SIZE: Final = 32
_OFFSETS: Final = struct.Struct("=HH")
_COUNTERS: Final = struct.Struct("=QQ")
_VIA_IN, _VIA_OUT, _SOURCE, _DESTINATION, _FRAGMENT, _PROTOCOL = 1, 2, 8, 16, 32, 64
"""IPT_INV_*."""
_PROTOCOLS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp", 47: "gre", 50: "esp"}
_RETURN, _ACCEPT, _DROP = -5, -2, -1
"""A verdict is stored as minus itself minus one; XT_RETURN is NF_REPEAT so."""


class Layout(NamedTuple):
    """How the entries of IPv4 and IPv6 differ: family, width of an address, where things are, and which flags say goto and any protocol."""

    family: Literal["ip", "ip6"]
    width: int
    protocol_at: int
    flags_at: int
    offsets_at: int
    counters_at: int
    size: int
    goto: int


IP4: Final = Layout("ip", 4, 80, 82, 88, 96, 112, 2)
IP6: Final = Layout("ip6", 16, 128, 131, 140, 152, 168, 4)


class Table(NamedTuple):
    """What the kernel tells of one table: the hooks it has, where each begins and where its policy is, and all entries."""

    name: str
    layout: Layout
    hooks: int
    begins: Sequence[int]
    ends: Sequence[int]
    entries: bytes

    @property
    def bases(self) -> dict[int, int]:
        """Place of an entry -> the hook whose chain begins there."""
        return {self.begins[hook]: hook for hook in range(5) if self.hooks & 1 << hook}

    @property
    def policies(self) -> dict[int, int]:
        """Place of an entry -> the hook whose policy it is."""
        return {self.ends[hook]: hook for hook in range(5) if self.hooks & 1 << hook}


def chains(table: Table) -> tuple[Chain, ...]:
    """The chains of a table, in its order. Raises struct.error where it is not what was expected."""
    layout, bases, policies = table.layout, table.bases, table.policies
    heads = {entry.at + entry.size: entry.label for entry in entries(table) if entry.target == "ERROR"}
    found: list[Chain] = []
    rules: list[Rule] = []

    def close() -> None:
        if found:
            found[-1] = _with(found[-1], tuple(rules if found[-1].hook is not None else rules[:-1]))  # the last of one's own chain is its return
        rules.clear()

    for entry in entries(table):
        if entry.target == "ERROR":
            close()
            if entry.at + entry.size < len(table.entries):
                found.append(Chain(layout.family, table.name, entry.label, engine="legacy"))
            continue
        if entry.at in bases:
            close()
            found.append(_base(table.name, bases[entry.at], layout))
        if entry.at in policies:
            found[-1] = _with(found[-1], (), "drop" if entry.drops else "accept")
        else:
            rules.append(_rule(entry, heads, layout, rules))
    return tuple(found)


class Entry(NamedTuple):
    """One entry: its place and size, its head, its matches and target as (name, revision, contents), and its counters."""

    at: int
    size: int
    head: bytes
    matches: tuple[tuple[str, int, bytes], ...]
    target: str
    revision: int
    info: bytes
    packets: int
    bytes: int

    @property
    def verdict(self) -> int:
        """Of a standard target: a verdict below 0, or the place of the entry to go on with."""
        return int(struct.unpack_from("=i", self.info)[0])

    @property
    def drops(self) -> bool:
        """Whether it throws the packet away without a word."""
        return not self.target and self.verdict == _DROP

    @property
    def label(self) -> str:
        """Of an ERROR target: the name of the chain that begins behind it."""
        return self.info[:30].split(b"\0", 1)[0].decode("utf-8", "replace")


def entries(table: Table) -> Iterator[Entry]:
    """The entries of a table, in its order. Raises struct.error where it is not what was expected."""
    blob, layout, at = table.entries, table.layout, 0
    while at + layout.size <= len(blob):
        to_target, size = _OFFSETS.unpack_from(blob, at + layout.offsets_at)
        packets, octets = _COUNTERS.unpack_from(blob, at + layout.counters_at)
        matches, place = list[tuple[str, int, bytes]](), at + layout.size
        while place + _HEAD_SIZE <= at + to_target:
            length, raw, revision = _HEAD.unpack_from(blob, place)
            matches.append((_name(raw), revision, blob[place + _HEAD_SIZE : place + length]))
            place += max(length, _HEAD_SIZE)
        _, raw, revision = _HEAD.unpack_from(blob, at + to_target)
        info = blob[at + to_target + _HEAD_SIZE : at + size]
        yield Entry(at, size, blob[at : at + layout.size], tuple(matches), _name(raw), revision, info, packets, octets)
        if size == 0:
            return
        at += size


def _name(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("ascii", "replace")


def _base(table: str, hook: int, layout: Layout) -> Chain:
    name, nat = HOOKS[hook], table == "nat"
    priority = _NAT[hook] if nat else _PRIORITIES.get(table, 0)
    return Chain(layout.family, table, name.upper(), "nat" if nat else "filter", name, priority, "accept", engine="legacy")


def _with(chain: Chain, rules: tuple[Rule, ...], policy: str | None = None) -> Chain:
    return Chain(chain.family, chain.table, chain.name, chain.type, chain.hook, chain.priority, policy or chain.policy, None, rules, "legacy")


def _rule(entry: Entry, heads: Mapping[int, str], layout: Layout, before: Sequence[Rule]) -> Rule:
    """One rule. It has no handle in the kernel; its words, and which of several alike it is, serve as one."""
    parts, words = list[r.Part](), list[str]()
    for part, text in _head(entry.head, layout):
        parts.append(part)
        words.append(text)
    for name, revision, info in entry.matches:
        phrase = xt_matches.match(name, revision, info, layout.family)
        parts += phrase.parts
        words.append(_match_words(name, phrase.text, phrase.opaque))
    for decided, text in _target(entry, heads, layout):
        parts += decided
        words.append(text)
    text = " ".join(words)
    same = sum(rule.text == text for rule in before)
    return Rule(zlib.crc32(f"{same} {text}".encode()), text, entry.packets, entry.bytes, parts=tuple(parts))


def _head(head: bytes, layout: Layout) -> Iterator[tuple[r.Part, str]]:
    width = layout.width
    source, destination, source_mask, destination_mask = (int.from_bytes(head[at : at + width], "big") for at in range(0, 4 * width, width))
    flags, inverted = head[layout.flags_at], head[layout.flags_at + 1]
    for field, option, address, mask, bit in (
        (f"{layout.family} saddr", "-s", source, source_mask, _SOURCE),
        (f"{layout.family} daddr", "-d", destination, destination_mask, _DESTINATION),
    ):
        if mask:
            negated = bool(inverted & bit)
            yield r.Condition(field, _network(address, mask, width), negated), f"{'! ' if negated else ''}{option} {_cidr(address, mask, width)}"
    names = [head[4 * width + 16 * place : 4 * width + 16 * place + 16] for place in range(4)]
    for field, option, name, mask_bytes, bit in (("iifname", "-i", names[0], names[2], _VIA_IN), ("oifname", "-o", names[1], names[3], _VIA_OUT)):
        if any(mask_bytes):
            asked = name[: mask_bytes.count(0xFF)]
            whole, text = b"\0" in asked, asked.split(b"\0", 1)[0].decode("utf-8", "replace")
            held, negated = r.Names((text,)) if whole else r.Names(begins=(text,)), bool(inverted & bit)
            yield r.Condition(field, held, negated), f"{'! ' if negated else ''}{option} {text}{'' if whole else '+'}"
    protocol = struct.unpack_from("=H", head, layout.protocol_at)[0]
    if protocol:
        negated = bool(inverted & _PROTOCOL)
        shown = _PROTOCOLS.get(protocol, str(protocol))
        yield r.Condition("meta l4proto", r.Numbers(only(protocol)), negated), f"{'! ' if negated else ''}-p {shown}"
    if layout is IP4 and flags & 1:
        yield r.Unread("-f"), "! -f" if inverted & _FRAGMENT else "-f"


def _network(address: int, mask: int, width: int) -> r.Numbers:
    """A mask that is no prefix is kept as one."""
    full = (1 << width * 8) - 1
    rest = full & ~mask
    if rest & (rest + 1):
        return r.Numbers(only(address), mask)
    return r.Numbers(spans([(address & mask, address | rest)]))


def _cidr(address: int, mask: int, width: int) -> str:
    shown = socket.inet_ntop(socket.AF_INET if width == 4 else socket.AF_INET6, address.to_bytes(width, "big"))
    length = mask.bit_count()
    return shown if length == width * 8 else f"{shown}/{length}"


def _match_words(name: str, text: str, opaque: bool) -> str:
    """``-m conntrack`` with what it asks in nft's words, which are at hand; without where there are none."""
    if name == "comment":
        return f"-m comment --{text}"
    return f"-m {name}" if opaque else f"-m {name} ({text})"


def _target(entry: Entry, heads: Mapping[int, str], layout: Layout) -> Iterator[tuple[tuple[r.Part, ...], str]]:
    if entry.target:
        phrase = xt_targets.target(entry.target, entry.revision, entry.info, layout.family)
        yield phrase.parts, f"-j {entry.target}" + (f" ({phrase.text})" if " to " in phrase.text else "")
        return
    verdict = entry.verdict
    known: dict[int, tuple[r.Verdict, str]] = {
        _ACCEPT: (r.Accept(), "-j ACCEPT"), _DROP: (r.Drop(), "-j DROP"), _RETURN: (r.Return(), "-j RETURN"),
    }  # fmt: skip
    if verdict in known:
        yield (known[verdict][0],), known[verdict][1]
    elif verdict < 0:
        yield (r.Unfollowed("-j QUEUE"),), "-j QUEUE"
    elif verdict != entry.at + entry.size:  # else there is no target: the next rule follows
        goes = bool(entry.head[layout.flags_at] & layout.goto)
        chain = heads.get(verdict, f"at {verdict}")
        yield (r.Jump(chain, goes),), f"{'-g' if goes else '-j'} {quoted(chain) if ' ' in chain else chain}"
