"""Where a rule that lets packets through has to stand: in every chain that drops them, whoever made it, for an accept ends only its own chain.

A chain is spoken of in the tool that it was made by: a rule that nft(8) writes into a table of iptables(8) may leave that one unable to read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from ..model.netfilter.packet import STATES, Packet, only
from ..model.netfilter.rules import Accept, Condition, Names, Numbers
from ..model.netfilter.run import FAMILIES, Way, at_chain, base_chains, reached
from ..model.snapshot import Chain, Node, Rule, Snapshot
from .base import Action, Dialect, Where, as_python, in_host, nft_word, word
from .lab_table import BORN, add_rule, delete_rule, drop_chain, make_chain
from .outline import with_chain, with_rule, without_rule
from .roles import LinkName, NodeName

Tool = Literal["nft", "iptables", "iptables-legacy"]
_OF_IPTABLES: Final = {"filter": 0, "mangle": -150, "security": 50}
"""The tables whose chain FORWARD iptables makes at the hook, with its priority there (NF_IP_PRI_*, <linux/netfilter_ipv4.h>)."""
ESTABLISHED: Final = "established"
ANSWERS: Final = "ct state established,related"


class Door(msgspec.Struct, frozen=True):
    """A place in a base chain of a node. ``before`` is the rule that has to stand behind it, counted from 0, and ``handle`` that rule's; None for the
    chain's end. ``born``: the chain of the lessons is not there yet.
    """

    tool: Tool
    family: str
    table: str
    chain: str
    before: int | None = None
    handle: int = 0
    born: bool = False

    @property
    def nft_chain(self) -> str:
        """The chain, as nft(8) calls it."""
        return f"{self.family} {self.table} {self.chain}"

    @property
    def words(self) -> str:
        """The chain, for a person."""
        return self.nft_chain if self.tool == "nft" else f"{self.chain} of {self.tool}" + (f", table {self.table}" if self.table != "filter" else "")

    @property
    def engine(self) -> Literal["nft", "legacy"]:
        """Whose chain it is in a snapshot."""
        return "legacy" if self.tool == "iptables-legacy" else "nft"

    def line(self, where: Where, node: str, what: str) -> str:
        """The line that puts the accept there."""
        if self.tool == "nft":
            rule = f"{match(what)} counter accept"
            if self.before is None:
                return add_rule(where, node, self.nft_chain, rule)
            at = f" index {self.before}" if self.before else ""
            return where.run(node, f"nft {word(f'insert rule {self.nft_chain}{at} {rule}')}")
        at = "A" if self.before is None else "I"
        number = f" {self.before + 1}" if self.before else ""
        return where.run(node, f"{self._iptables} -{at} {self.chain}{number} {iptables_match(what)} -j ACCEPT")

    def line_away(self, where: Where, node: str, what: str) -> str:
        """The line that takes it away; iptables finds it by the same words."""
        if self.tool == "nft":
            return delete_rule(where, node, self.nft_chain, match(what))
        return where.run(node, f"{self._iptables} -D {self.chain} {iptables_match(what)} -j ACCEPT")

    @property
    def _iptables(self) -> str:
        return self.tool if self.table == "filter" else f"{self.tool} -t {self.table}"


LESSONS: Final = Door("nft", BORN["forward"].family, BORN["forward"].table, BORN["forward"].name)
"""Where the lessons' own accepts stand."""
_OF_LEGACY: Final = Door("iptables", "ip", "filter", "FORWARD")
"""And those of who speaks iptables."""


def doors(node: Node, asked: Iterable[Packet]) -> tuple[Door, ...]:
    """The place for an accept in each chain at the forward hook that drops any of these packets, or may: before the first rule that does. Where
    none does, in each that would if no rule accepted them.
    """
    packets = tuple(asked)
    ways = [(base, _ways(node, base, packets)) for base in base_chains(node, "forward", FAMILIES[4])]
    shut = tuple(_door(node, base, dropped) for base, own in ways if (dropped := _dropped(own)))
    return shut or tuple(_door(node, base, dropped) for base, own in ways if (dropped := _dropped_unless_accepted(node, base, packets, own)))


def _ways(node: Node, base: Chain, packets: Iterable[Packet]) -> list[Way]:
    return [way for packet in packets for way in at_chain(node, base, "forward", packet)]


def _dropped(ways: Iterable[Way]) -> list[Way]:
    return [way for way in ways if way.end == "drop"]


def _dropped_unless_accepted(node: Node, base: Chain, packets: tuple[Packet, ...], ways: list[Way]) -> list[Way]:
    """What one chain drops of them without the rules that accept them, in it and where it leads to; ``ways`` is what it does with those."""
    while not (dropped := _dropped(ways)):
        accepting = {id(way.rule) for way in ways if way.end == "accept" and way.rule is not None}
        if not accepting:
            return []
        without = {id(chain): replace(chain, rules=tuple(rule for rule in chain.rules if id(rule) not in accepting)) for chain in (*node.chains, *node.legacy)}
        chains, legacy = (tuple(without[id(chain)] for chain in own) for own in (node.chains, node.legacy))
        base, node = without[id(base)], replace(node, chains=chains, legacy=legacy)
        ways = _ways(node, base, packets)
    return dropped


