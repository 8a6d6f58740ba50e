"""Rules in nft's own words. The kernel keeps a rule as a little program for registers; here it is read backwards into its sentence.

``render`` gives what ``nft -s list ruleset`` (1.0.6) prints for the rules a lesson makes and for those a learner usually types,
also through iptables-nft. An expression it does not know becomes ``<name>`` and the rule ``opaque``: shown, never misread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from ...model.netfilter import rules as r
from ..netlink.attributes import attributes, text
from . import conditions, statements, xt_matches, xt_targets
from .datatypes import number, quoted, show
from .fields import LINK, NETWORK, TRANSPORT, Field, cleared, ct_field, fib_field, header_fields, meta_field, option_field, option_name, route_field
from .matching import Phrase, Source, compare, compare_range, look_up
from .sets import Set
from .wire import Expression, verdict_of, verdict_words

_EQ, _GTE, _LTE = 0, 5, 3
_OF_TCP, _IS_THERE = 1, 1
"""enum nft_exthdr_op: an option of TCP; NFT_EXTHDR_F_PRESENT: whether it is there at all."""
_INHERENT = {"ip": "ip", "ip6": "ip6", "arp": "arp"}
_MIXED = frozenset({"inet", "bridge", "netdev"})


class Sentence(NamedTuple):
    """A rule in words; the fields are those of ``model.snapshot.Rule``."""

    text: str
    opaque: bool
    parts: tuple[r.Part, ...]


def render(
    family: str, program: Sequence[Expression], sets: Mapping[str, Set], devices: Mapping[int, str], comment: str = ""
) -> Sentence:
    """The sentence of one rule. ``sets`` holds the anonymous sets of its table, ``devices`` names interface indexes."""
    machine = _Machine(family, sets, devices)
    queue = list(program)
    while queue:
        taken = machine.step(queue)
        del queue[:taken]
    if comment:
        machine.phrases.append(Phrase(f"comment {quoted(comment)}"))
    said = sorted(machine.phrases, key=lambda phrase: phrase.text.startswith('comment "'))  # which nft(8) takes at the end only
    return Sentence(
        " ".join(phrase.text for phrase in said if phrase.text),
        any(phrase.opaque for phrase in machine.phrases),
        tuple(machine.parts),
    )


class _Machine:
    """The registers while a rule is read, the phrases so far, and what they mean. A phrase that nft leaves out for being implied still means it."""

    def __init__(self, family: str, sets: Mapping[str, Set], devices: Mapping[int, str]) -> None:
        self.phrases: list[Phrase] = []
        self.parts: list[r.Part] = []
        self._family, self._sets, self._devices = family, sets, devices
        self._registers: dict[int, Source] = {}
        self._network = _INHERENT.get(family, "")
        self._transport = ""
        self._implied: dict[str, Phrase] = {}
        self._handlers: dict[str, Callable[[Expression], None]] = {
            "meta": self._on_meta,
            "ct": self._on_ct,
            "payload": self._on_payload,
            "exthdr": self._on_exthdr,
            "rt": self._on_rt,
            "fib": self._on_fib,
            "bitwise": self._on_bitwise,
            "byteorder": self._on_byteorder,
            "immediate": self._on_immediate,
            "range": self._on_range,
            "lookup": self._on_lookup,
            "match": self._on_match,
            "target": self._on_target,
            "reject": self._on_reject,
        }

    def step(self, queue: Sequence[Expression]) -> int:
        """Read the first expression of ``queue``, or the first few that belong together; how many were read."""
        found = queue[0]
        if found.name == "cmp":
            return self._compare(queue)
        if found.name == "payload" and self._written_back(queue):
            return 3
        handler = self._handlers.get(found.name)
        if handler is not None:
            handler(found)
        elif found.name in conditions.LOADS and conditions.LOADS[found.name] in found.data:
            self._unknown(found)
        else:
            self._say(statements.statement(found, self._family, self._constant))
        return 1

    # ---- loads: something into a register

    def _on_meta(self, found: Expression) -> None:
        field = meta_field(found.number(2))
        if field is None:
            self._unknown(found)
        elif 3 in found.data:
            self._say(Phrase(f"{_qualified(field.key)} set {self._shown(found.number(3), field)}", parts=self._set(found.number(3), field)))
        else:
            self._load(found.number(1), Source((field,)))

    def _on_ct(self, found: Expression) -> None:
        direction = found.data[3][0] if 3 in found.data else None
        field = ct_field(found.number(2), direction)
        if field is None:
            self._unknown(found)
        elif 4 in found.data:
            self._say(Phrase(f"{field.key} set {self._shown(found.number(4), field)}", parts=self._set(found.number(4), field)))
        else:
            self._load(found.number(1), Source((field,)))

    def _on_payload(self, found: Expression) -> None:
        base, offset, width = found.number(2), found.number(3), found.number(4)
        fields = self._header(base, offset, width)
        written = self._registers.get(_word(found.number(5))) if 5 in found.data else None
        if len(fields) == 1 and width == fields[0].width and written is not None and (written.constant is not None or written.fields):
            self._absorb(Source(fields))
            self._say(Phrase(f"{fields[0].key} set {self._shown(found.number(5), fields[0])}", parts=self._set(found.number(5), fields[0])))
            return
        if 5 in found.data or not fields:
            bases = {LINK: "ll", NETWORK: "nh", TRANSPORT: "th"}
            key = f"@{bases.get(base, base)},{offset * 8},{width * 8}"
            fields = (Field(key, "number", width),)
            if 5 in found.data:
                self._unknown(found, r.Unfollowed(f"{key} set"))
                return
        self._load(found.number(1), Source(fields, loaded=width))

    def _header(self, base: int, offset: int, width: int) -> tuple[Field, ...]:
        if base == LINK:
            return header_fields("ether", offset, width) or header_fields("vlan", offset, width)
        if base == NETWORK and self._network:
            return header_fields(self._network, offset, width)
        return header_fields(self._transport or "th", offset, width) if base == TRANSPORT else ()

    def _written_back(self, queue: Sequence[Expression]) -> bool:
        """Whether a part of what is loaded is written anew, and all of it back: nft writes no single byte where a checksum counts pairs."""
        if [found.name for found in queue[:3]] != ["payload", "bitwise", "payload"]:
            return False
        load, change, store = queue[:3]
        same = [load.number(kind) for kind in (2, 3, 4)] == [store.number(kind) for kind in (2, 3, 4)]
        if 5 in load.data or 5 not in store.data or not same or change.number(6):
            return False
        kept, flipped = change.value(4), change.value(5)
        fields = self._header(load.number(2), load.number(3), load.number(4))
        field = cleared(fields, kept)
        if field is None:
            return False
        bits, value = int.from_bytes(kept, "big") ^ ((1 << len(kept) * 8) - 1), int.from_bytes(flipped, "big")
        shift = (bits & -bits).bit_length() - 1
        if value & ~bits:
            return False
        payload = (value >> shift).to_bytes(field.width, "big")
        self._absorb(Source((field,)))
        self._say(Phrase(f"{field.key} set {show(field.kind, payload, self._devices)}",
                         parts=(r.Write(conditions.name_of(field), 0, number(field.kind, payload)),)))
        return True

    def _on_exthdr(self, found: Expression) -> None:
        """Attributes: into which register 1, which header or option 2, where in it 3, how much 4, flags 5, of what 6, from which register 7."""
        of_tcp = found.number(6) == _OF_TCP
        if of_tcp and 1 not in found.data and 7 not in found.data:
            self._say(Phrase(f"reset tcp option {option_name(found.number(2))}"))
            return
        field = option_field(found.number(2), found.number(3), found.number(4), presence=bool(found.number(5) & _IS_THERE)) if of_tcp else None
        if field is None:
            self._unknown(found, None if 1 in found.data else r.Unfollowed("exthdr set"))
        elif 7 in found.data:
            self._absorb(Source((field,)))
            self._say(Phrase(f"{field.key} set {self._shown(found.number(7), field)}"))
        else:
            self._load(found.number(1), Source((field,)))

    def _on_rt(self, found: Expression) -> None:
        field = route_field(found.number(2))
        if field is None:
            self._unknown(found)
        else:
            self._load(found.number(1), Source((field,)))

    def _on_fib(self, found: Expression) -> None:
        self._load(found.number(1), Source((fib_field(found.number(2), found.number(3)),)))

    def _on_bitwise(self, found: Expression) -> None:
        source = self._registers.get(_word(found.number(1)))
        if source is None or found.number(6) or any(found.value(5)):
            self._unknown(found)
            return
        self._load(found.number(2), source._replace(mask=found.value(4)))

    def _on_byteorder(self, found: Expression) -> None:
        source = self._registers.get(_word(found.number(1)))
        if source is None:
            self._unknown(found)
            return
        self._load(found.number(2), source._replace(swapped=not source.swapped))

    def _on_immediate(self, found: Expression) -> None:
        verdict = verdict_of(attributes(found.data.get(2, b"")))
        if verdict is not None:
            self._say(Phrase(verdict_words(verdict), parts=(verdict,)))
        else:
            self._load(found.number(1), Source((), constant=found.value(2)))

    # ---- matches: a register against something

    def _compare(self, queue: Sequence[Expression]) -> int:
        found = queue[0]
        source = self._registers.get(_word(found.number(1)))
        if source is None or not source.fields:
            self._unknown(found)
            return 1
        operator, second = found.number(2), queue[1] if len(queue) > 1 else None
        if operator == _GTE and second is not None and second.name == "cmp" and second.number(2) == _LTE:
            self.parts.append(conditions.between(source.fields[0], source.swapped, found.value(3), second.value(3), negated=False))
            self._match(source, [compare_range(source, found.value(3), second.value(3), "==", self._devices)])
            return 2
        self.parts += conditions.compared(source.fields, source.mask, source.swapped, operator, found.value(3), self._devices)
        phrases = compare(source, operator, found.value(3), self._devices)
        self._match(source, phrases)
        if operator == _EQ and source.mask is None and len(source.fields) == 1:
            self._learn(source.fields[0], found.value(3), phrases[0])
        return 1

    def _on_range(self, found: Expression) -> None:
        source = self._registers.get(_word(found.number(1)))
        if source is None or not source.fields:
            self._unknown(found)
            return
        operator = "!=" if found.number(2) else "=="
        self.parts.append(conditions.between(source.fields[0], source.swapped, found.value(3), found.value(4), negated=operator == "!="))
        self._match(source, [compare_range(source, found.value(3), found.value(4), operator, self._devices)])

    def _on_lookup(self, found: Expression) -> None:
        name = text(found.data.get(1, b""))
        known = self._sets.get(name)
        sources = self._concatenation(found.number(2), known)
        if not sources:
            self._unknown(found)
            return
        fields = tuple(source.fields[0] for source in sources)
        target = _word(found.number(3)) if 3 in found.data else None
        if target is not None and target:
            for source in sources:
                self._absorb(source)
            self._registers[target] = Source(fields, map_name=name, map_set=known)
            return
        masked = next((source for source in sources if source.mask is not None), None)
        inverted = bool(found.number(5) & 1)
        if masked is not None:
            self.parts.append(r.Unread(masked.fields[0].key))
        else:
            self.parts.append(conditions.looked_up(fields, name, known, inverted, target == 0, self._devices))
        phrase = look_up(fields, name, known, inverted, target == 0, self._devices)
        for source in sources:
            self._absorb(source)
        self._say(phrase)

    def _concatenation(self, register: int, known: Set | None) -> list[Source]:
        """The sources that lie side by side from ``register`` on, as many as the keys of the set are wide."""
        word, sources = _word(register), list[Source]()
        width = len(known.elements[0].key) if known and known.elements else 0
        taken = 0
        while (source := self._registers.get(word)) is not None and source.fields:
            sources.append(source)
            step = (source.fields[0].width + 3) & ~3
            taken, word = taken + step, word + step // 4
            if taken >= width:
                break
        return sources

    # ---- statements that need registers

    def _on_match(self, found: Expression) -> None:
        self._implied.clear()  # nft keeps what stands before a match of iptables
        self._say(xt_matches.match(text(found.data.get(1, b"")), found.number(2), found.data.get(3, b""), self._family))

    def _on_target(self, found: Expression) -> None:
        self._say(xt_targets.target(text(found.data.get(1, b"")), found.number(2), found.data.get(3, b""), self._family))

    def _on_reject(self, found: Expression) -> None:
        phrase = statements.reject(found, self._family)
        if phrase.text == "reject with tcp reset" and self._family in ("ip", "ip6"):
            self._forget("transport")
        elif " with icmp " in phrase.text or " with icmpv6 " in phrase.text:
            self._forget("network")
        self._say(phrase)

    def _constant(self, register: int) -> bytes | str | None:
        """What a statement takes from ``register``: bytes, or the words of a map lookup; None when it is not known."""
        source = self._registers.get(_word(register))
        if source is None:
            return None
        return source.constant if source.map_name is None else source.words(self._devices)

    # ---- bookkeeping

    def _load(self, register: int, source: Source) -> None:
        self._registers[_word(register)] = source

    def _shown(self, register: int, field: Field) -> str:
        """The right side of ``... set``: a constant, or the name of another field."""
        source = self._registers.get(_word(register))
        if source is None:
            return "<unknown>"
        return source.as_value(field, self._devices)

    def _set(self, register: int, field: Field) -> tuple[r.Part, ...]:
        """What setting a mark, a zone or a field of a header does; other settings (priority, nftrace) decide nothing here."""
        source = self._registers.get(_word(register))
        if field.key in _ZONES:
            constant = source.constant if source is not None else None
            return (r.Zone(number(field.kind, constant[: field.width]) if constant is not None else None, _ZONES[field.key]),)
        if field.key not in ("meta mark", "ct mark") and not field.protocol:
            return ()
        name = conditions.name_of(field)
        if source is None or source.constant is None:
            return (r.Write(name),)
        return (r.Write(name, 0, number(field.kind, source.constant[: field.width])),)

    def _say(self, phrase: Phrase) -> None:
        self.phrases.append(phrase)
        self.parts += phrase.parts

    def _unknown(self, found: Expression, part: r.Part | None = None) -> None:
        """Something that is not followed; what a register held before is not what it holds now."""
        self._say(Phrase(f"<{found.name}>", opaque=True, parts=(part if part is not None else r.Unread(found.name),)))
        into = {"bitwise": 2, "byteorder": 2, "meta": 1, "ct": 1, "payload": 1, "fib": 1, "lookup": 3, **conditions.LOADS}.get(found.name)
        if into is not None and into in found.data:
            self._registers.pop(_word(found.number(into)), None)

    def _match(self, source: Source, phrases: Sequence[Phrase]) -> None:
        self._absorb(source)
        self.phrases.extend(phrases)

    def _learn(self, field: Field, value: bytes, phrase: Phrase) -> None:
        """A match on a protocol number says how to read the headers behind it, and is left out when a later match implies it."""
        shown = show(field.kind, value, self._devices)
        if field.key in ("meta nfproto", "meta protocol", "ether type", "vlan type"):
            self._network = {"ipv4": "ip", "ipv6": "ip6"}.get(shown, shown)
            self._implied["network"] = phrase
        elif field.key in ("meta l4proto", "ip protocol", "ip6 nexthdr"):
            self._transport = {"ipv6-icmp": "icmpv6"}.get(shown, shown)
            if field.key == "meta l4proto" or self._family not in _MIXED:
                self._implied["transport"] = phrase
        elif field.key == "meta iiftype" and shown == "ether":
            self._implied["link"] = phrase

    def _absorb(self, source: Source) -> None:
        """Leave out the protocol matches that ``source`` makes obvious: ``tcp dport 80`` needs no ``meta l4proto tcp`` before it."""
        for field in source.fields:
            if field.protocol in ("ether", "vlan"):
                self._forget("link")
                if field.protocol == "vlan":
                    self._forget("network")
            elif field.protocol in ("ip", "ip6", "arp"):
                self._forget("network")
            elif field.protocol and field.protocol != "th":
                self._forget("transport")
                if field.protocol in ("icmp", "icmpv6"):
                    self._forget("network")

    def _forget(self, layer: str) -> None:
        phrase = self._implied.pop(layer, None)
        if phrase is not None:
            self.phrases = [kept for kept in self.phrases if kept is not phrase]


_ZONES: Final[Mapping[str, Literal["", "original", "reply"]]] = {"ct zone": "", "ct original zone": "original", "ct reply zone": "reply"}


def _word(register: int) -> int:
    """Registers 1 to 4 are 16 bytes, 8 to 23 are the same space in 4 byte words; both as a word number, 0 for the verdict."""
    return register * 4 if register < 5 else register - 4


def _qualified(key: str) -> str:
    return key if key.startswith("meta ") else f"meta {key}"
