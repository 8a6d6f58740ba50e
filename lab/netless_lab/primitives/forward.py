"""The forward hook: what a router lets through (nft(8)). A policy for what no rule speaks of, and accepts before it."""

from __future__ import annotations

from itertools import dropwhile
from typing import ClassVar

from msgspec.structs import replace

from ..model.gates import beyond, uplinks, ways_out
from ..model.netfilter.packet import ICMP, STATES, TCP, UDP, Packet, answer, common, first, network, only, spans
from ..model.netfilter.rules import Accept, Condition, Drop, Names, Numbers, Part
from ..model.netfilter.run import FAMILIES, Way, always, at_chain, base_chains, run, through
from ..model.netfilter.translation import translates
from ..model.snapshot import Node, Rule, Snapshot
from .base import Action, CannotTell, Dialect, Expectation, Finding, Met, NotMet, Where, as_python, in_host
from .doors import ESTABLISHED, LESSONS, AcceptIn, accept, condition, doors, iptables_match, let_through, match, told
from .lab_table import BORN, TABLE, Policy, add_rule, delete_rule, drop_table, free_name, make_chain
from .look import adrift, hosts, inside, listed, no_node, of_kind, place, place_of, stopped, undecided
from .outline import with_chain, with_rule, without_chain, without_rule
from .roles import LinkName, NodeName

_PORTS = ((1, 65535),)
_NOBODY = "?"
"""A device that no node has."""
STRANGER = first(source=network("192.0.2.1"), destination=network("192.0.2.2"), protocol=253).between("?in", "?out")
"""A packet that no rule speaks of: of a protocol for experiments (RFC 3692), between addresses for examples (RFC 5737), by devices that are none."""


class ForwardPolicy(Action, frozen=True, rename={"policy": "forward-policy", "node": "in"}):
    """``{ forward-policy = "drop" }``: a base chain of table ``ip lab``, or a new policy for it.

    ``chain`` is how it is called: otherwise than ``forward`` only where something else is called so.
    """

    policy: Policy
    node: NodeName = "host"
    chain: str = BORN["forward"].name

    def sentence(self) -> str:
        fate = "are dropped" if self.policy == "drop" else "may pass"
        return f"Packets that are only passing through{in_host(self.node)} {fate}, unless a rule says otherwise."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """A base chain of nft(8), or the policy of iptables(8)."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -P FORWARD {self.policy.upper()}"),)
        lines = make_chain(where, self.node, "forward", self.policy, self.chain)
        return as_python(*lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        return (UnforwardPolicy(policy=self.policy, node=self.node, chain=self.chain),)

    def placed(self, snapshot: Snapshot) -> ForwardPolicy:
        """Under a name that is free for it."""
        return replace(self, chain=free_name(snapshot, self.node, "forward"))

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate named firewall, shut or open."""
        return with_chain(snapshot, self.node, replace(BORN["forward"], name=self.chain, policy=self.policy))