def _door(node: Node, base: Chain, dropped: Iterable[Way]) -> Door:
    by = {id(way.rule) for way in dropped if way.rule is not None}
    before = next((number for number in range(len(base.rules) if by else 0) if by & _led_to(node, base, number)), None)
    tool: Tool = "iptables-legacy" if base.engine == "legacy" else "iptables" if _is_iptables(base) else "nft"
    return Door(tool, base.family, base.table, base.name, before, base.rules[before].handle if before is not None else 0)


def _led_to(node: Node, base: Chain, number: int) -> set[int]:
    """The rules that a packet may meet by one rule of a base chain, itself among them."""
    alone = replace(base, rules=base.rules[number : number + 1])
    return {id(rule) for _, rule in reached(node, alone)}


def _is_iptables(base: Chain) -> bool:
    return (base.family, base.name, base.priority) == ("ip", "FORWARD", _OF_IPTABLES.get(base.table))


def match(what: str) -> str:
    """What an accept asks, in nft's words."""
    return ANSWERS if what == ESTABLISHED else f"iifname {nft_word(what)}"


def iptables_match(what: str) -> str:
    """The same for iptables."""
    return "-m conntrack --ctstate RELATED,ESTABLISHED" if what == ESTABLISHED else f"-i {word(what)}"


def condition(what: str) -> Condition:
    """The one condition of an accept, as a snapshot's rule holds it."""
    if what == ESTABLISHED:
        return Condition("ct state", Numbers(only(0), STATES["established"] | STATES["related"]), negated=True)
    return Condition("iifname", Names((what,)))


def accept(what: str) -> Rule:
    """An accept as a sketch has it."""
    return Rule(0, f"{match(what)} counter accept", parts=(condition(what), Accept()))


def told(what: str) -> str:
    """Whom an accept is for, in words."""
    return "answers" if what == ESTABLISHED else f"what comes from {what}"


def let_through(what: str, node: str) -> str:
    """What an accept does, in a sentence."""
    if what == ESTABLISHED:
        return f"Let answers through{in_host(node)}: packets of conversations that are known already."
    return f"Let everything through{in_host(node)} that comes from {what}."


def in_dialect(doors: Iterable[Door], dialect: Dialect) -> tuple[Door, ...]:
    """The same in a dialect: where nothing stands yet, who speaks iptables begins with its own chain."""
    return tuple(_OF_LEGACY if door.born and dialect == "legacy" else door for door in doors)


class AcceptIn(Action, frozen=True, rename={"node": "in"}):
    """``ForwardAccept`` as it is done in a network that is there: in these chains, one after the other."""

    what: LinkName
    node: NodeName
    doors: tuple[Door, ...]

    def sentence(self) -> str:
        """Where it is another chain than that of the lessons, which."""
        said = let_through(self.what, self.node)
        if all(door.before is None and door.nft_chain == LESSONS.nft_chain for door in self.doors):
            return said
        places = tuple(f"{door.words}, before its rule {door.before + 1}" if door.before is not None else door.words for door in self.doors)
        if len(places) == 1:
            return f"{said} Without the rule they are dropped by {places[0]}: so it belongs there."
        return f"{said} Without such rules {len(places)} chains drop them, and an accept ends only its own chain, so each needs one: {'; '.join(places)}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """A line for each chain, in the tool that it is of."""
        lines: list[str] = []
        for door in in_dialect(self.doors, dialect):
            lines += make_chain(where, self.node, "forward", None, door.chain) if door.born else ()
            lines.append(door.line(where, self.node, self.what))
        return as_python(*lines) if dialect == "pyroute2" else tuple(lines)

    def inverse(self) -> tuple[Action, ...]:
        return (UnacceptIn(what=self.what, node=self.node, doors=self.doors),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One rule more in each chain."""
        for door in self.doors:
            if door.born:
                snapshot = with_chain(snapshot, self.node, replace(BORN["forward"], name=door.chain))
            snapshot = with_rule(snapshot, self.node, door.nft_chain, accept(self.what), before=door.before, engine=door.engine)
        return snapshot


class UnacceptIn(Action, frozen=True, rename={"node": "in"}):
    """The same taken back."""

    what: LinkName
    node: NodeName
    doors: tuple[Door, ...]

    def sentence(self) -> str:
        return f"No longer let {told(self.what)} through{in_host(self.node)} by a rule of its own."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """A line for each chain; one that was born for it goes when it is empty then."""
        lines: list[str] = []
        for door in in_dialect(self.doors, dialect):
            lines.append(door.line_away(where, self.node, self.what))
            lines += drop_chain(where, self.node, door.chain) if door.born else ()
        return as_python(*lines) if dialect == "pyroute2" else tuple(lines)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One rule less in each chain."""
        for door in self.doors:
            snapshot = without_rule(snapshot, self.node, door.nft_chain, condition(self.what), tidy=door.born, engine=door.engine)
        return snapshot
