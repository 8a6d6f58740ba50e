"""The one interpreter of a node's rules: what becomes of a packet at a hook. Three-valued, and never surer than what can be read.

It follows nf_tables as the kernel runs it (nft(8), net/netfilter/nf_tables_core.c, nf_nat_core.c): the base chains of a hook in the order of
their priority; an accept ends only its own base chain, a drop is final; a chain that ends without a verdict applies its policy. NAT chains
are asked only for the first packet of a conversation that conntrack knows, at a priority that is the hook's and not theirs, until one has
translated. Tables of the old iptables are chains like others.

Where a condition holds for a part of what a packet may be, the packet goes both ways, narrowed. Where nobody can tell whether it holds, it goes
both ways and remembers by which rule that was guessed. So an answer is yes for all ways, no for one that nothing was guessed for, or unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from ..snapshot import Chain, Node, Program, Rule
from . import rules as r
from .conditions import Guess, Question, View
from .packet import DNAT, SNAT, STATES, Packet, Spans, common, network, only, single, spans

FAMILIES: Final = {4: ("ip", "inet"), 6: ("ip6", "inet")}
"""The tables that see a packet of IPv4 or IPv6 at IP's own hooks."""
_NAT_PRIORITY: Final = {"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}
"""Where the kernel asks all NAT chains of a hook (nf_nat_ipv4_ops)."""
_CONNTRACK: Final = -200
"""From here on a packet is tracked, if it is ever (NF_IP_PRI_CONNTRACK), at the hooks where packets begin."""
_DEEP: Final = 16
"""The kernel refuses more jumps (NFT_JUMP_STACK_SIZE)."""
_MOST_WAYS: Final = 256
"""Into how many ways a packet may part before nobody follows them any further."""
_MOST_STEPS: Final = 20_000
"""How many rules are asked before that, whichever way asks: jumps may lead past the same rules again and again."""
_TAKES_IN: Final[frozenset[Program]] = frozenset({"xdp", "tc-ingress"})
_LETS_OUT: Final[frozenset[Program]] = frozenset({"tc-egress", "queue"})
"""What decides over a packet that comes in by a device, and over one that leaves by it."""


class Doubt(msgspec.Struct, frozen=True):
    """A rule that was guessed about, or that cannot be followed."""

    chain: Chain
    rule: Rule
    why: Guess | Literal["unfollowed"]


class Way(msgspec.Struct, frozen=True):
    """What may become of a packet, or of a part of what it stands for.

    ``packet`` is as it is at the end, ``entered`` how it came. ``chain`` and ``rule`` decided, ``rule`` None for the chain's policy; both None
    when nothing did. ``end`` is "lost" when it cannot be followed any further, ``taken`` the device and what it is that decides there and cannot
    be read. ``rewrites`` with the rules that did them.
    """

    entered: Packet
    packet: Packet
    end: Literal["accept", "drop", "lost"]
    chain: Chain | None = None
    rule: Rule | None = None
    answer: str = ""
    rewrites: tuple[tuple[r.Rewrite, Chain, Rule], ...] = ()
    doubts: tuple[Doubt, ...] = ()
    taken: tuple[str, Program] | None = None

    @property
    def sure(self) -> bool:
        """Whether nothing was guessed and it could be followed."""
        return not self.doubts and self.end != "lost"

    @property
    def source_rewritten(self) -> bool:
        """Whether its sender was translated."""
        return any(done.source for done, _, _ in self.rewrites)


def always(ways: Iterable[Way], holds: Callable[[Way], bool]) -> bool | None:
    """Whether something holds for all that may become of a packet; None when that cannot be told."""
    failing = [way for way in ways if way.end == "lost" or not holds(way)]
    if not failing:
        return True
    return False if any(way.sure for way in failing) else None


def doubt(ways: Iterable[Way]) -> Doubt | None:
    """What could not be followed, or the first that had to be guessed, rather one that cannot be read than one that the packet leaves open."""
    all_of = tuple(ways)
    lost = (Doubt(way.chain, way.rule, "unfollowed") for way in all_of if way.end == "lost" and way.chain is not None and way.rule is not None)
    found = (*lost, *(one for way in all_of for one in way.doubts))
    return min(found, key=lambda one: (one.why != "unfollowed") + (one.why == "unlisted"), default=None)


def unread(node: Node, packet: Packet) -> tuple[str, Program] | None:
    """(device, what), where something that is no rule decides over such a packet on its way through the node, and cannot be read: on the device
    it comes in by or leaves by, or on a port when that is a bridge.
    """
    ways = ((packet.names.get("iifname"), _TAKES_IN), (packet.names.get("oifname"), _LETS_OUT))
    for link in node.links:
        for program in link.programs:
            if any(name and name in (link.name, link.master) and program in deciding for name, deciding in ways):
                return link.name, program
    return None


def base_chains(node: Node, hook: str, families: Collection[str], device: str | None = None) -> list[Chain]:
    """The base chains of a hook in the order in which the kernel asks them; ``device`` for hooks that belong to one interface.

    Of two with one priority the later made comes first (nf_hook_entries_grow, net/netfilter/core.c); a snapshot has them as they were made.
    """
    found = [
        chain
        for chain in reversed((*node.chains, *node.legacy))
        if chain.hook == hook and not chain.dormant and chain.family in families and (chain.device is None or device is None or device in chain.device.split(", "))
    ]
    return sorted(found, key=lambda chain: (_NAT_PRIORITY.get(hook, chain.priority) if chain.type == "nat" else chain.priority, chain.priority))


def reached(node: Node, base: Chain) -> Iterator[tuple[Chain, Rule]]:
    """Every rule of a chain and of those it may lead to, each once."""
    waiting, seen = [base], {base.name}
    while waiting:
        chain = waiting.pop(0)
        for rule in chain.rules:
            yield chain, rule
            for name in _targets(node, chain, rule):
                inner = _chain_named(node, chain, name)
                if inner is not None and name not in seen:
                    seen.add(name)
                    waiting.append(inner)


def run(node: Node, hook: str, packet: Packet, families: Collection[str] | None = None, device: str | None = None) -> tuple[Way, ...]:
    """What becomes of ``packet`` at one hook: every way there is, and never none."""
    return through(node, (hook,), packet, families, device)


def through(node: Node, hooks: Sequence[str], packet: Packet, families: Collection[str] | None = None, device: str | None = None) -> tuple[Way, ...]:
    """The same for several hooks, one after the other. Where a packet is on its way in, no device is known yet that it leaves by."""
    if (taken := unread(node, packet)) is not None:
        return (Way(packet, packet, "lost", taken=taken),)
    return onward(node, hooks, (Way(packet, packet, "accept"),), families if families is not None else FAMILIES[packet.family], Budget(), device)


def onward(node: Node, hooks: Sequence[str], begun: Iterable[Way], asked: Collection[str], budget: Budget, device: str | None = None) -> tuple[Way, ...]:
    """What becomes of ways at further hooks; ``asked``: the families of the tables that see the packet. One question has one ``budget``."""
    ways = list(begun)
    for hook in hooks:
        for base in base_chains(node, hook, asked, device):
            ways = [after for way in ways for after in (_at_base(node, base, hook, way, budget) if way.end == "accept" else (way,))]
    return tuple(ways)


def at_chain(node: Node, base: Chain, hook: str, packet: Packet) -> tuple[Way, ...]:
    """What one base chain would do with a packet, were it the only one."""
    return tuple(_at_base(node, base, hook, Way(packet, packet, "accept"), Budget()))


class Budget:
    """What may be spent on one question: when it is, every way that would cost more is lost where it is, and what has ended stays true."""

    def __init__(self) -> None:
        self._ways, self._steps = _MOST_WAYS, _MOST_STEPS

    @property
    def spent(self) -> bool:
        """Whether nothing is left of it."""
        return self._ways <= 0 or self._steps <= 0

    def step(self, elements: int = 0) -> None:
        """A rule is asked, or whether something is in a set of so many, of which each takes an eighth of the time."""
        self._steps -= 1 + elements // 8

    def part(self) -> None:
        """There is one way more."""
        self._ways -= 1


def _at_base(node: Node, base: Chain, hook: str, way: Way, budget: Budget) -> Iterator[Way]:
    """One way through one base chain."""
    if base.type == "nat" and not _asks_nat(way, hook):
        yield way
        return
    packet = way.packet
    if hook in ("prerouting", "input", "ingress") and packet.names.get("oifname"):
        packet = packet.between(packet.names.get("iifname", ""), "")
    out = way.packet.names.get("oifname", "")
    for after in _Walk(node, base, budget).all(msgspec.structs.replace(way, packet=packet)):
        yield msgspec.structs.replace(after, packet=after.packet.between(after.packet.names.get("iifname", ""), out)) if out else after


def _asks_nat(way: Way, hook: str) -> bool:
    """NAT is decided once for a conversation, by its first packet, and once for each side of it."""
    state = way.packet.possible("ct state")
    if not way.packet.tracked or (state is not None and not common(state, only(STATES["new"]))):
        return False
    return not any(done.source == (hook in ("postrouting", "input")) for done, _, _ in way.rewrites)


def missed(node: Node, base: Chain, chain: Chain, rule: Rule, packet: Packet) -> tuple[Question, ...]:
    """The conditions of a rule, reached from ``base``, that such a packet certainly does not meet: why it was let by."""
    view = _view(node, base)
    asked = ((part, view.ask(part, chain, packet)) for part in rule.parts if isinstance(part, Question))
    return tuple(part for part, split in asked if not isinstance(split, str) and split[0] is None)


def agreed(ways: Iterable[Way]) -> Packet | None:
    """What is known of a packet that goes on, whichever of the ways it took; None when none goes on."""
    found = [way.packet for way in ways if way.end == "accept"]
    if not found:
        return None
    kept = {field: values for field, values in found[0].numbers.items() if all(one.numbers.get(field) == values for one in found)}
    return msgspec.structs.replace(found[0], numbers=kept)


def _view(node: Node, base: Chain) -> View:
    """What its rules can ask: conntrack comes after netdev's ingress, and at the hooks where packets begin at a priority of its own."""
    early = base.hook == "ingress" or (base.hook in ("prerouting", "output") and base.priority < _CONNTRACK and base.type != "nat")
    return View(node, before_conntrack=early)


class _Walk:
    """One base chain at work."""

    def __init__(self, node: Node, base: Chain, budget: Budget) -> None:
        self._node, self._base, self._budget = node, base, budget
        self._view = _view(node, base)

    def all(self, way: Way) -> Iterator[Way]:
        """Every way to its end."""
        for after, ended in self._chain(self._base, way, 0):
            if ended:
                yield after
            elif self._base.policy == "drop":
                yield msgspec.structs.replace(after, end="drop", chain=self._base, rule=None)
            else:
                yield msgspec.structs.replace(after, chain=self._base, rule=None) if self._base.rules or self._base.policy else after

    def _chain(self, chain: Chain, way: Way, depth: int) -> Iterator[tuple[Way, bool]]:
        """(the way, whether it has met its end); False: the chain's end was reached, or it returned."""
        ways = [way]
        for rule in chain.rules:
            going: list[Way] = []
            for one in ways:
                if self._budget.spent:
                    yield msgspec.structs.replace(one, end="lost", chain=chain, rule=None), True
                    continue
                self._budget.step()
                for after, outcome in self._rule(chain, rule, one, depth):
                    if outcome == "next":
                        going.append(after)
                    else:
                        yield after, outcome == "ended"
            ways = going
        for one in ways:
            yield one, False

    def _rule(self, chain: Chain, rule: Rule, way: Way, depth: int) -> Iterator[tuple[Way, Literal["next", "ended", "returned"]]]:
        if not any(acts(part) for part in rule.parts):
            yield way, "next"
            return
        ways = [way]
        for part in rule.parts:
            going: list[Way] = []
            for one in ways:
                if isinstance(part, r.VerdictMap):
                    for after, verdict in self._mapped(chain, rule, part, one):
                        if verdict is None:
                            yield after, "next"
                        else:
                            yield from self._decided(chain, rule, verdict, after, depth)
                elif isinstance(part, Question):
                    met, missed = self._asked(chain, rule, part, one)
                    if missed is not None:
                        yield missed, "next"
                    if met is not None:
                        going.append(met)
                elif isinstance(part, r.Untrack | r.Zone | r.Write):
                    going.append(msgspec.structs.replace(one, packet=self._changed(part, one.packet)))
                else:
                    yield from self._decided(chain, rule, part, one, depth)
            ways = going
        for one in ways:
            yield one, "next"

    def _decided(
        self, chain: Chain, rule: Rule, part: r.Verdict | r.Rewrite, way: Way, depth: int
    ) -> Iterator[tuple[Way, Literal["next", "ended", "returned"]]]:
        decided = msgspec.structs.replace(way, chain=chain, rule=rule)
        match part:
            case r.Accept():
                yield decided, "ended"
            case r.Drop():
                yield msgspec.structs.replace(decided, end="drop", answer=part.answer), "ended"
            case r.Return():
                yield way, "returned"
            case r.Proceed():
                yield way, "next"
            case r.Rewrite():
                done = (*way.rewrites, (part, chain, rule))
                yield msgspec.structs.replace(decided, packet=self._rewritten(part, way.packet), rewrites=done), "ended"
            case r.Unfollowed():
                yield msgspec.structs.replace(decided, end="lost"), "ended"
            case r.Jump():
                inner = _chain_named(self._node, chain, part.chain)
                if inner is None or depth >= _DEEP:
                    yield msgspec.structs.replace(decided, end="lost"), "ended"
                    return
                for after, ended in self._chain(inner, way, depth + 1):
                    yield after, "ended" if ended else "returned" if part.goto else "next"

    # ---- conditions

    def _asked(self, chain: Chain, rule: Rule, part: Question, way: Way) -> tuple[Way | None, Way | None]:
        """(the part of it that meets the condition, the part that does not); both all of it where that has to be guessed."""
        if isinstance(part, r.Lookup):
            self._budget.step(len(self._view.elements(part, chain) or ()))
        split = self._view.ask(part, chain, way.packet)
        if isinstance(split, str):
            guessed = msgspec.structs.replace(way, doubts=(*way.doubts, Doubt(chain, rule, split)))
            self._budget.part()
            return guessed, guessed
        met, missed = (msgspec.structs.replace(way, packet=part) if part is not None else None for part in split)
        if met is not None and missed is not None:
            self._budget.part()
        return met, missed

    def _mapped(self, chain: Chain, rule: Rule, part: r.VerdictMap, way: Way) -> Iterator[tuple[Way, r.Verdict | None]]:
        """Every part of it with what its element decides, None where there is no element."""
        if (elements := self._view.elements(part, chain)) is None:
            guessed = msgspec.structs.replace(way, doubts=(*way.doubts, Doubt(chain, rule, "unread")))
            self._budget.part()
            yield guessed, None
            yield guessed, r.Unfollowed(part.name)
            return
        left: Way | None = way
        for element in elements:
            if left is not None and self._budget.spent:
                yield left, r.Unfollowed(part.name)
                return
            if left is not None and element.verdict is not None:
                met, left = self._asked(chain, rule, r.Lookup(part.fields, part.name, (element,)), left)
                if met is not None:
                    yield met, element.verdict
        if left is not None:
            yield left, None

    # ---- changes

    def _changed(self, part: r.Untrack | r.Zone | r.Write, packet: Packet) -> Packet:
        if isinstance(part, r.Untrack):
            return packet.listing("ct state", only(STATES["untracked"])) if self._view.before_conntrack else packet
        if isinstance(part, r.Zone):  # of a packet that conntrack has seen nothing is changed (nft_ct_set_zone_eval(), net/netfilter/nft_ct.c)
            return packet.in_zone(part.number, part.direction) if self._view.before_conntrack else packet
        if self._view.lacks(part.field, packet):
            return packet
        value = single(packet.possible(part.field) or ())
        if part.keep == 0 and part.flip is not None:
            return packet.listing(part.field, only(part.flip))
        if part.keep is None or part.flip is None or value is None:
            return packet.forgetting(part.field)
        return packet.listing(part.field, only((value & part.keep) ^ part.flip))

    def _rewritten(self, part: r.Rewrite, packet: Packet) -> Packet:
        """As the kernel writes it in: the sender's side or the receiver's."""
        field, port, bits = (packet.source, "th sport", SNAT) if part.source else (packet.destination, "th dport", DNAT)
        written = (part.address,) if part.address is not None else self._own(part, packet)
        after = packet.forgetting(field, port) if part.chosen else packet.listing(field, written) if written else packet.forgetting(field)
        if part.port is not None:
            after = after.listing(port, (part.port,))
        status = single(after.possible("ct status") or ())
        return after.listing("ct status", only(status | bits)) if status is not None else after

    def _own(self, part: r.Rewrite, packet: Packet) -> Spans:
        """What masquerade and redirect take: an address of the device that the packet leaves or comes in by."""
        link = self._node.link(packet.names.get("oifname" if part.source else "iifname", ""))
        own = (own for own in (link.addresses if link is not None else ()) if own.family == packet.family and own.scope == "global")
        return spans(pair for address in own for pair in network(address.address))


def acts(part: r.Part) -> bool:
    """Whether it does something with a packet, and does not only ask or look."""
    return not isinstance(part, Question | r.Proceed)


def _targets(node: Node, chain: Chain, rule: Rule) -> Iterator[str]:
    for part in rule.parts:
        if isinstance(part, r.Jump):
            yield part.chain
        elif isinstance(part, r.VerdictMap):
            for element in View(node).elements(part, chain) or ():
                if isinstance(element.verdict, r.Jump):
                    yield element.verdict.chain


def _chain_named(node: Node, near: Chain, name: str) -> Chain | None:
    return next(
        (own for own in (*node.chains, *node.legacy) if (own.family, own.table, own.name, own.engine) == (near.family, near.table, name, near.engine)), None
    )
