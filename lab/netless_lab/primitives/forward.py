"""The forward hook: what a router lets through (nft(8)). A policy for what no rule speaks of, and accepts before it."""

from __future__ import annotations

from typing import ClassVar

from ..model.snapshot import Chain, Node, Rule, Snapshot
from .base import Action, Dialect, Expectation, Finding, Where, in_host
from .firewall import Packet, Passage, base_chains, through_each
from .lab_table import Policy, add_rule, as_python, delete_rule, drop_table, make_chain
from .look import inside, listed, no_node
from .outline import with_chain, with_rule, without_chain, without_rule
from .quoting import nft_word, word
from .roles import LinkName, NodeName

ESTABLISHED = "established"
ANSWERS = "ct state established,related"


class ForwardPolicy(Action, frozen=True, rename={"policy": "forward-policy", "node": "in"}):
    """``{ forward-policy = "drop" }``: the chain ``forward`` of table ``ip lab``, or a new policy for it."""

    verb: ClassVar[str] = "forward-policy"
    policy: Policy
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        fate = "are dropped" if self.policy == "drop" else "may pass"
        return f"Packets that are only passing through{in_host(self.node)} {fate}, unless a rule says otherwise."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """A base chain of nft(8), or the policy of iptables(8)."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -P FORWARD {self.policy.upper()}"),)
        lines = make_chain(where, self.node, "forward", self.policy)
        return as_python(lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        """Delete the chain."""
        return (UnforwardPolicy(policy=self.policy, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate named firewall, shut or open."""
        return with_chain(snapshot, self.node, Chain("ip", "lab", "forward", "filter", "forward", 0, self.policy))