class UnforwardPolicy(Action, frozen=True, rename={"policy": "unforward-policy", "node": "in"}):
    """``{ unforward-policy = "drop" }``: the chain goes with all its rules, and the table when it is empty then."""

    policy: Policy = "drop"
    node: NodeName = "host"
    chain: str = BORN["forward"].name

    def sentence(self) -> str:
        return f"Packets that are only passing through{in_host(self.node)} are no longer looked at."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``nft delete chain``, or iptables' policy as it is from birth."""
        if dialect == "legacy":
            return (where.run(self.node, "iptables -P FORWARD ACCEPT"),)
        lines = (where.run(self.node, f"nft delete chain {TABLE} {self.chain}"), drop_table(where, self.node))
        return as_python(*lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        """The chain again, without its rules."""
        return (ForwardPolicy(policy=self.policy, node=self.node, chain=self.chain),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate vanishes."""
        return without_chain(snapshot, self.node, f"{TABLE} {self.chain}")


class ForwardAccept(Action, frozen=True, rename={"what": "forward-accept", "node": "in"}):
    """``{ forward-accept = "established" }``: answers to what was let through; ``{ forward-accept = "br0" }``: all that comes from br0.

    By itself it speaks of the chain that the lessons make.
    """

    what: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return let_through(self.what, self.node)

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """One rule."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -A FORWARD {iptables_match(self.what)} -j ACCEPT"),)
        line = add_rule(where, self.node, LESSONS.nft_chain, f"{match(self.what)} counter accept")
        return as_python(line) if dialect == "pyroute2" else (line,)

    def inverse(self) -> tuple[Action, ...]:
        return (UnforwardAccept(what=self.what, node=self.node),)

    def placed(self, snapshot: Snapshot) -> Action:
        """In the chains that drop such packets, whoever made them; where none does, in the chain of the lessons, which is made when it is not there."""
        if (node := snapshot.node(self.node)) is None:
            return self
        wanted = ForwardAccepts(what=self.what, node=self.node)
        shut = doors(node, (asked for name in wanted.inner(node) for _, asked in wanted.asked(node, name)))
        if shut:
            return AcceptIn(self.what, self.node, shut)
        name = free_name(snapshot, self.node, "forward")
        there = any(place_of(own) == f"{TABLE} {name}" for own in node.chains)
        return self if there and name == LESSONS.chain else AcceptIn(self.what, self.node, (replace(LESSONS, chain=name, born=not there),))

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One rule more in the chain."""
        return with_rule(snapshot, self.node, LESSONS.nft_chain, accept(self.what))


class UnforwardAccept(Action, frozen=True, rename={"what": "unforward-accept", "node": "in"}):
    """``{ unforward-accept = "br0" }``."""

    what: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"No longer let {told(self.what)} through{in_host(self.node)} by a rule of its own."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """nft deletes by handle; iptables by the same words."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -D FORWARD {iptables_match(self.what)} -j ACCEPT"),)
        line = delete_rule(where, self.node, LESSONS.nft_chain, match(self.what))
        return as_python(line) if dialect == "pyroute2" else (line,)

    def inverse(self) -> tuple[Action, ...]:
        """The rule again, at the end of the chain."""
        return (ForwardAccept(what=self.what, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One rule less in the chain."""
        return without_rule(snapshot, self.node, LESSONS.nft_chain, condition(self.what), tidy=False)


class PolicyIs(Expectation, frozen=True, rename={"policy": "forward-policy", "node": "in"}):
    """``{ forward-policy = "drop" }``: a stranger's packet dies at the forward hook; ``accept``: no chain there stops it."""

    passing: ClassVar[bool] = True
    policy: Policy
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """A base chain with that policy, or with a last rule that drops all the rest."""
        shut = self.policy == "drop"
        claim = f"packets passing through{inside(self.node)} are {'dropped' if shut else 'let through'} unless a rule says otherwise"
        expected = f"{'a' if shut else 'no'} chain at the forward hook with policy drop"
        look = where.run(self.node, "nft list chains")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        ways = run(node, "forward", STRANGER)
        held = always(ways, lambda way: way.end == ("drop" if shut else "accept"))
        if held:
            return Met(claim)
        if held is None:
            return CannotTell(claim, expected, undecided(ways), look)
        return NotMet(claim, expected, self._seen(node, ways), look, self._near(snapshot, node))

    def _seen(self, node: Node, ways: tuple[Way, ...]) -> str:
        let_by = next((way for way in ways if way.end == "accept" and way.rule is not None and way.chain is not None), None)
        if self.policy == "drop" and let_by is not None and let_by.chain is not None and let_by.rule is not None:
            what = "packets that should find no rule" if any(isinstance(part, Condition) for part in let_by.rule.parts) else "any packet"
            return f"{place_of(let_by.chain)} lets {what} by with its rule `{let_by.rule.text}`"
        chains = base_chains(node, "forward", FAMILIES[4])
        dropping = {id(way.chain) for way in ways if way.end == "drop"}
        words = tuple(f"{place_of(chain)} (policy {'drop' if id(chain) in dropping else chain.policy})" for chain in chains)
        return f"forward chains: {listed(words, 'none')}"

    def _near(self, snapshot: Snapshot, node: Node) -> str:
        if self.policy != "drop":
            return ""
        other = next((chain for chain in node.chains if chain.policy == "drop" and chain.hook in ("input", "output", "prerouting", "postrouting")), None)
        if other is not None and other.hook in ("input", "output"):
            return f"{other.name} drops at the hook {other.hook}, which packets passing through never see; theirs is forward."
        if other is not None:
            return f"{other.name} drops at the hook {other.hook}, where more comes by than what is passing through; for that alone there is forward."
        if any(chain.policy == "drop" and chain.family == "ip6" and chain.hook == "forward" for chain in node.chains):
            return "That policy is in a table for IPv6; IPv4 packets do not see it."
        asleep = next((chain for chain in node.chains if chain.dormant and chain.hook == "forward"), None)
        if asleep is not None:
            return f"The table of {place_of(asleep)} is dormant: the kernel asks none of its chains."
        if any(_drops(rule) for chain in base_chains(node, "forward", FAMILIES[4]) for rule in chain.rules):
            return "Its rules drop some packets. What no rule speaks of is up to the policy, and that lets it by."
        if unasked := adrift(node, _drops):
            return unasked
        for elsewhere in snapshot.nodes:
            if elsewhere.role == "container" and elsewhere.netns != node.netns and always(run(elsewhere, "forward", STRANGER), lambda way: way.end == "drop"):
                return f"Such a chain is in {elsewhere.name}; but the packets pass through {place(node)}, which has a firewall of its own."
        return ""


class ForwardAccepts(Expectation, frozen=True, rename={"what": "forward-accept", "uplink": "out", "node": "in"}):
    """``{ forward-accept = "established" }`` or ``{ forward-accept = "br0" }``: such packets pass every chain at the hook. Answers pass by a rule
    of their own: one that lets in whoever begins a conversation from outside is none for them.

    ``bridge`` and ``out`` say between which two interfaces; not said, any bridge and the way of the default route.
    """

    passing: ClassVar[bool] = True
    what: LinkName
    node: NodeName = "host"
    bridge: LinkName | None = None
    uplink: LinkName | None = None

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """One packet through each base chain: an accept is final only in the chain it stands in."""
        what = "answers" if self.what == ESTABLISHED else f"packets from {self.what}"
        claim = f"{what} may pass through{inside(self.node)}"
        expected = f"every chain at the forward hook accepts {what}"
        look = where.run(self.node, "nft list ruleset")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        found = [self._check_from(node, name, claim, expected, look) for name in self.inner(node)]
        if any(isinstance(own, Met) for own in found) and not all(isinstance(own, Met) for own in found):
            return CannotTell(claim, expected, "its rules let them by for some of the networks behind it and not for others", look)
        return found[0]

    def _check_from(self, node: Node, name: str, claim: str, expected: str, look: str) -> Finding:
        """What becomes of them where conversations come in by this device."""
        every = self.asked(node, name)
        for request, asked in every:
            ways = self._ways(node, request, asked)
            held = always(ways, _passes)
            if held is False and any(way.sure and _passes(way) for way in ways) and self._hangs_on_where(node, request):
                return CannotTell(claim, expected, "its rules let some addresses by and others not", look)
            if held is None:
                return CannotTell(claim, expected, undecided(ways), look)
            if not held:
                stopping = next(way for way in ways if way.sure and not _passes(way))
                others = any(way.sure and _passes(way) for first_one, own in every if own is not asked for way in self._ways(node, first_one, own))
                stopped_here = self._stopped(node, asked, stopping, NotMet(claim, expected, "", look), others=others)
                if node.link(name) is not None:
                    return stopped_here
                here = inside(self.node)
                missing = f"no {name}{here}" if name != _NOBODY else f"no bridge{here}, nor another device with a network behind it"
                return replace(stopped_here, seen=f"there is {missing}, so no such packets pass through")
        return self._strangers(node, name, look) or Met(claim)

    def _strangers(self, node: Node, name: str, look: str) -> NotMet | None:
        """Where all that comes in by the way out passes, and what no rule speaks of does not: it is a rule that lets strangers in with the answers."""
        if self.what != ESTABLISHED or not always(run(node, "forward", STRANGER), lambda way: way.end == "drop"):
            return None
        begun = [answer(request, translated=False).beginning() for request, _ in self.asked(node, name)]
        if not all(always(through(node, ("prerouting", "forward", "postrouting"), packet), _passes) for packet in begun):
            return None
        rules = {id(way.rule): (base, way.rule) for base in base_chains(node, "forward", FAMILIES[4]) for way in at_chain(node, base, "forward", begun[0]) if way.rule}
        by = listed(tuple(f"{place_of(base)} with `{rule.text}`" for base, rule in rules.values()), "the rules")
        out = begun[0].names.get("iifname", "")
        return NotMet(
            f"answers, and no strangers, may pass through{inside(self.node)}",
            "a rule that accepts answers, and none that accepts what begins outside",
            f"strangers come in by {out} as well: {by}",
            look,
            "That rule lets in new conversations from outside too. An answer is told by its `ct state`, established or related: take the wide rule away and"
            " accept those.",
        )

    def inner(self, node: Node) -> tuple[str, ...]:
        """The devices by which conversations come in that are asked about: the bridges, where there are any, else all that lead to others than the way out
        does. Of bridges those that have somebody behind them: ports, and an address for who is there to send to; where none has both, those with either.
        """
        if self.what != ESTABLISHED:
            return (self.what,)
        if self.bridge is not None:
            return (self.bridge,)
        out = uplinks(node)
        bridges = [link for link in node.links if link.kind == "bridge" and link.name not in out]
        plugged = {link.master for link in node.links}
        behind = [bool(link.v4) + (link.name in plugged) for link in bridges]
        if bridges:
            return tuple(link.name for link, most in zip(bridges, behind, strict=True) if most == max(behind))
        return tuple(link.name for link in node.links if link.v4 and link.kind != "loopback" and link.name not in out) or (_NOBODY,)

    def _stopped(self, node: Node, asked: Packet, stopping: Way, found: NotMet, *, others: bool) -> NotMet:
        if stopping.chain is None:
            seen = "they pass conntrack by (notrack), so it knows none of them for an answer and does not undo NAT"
            return replace(found, seen=seen)
        if stopping.chain.engine == "legacy":
            found = replace(found, look=found.look.replace("nft list ruleset", f"iptables-legacy -t {stopping.chain.table} -vL"))
        seen = f"{stopped(stopping, asked)}{of_kind(stopping, asked, others=others)}"
        return replace(found, seen=seen, near=self._near(node, asked, stopping))

    def asked(self, node: Node, name: str) -> tuple[tuple[Packet, Packet], ...]:
        """The first packets of conversations with somebody beyond, of each protocol, and of each the one that is asked about."""
        inner = node.link(name)
        out = self.uplink or next(iter(ways_out(node, name)), "?")
        source = (hosts(inner) if inner is not None else ()) or None
        found = []
        for protocol in (ICMP, TCP, UDP):
            request = first(source=source, destination=beyond(node), protocol=protocol).between(name, out)
            if protocol != ICMP:
                request = request.listing("th sport", _PORTS).listing("th dport", _PORTS)
            found.append((request, request if self.what != ESTABLISHED else answer(request, translated=translates(node, request))))
        return tuple(found)

    def _ways(self, node: Node, request: Packet, asked: Packet) -> tuple[Way, ...]:
        """What becomes of it. An answer comes in addressed as the request left, and when conntrack knows it NAT is undone before the forward hook."""
        if self.what != ESTABLISHED:
            return through(node, ("prerouting", "forward", "postrouting"), asked)
        written = translates(node, request)
        link = node.link(asked.names.get("iifname", ""))
        own = spans(pair for address in (link.v4 if link is not None else ()) for pair in network(address.address))
        arriving = asked.listing(asked.destination, own) if written and own else asked
        found: list[Way] = []
        for way in through(node, ("prerouting",), arriving):
            if way.end != "accept":
                found.append(way)
                continue
            if written and not way.packet.tracked:
                found.append(replace(way, end="drop", chain=None, rule=None))
                continue
            carried = {field: way.packet.numbers[field] for field in ("ct state", "meta mark", "ct mark") if field in way.packet.numbers}
            inside_it = replace(asked, numbers={**asked.numbers, **carried})
            found += (replace(after, doubts=(*way.doubts, *after.doubts)) for after in run(node, "forward", inside_it))
        return tuple(found)

    def _hangs_on_where(self, node: Node, request: Packet) -> bool:
        """Whether what stops them asks where they come from or go to, beyond."""
        anywhere = request.forgetting(request.destination)
        asked = anywhere if self.what != ESTABLISHED else answer(anywhere, translated=translates(node, anywhere))
        return always(self._ways(node, anywhere, asked), _passes) is None

    def _near(self, node: Node, asked: Packet, stopping: Way) -> str:
        where = stopping.chain
        assert where is not None
        for base in base_chains(node, "forward", FAMILIES[4]):
            ways = at_chain(node, base, "forward", asked)
            if where.hook == "forward" and base is not where and all(way.end == "accept" and way.rule is not None for way in ways):
                return (
                    f"{base.table} {base.name} accepts them, but an accept ends only its own chain; "
                    f"{where.table} {where.name} still drops. Put the accept there."
                )
        port = next((link for link in node.links if link.master == self.what and any(_speaks_of(rule, link.name) for rule in where.rules)), None)
        if port is not None:
            return f"{port.name} is a port of {self.what}: what the bridge hands up to the host comes in by {self.what}."
        behind = (rule for rule in dropwhile(lambda rule: rule is not stopping.rule, where.rules) if Accept() in rule.parts)
        if any(always(at_chain(node, replace(where, rules=(rule,), policy="drop"), "forward", asked), _passes) for rule in behind):
            return "The drop stands before the accept: rules are tried from the top, and the first that fits decides."
        for chain in node.chains:
            if chain.hook in ("input", "output") and any(_speaks_of(rule, self.what) for rule in chain.rules):
                return f"There is such a rule at the hook {chain.hook}; packets passing through see only forward."
        for rule in where.rules:
            if self.what == ESTABLISHED and _of_answers(rule):
                return "There is a rule for answers, but something else in it does not fit them."
            if self.what != ESTABLISHED and _speaks_of(rule, self.what) and not any(_is(part, "oifname", self.what) for part in rule.parts):
                return f"There is a rule for {self.what}, but something else in it does not fit them all."
            if any(_is(part, "oifname", self.what) for part in rule.parts):
                return f"There is a rule for packets that go out by {self.what} (oifname); these come in by it (iifname)."
        return adrift(node, lambda rule: _speaks_of(rule, self.what))


def _passes(way: Way) -> bool:
    return way.end == "accept"


def _drops(rule: Rule) -> bool:
    return any(isinstance(part, Drop) for part in rule.parts)


def _speaks_of(rule: Rule, what: str) -> bool:
    return Accept() in rule.parts and (_of_answers(rule) if what == ESTABLISHED else any(_is(part, "iifname", what) for part in rule.parts))


def _of_answers(rule: Rule) -> bool:
    """Whether established packets meet its condition on the state, if it has one."""
    for part in rule.parts:
        if isinstance(part, Condition) and part.field == "ct state" and isinstance(part.values, Numbers):
            cut = STATES["established"] if part.values.mask is None else STATES["established"] & part.values.mask
            if bool(common(only(cut), part.values.spans)) != part.negated:
                return True
    return False


def _is(part: Part, field: str, device: str) -> bool:
    return isinstance(part, Condition) and part.field == field and not part.negated and isinstance(part.values, Names) and part.values.hold(device)