class UnforwardPolicy(Action, frozen=True, rename={"policy": "unforward-policy", "node": "in"}):
    """``{ unforward-policy = "drop" }``: the chain goes with all its rules, and the table when it is empty then."""

    verb: ClassVar[str] = "unforward-policy"
    policy: Policy = "drop"
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        return f"Packets that are only passing through{in_host(self.node)} are no longer looked at."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``nft delete chain``, or iptables' policy as it is from birth."""
        if dialect == "legacy":
            return (where.run(self.node, "iptables -P FORWARD ACCEPT"),)
        lines = (where.run(self.node, "nft delete chain ip lab forward"), drop_table(where, self.node))
        return as_python(lines) if dialect == "pyroute2" else lines

    def inverse(self) -> tuple[Action, ...]:
        """The chain again, without its rules."""
        return (ForwardPolicy(policy=self.policy, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The gate vanishes."""
        return without_chain(snapshot, self.node, "forward")


class ForwardAccept(Action, frozen=True, rename={"what": "forward-accept", "node": "in"}):
    """``{ forward-accept = "established" }``: answers to what was let through; ``{ forward-accept = "br0" }``: all that comes from br0."""

    verb: ClassVar[str] = "forward-accept"
    what: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        if self.what == ESTABLISHED:
            return f"Let answers through{in_host(self.node)}: packets of conversations that are known already."
        return f"Let everything through{in_host(self.node)} that comes from {self.what}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """One rule."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -A FORWARD {_iptables(self.what)} -j ACCEPT"),)
        line = add_rule(where, self.node, "forward", f"{_match(self.what)} counter accept")
        return as_python((line,)) if dialect == "pyroute2" else (line,)

    def inverse(self) -> tuple[Action, ...]:
        """Delete the rule."""
        return (UnforwardAccept(what=self.what, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One rule more in the chain."""
        rule = Rule(0, f"{_match(self.what)} counter accept", (condition(self.what),), "accept")
        return with_rule(snapshot, self.node, "forward", rule)


class UnforwardAccept(Action, frozen=True, rename={"what": "unforward-accept", "node": "in"}):
    """``{ unforward-accept = "br0" }``."""

    verb: ClassVar[str] = "unforward-accept"
    what: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        """What happens, in one sentence."""
        what = "answers" if self.what == ESTABLISHED else f"what comes from {self.what}"
        return f"No longer let {what} through{in_host(self.node)} by a rule of its own."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """nft deletes by handle; iptables by the same words."""
        if dialect == "legacy":
            return (where.run(self.node, f"iptables -D FORWARD {_iptables(self.what)} -j ACCEPT"),)
        line = delete_rule(where, self.node, "forward", _match(self.what))
        return as_python((line,)) if dialect == "pyroute2" else (line,)

    def inverse(self) -> tuple[Action, ...]:
        """The rule again, at the end of the chain."""
        return (ForwardAccept(what=self.what, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One rule less in the chain."""
        return without_rule(snapshot, self.node, "forward", condition(self.what), tidy=False)


class PolicyIs(Expectation, frozen=True, rename={"policy": "forward-policy", "node": "in"}):
    """``{ forward-policy = "drop" }``: a stranger's packet dies at the forward hook; ``accept``: no chain there stops it."""

    verb: ClassVar[str] = "forward-policy"
    policy: Policy
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """A base chain with that policy, or with a last rule that drops all the rest."""
        shut = self.policy == "drop"
        claim = f"packets passing through{inside(self.node)} are {'dropped' if shut else 'let through'} unless a rule says otherwise"
        expected = f"{'a' if shut else 'no'} chain at the forward hook with policy drop"
        look = where.run(self.node, "nft list chains ip")
        node = snapshot.node(self.node)
        if node is None:
            return no_node(self.node, claim, expected)
        chains = base_chains(node, "forward", "filter")
        shutting = tuple(chain for chain in chains if _shuts(chain))
        if bool(shutting) == shut:
            return Finding(True, claim)
        words = tuple(f"{chain.table} {chain.name} (policy {'drop' if _shuts(chain) else chain.policy})" for chain in chains)
        return Finding(False, claim, expected, f"forward chains: {listed(words, 'none')}", look, self._near(node))

    def _near(self, node: Node) -> str:
        if self.policy == "drop":
            other = next((chain for chain in node.chains if chain.policy == "drop" and chain.hook in ("input", "output")), None)
            if other is not None:
                return f"{other.name} drops at the hook {other.hook}, which packets passing through never see; theirs is forward."
            if any(chain.policy == "drop" and chain.family == "ip6" and chain.hook == "forward" for chain in node.chains):
                return "That policy is in a table for IPv6; IPv4 packets do not see it."
            if "filter" in node.xtables:
                return "The old iptables (iptables-legacy) holds a filter table here, which netless cannot read: use iptables or nft."
        return ""


class ForwardAccepts(Expectation, frozen=True, rename={"what": "forward-accept", "uplink": "out", "node": "in"}):
    """``{ forward-accept = "established" }`` or ``{ forward-accept = "br0" }``: such packets pass every chain at the hook.

    ``bridge`` and ``out`` say between which two interfaces; not said, any bridge and the way of the default route.
    """

    verb: ClassVar[str] = "forward-accept"
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
        node = snapshot.node(self.node)
        if node is None:
            return no_node(self.node, claim, expected)
        passages = through_each(node, "forward", "filter", self._packet(node))
        stopping = tuple(passage for passage in passages if passage.fate == "drop")
        if not stopping:
            return Finding(True, claim)
        chain = stopping[0].chain
        by = f"its rule `{stopping[0].rule.text}`" if stopping[0].rule else "its policy"
        seen = f"{chain.family} {chain.table} {chain.name} drops them by {by}"
        return Finding(False, claim, expected, seen, look, self._near(node, passages, stopping[0]))

    def _packet(self, node: Node) -> Packet:
        bridge = self.what if self.what != ESTABLISHED else self.bridge or _bridge(node)
        routes = tuple(route for route in node.routes if route.dst == "default" and route.family == 4)
        out = self.uplink or next((route.dev for route in routes if route.dev), "eth0")
        link = node.link(bridge)
        inner = _neighbour(link.v4[0].address) if link is not None and link.v4 else "10.0.0.2"
        if self.what == ESTABLISHED:
            return Packet("198.51.100.10", inner, out, bridge, ESTABLISHED, "icmp")
        return Packet(inner, "198.51.100.10", bridge, out, "new", "icmp")

    def _near(self, node: Node, passages: tuple[Passage, ...], stopping: Passage) -> str:
        for passage in passages:
            if passage is not stopping and passage.fate == "pass" and passage.rule is not None:
                return (
                    f"{passage.chain.table} {passage.chain.name} accepts them, but an accept ends only its own chain; "
                    f"{stopping.chain.table} {stopping.chain.name} still drops. Put the accept there."
                )
        if stopping.rule is not None and any(rule.verdict == "accept" for rule in stopping.chain.rules):
            return "The drop stands before the accept: rules are tried from the top, and the first that fits decides."
        for chain in node.chains:
            if chain.hook in ("input", "output") and any(_speaks_of(rule, self.what) for rule in chain.rules):
                return f"There is such a rule at the hook {chain.hook}; packets passing through see only forward."
        for rule in stopping.chain.rules:
            if self.what == ESTABLISHED and any(key == "ct state" and ESTABLISHED in value for key, _, value in rule.matches):
                return "There is a rule for answers, but something else in it does not fit them."
            if any(key == "oifname" and operator == "==" and value == self.what for key, operator, value in rule.matches):
                return f"There is a rule for packets that go out by {self.what} (oifname); these come in by it (iifname)."
        if stopping.unsure:
            return "A rule of this chain holds something netless cannot read; the probes will tell."
        return ""


def condition(what: str) -> tuple[str, str, str]:
    """The one condition of an accept, as a snapshot's rule holds it."""
    return ("ct state", "in", "established,related") if what == ESTABLISHED else ("iifname", "==", what)


def _match(what: str) -> str:
    return ANSWERS if what == ESTABLISHED else f"iifname {nft_word(what)}"


def _iptables(what: str) -> str:
    return "-m conntrack --ctstate RELATED,ESTABLISHED" if what == ESTABLISHED else f"-i {word(what)}"


def _shuts(chain: Chain) -> bool:
    last = chain.rules[-1] if chain.rules else None
    return chain.policy == "drop" or (
        last is not None and not last.matches and not last.opaque and last.verdict.partition(" ")[0] in ("drop", "reject")
    )


def _speaks_of(rule: Rule, what: str) -> bool:
    if rule.verdict != "accept":
        return False
    if what == ESTABLISHED:
        return any(key == "ct state" and ESTABLISHED in value for key, _, value in rule.matches)
    return any(key == "iifname" and value == what for key, _, value in rule.matches)


def _bridge(node: Node) -> str:
    return next((link.name for link in node.links if link.kind == "bridge"), "br0")


def _neighbour(address: str) -> str:
    """Another address of the same network, for a packet's sake."""
    head, _, last = address.rpartition(".")
    return f"{head}.{int(last) + 1 if int(last) < 254 else int(last) - 1}"
