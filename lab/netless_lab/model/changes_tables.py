"""Changes of a node's tables: routes, neighbours, MACs, firewall, settings, name servers, listeners (see ``changes``)."""

from __future__ import annotations

from typing import Literal

from .change_base import Difference
from .netfilter.rules import Element, NamedSet
from .snapshot import Chain, FdbEntry, Listener, Neighbour, PolicyRule, Route, Rule


class RouteAdded(Difference, frozen=True, tag="route-added"):
    """One route more."""

    route: Route


class RouteRemoved(Difference, frozen=True, tag="route-removed"):
    """One route less."""

    route: Route


class RouteChanged(Difference, frozen=True, tag="route-changed"):
    """Another way to the same destination, in the same table with the same metric."""

    before: Route
    after: Route


class RouteLinkState(Difference, frozen=True, tag="route-linkdown"):
    """The link of a route lost its carrier, or has it again."""

    route: Route


class PolicyRuleAdded(Difference, frozen=True, tag="policy-added"):
    """One ``ip rule`` more."""

    rule: PolicyRule


class PolicyRuleRemoved(Difference, frozen=True, tag="policy-removed"):
    """One ``ip rule`` less."""

    rule: PolicyRule


class NeighbourLearned(Difference, frozen=True, tag="neighbour-learned"):
    """Somebody answered."""

    entry: Neighbour


class NeighbourChanged(Difference, frozen=True, tag="neighbour-changed"):
    """Somebody else answered."""

    before: Neighbour
    after: Neighbour


class NeighbourStateChanged(Difference, frozen=True, tag="neighbour-state"):
    """What is known of a neighbour aged, or was confirmed."""

    before: Neighbour
    after: Neighbour


class NeighbourFailed(Difference, frozen=True, tag="neighbour-failed"):
    """Nobody answered."""

    entry: Neighbour


class NeighbourForgotten(Difference, frozen=True, tag="neighbour-forgotten"):
    """What was learned of a neighbour is gone."""

    entry: Neighbour


class NeighbourSet(Difference, frozen=True, tag="neighbour-set"):
    """An entry was made by hand, perhaps in place of ``before``."""

    entry: Neighbour
    before: Neighbour | None = None


class NeighbourUnset(Difference, frozen=True, tag="neighbour-unset"):
    """An entry made by hand is gone; ``after`` is what is known instead."""

    entry: Neighbour
    after: Neighbour | None = None


class FdbLearned(Difference, frozen=True, tag="fdb-learned"):
    """A bridge learned from a frame where a MAC is."""

    entry: FdbEntry


class FdbMoved(Difference, frozen=True, tag="fdb-moved"):
    """A bridge learned that a MAC is elsewhere now."""

    before: FdbEntry
    after: FdbEntry


class FdbForgotten(Difference, frozen=True, tag="fdb-forgotten"):
    """What a bridge had learned is gone."""

    entry: FdbEntry


class FdbSet(Difference, frozen=True, tag="fdb-set"):
    """A bridge was told where a MAC is."""

    entry: FdbEntry


class FdbUnset(Difference, frozen=True, tag="fdb-unset"):
    """What a bridge was told is gone."""

    entry: FdbEntry


# --- firewall. ``chain`` is where a rule is, without its rules; a place counts from 0


class TableAdded(Difference, frozen=True, tag="table-added"):
    """A table of nftables, as ``ip lab``."""

    table: str


class TableRemoved(Difference, frozen=True, tag="table-removed"):
    """A table of nftables is gone."""

    table: str


class TableSet(Difference, frozen=True, tag="table-set"):
    """A table with chains is ``dormant`` now, so the kernel asks none of them, or is not any more."""

    table: str
    dormant: bool


class ChainAdded(Difference, frozen=True, tag="chain-added"):
    """A chain; its rules are changes of their own."""

    chain: Chain


class ChainRemoved(Difference, frozen=True, tag="chain-removed"):
    """A chain is gone, and the rules in it with it."""

    chain: Chain


class ChainPolicyChanged(Difference, frozen=True, tag="chain-policy"):
    """Another policy."""

    chain: Chain
    before: str | None
    after: str | None


class SetAdded(Difference, frozen=True, tag="set-added"):
    """A named set or map; its elements are changes of their own."""

    own: NamedSet


class SetRemoved(Difference, frozen=True, tag="set-removed"):
    """A named set or map is gone, and the elements in it with it."""

    own: NamedSet


class SetElementAdded(Difference, frozen=True, tag="set-element-added"):
    """One element more of a named set or map; ``own`` is that without its elements."""

    own: NamedSet
    element: Element


class SetElementRemoved(Difference, frozen=True, tag="set-element-removed"):
    """One element less of a named set or map; ``own`` is that without its elements."""

    own: NamedSet
    element: Element


class RuleAdded(Difference, frozen=True, tag="rule-added"):
    """A rule, at this place of the chain as it is after; ``last`` when none stands behind it."""

    chain: Chain
    rule: Rule
    place: int
    last: bool = True


class RuleRemoved(Difference, frozen=True, tag="rule-removed"):
    """A rule that was at this place of the chain as it was before; ``last`` when none stood behind it."""

    chain: Chain
    rule: Rule
    place: int
    last: bool = True


class RuleChanged(Difference, frozen=True, tag="rule-changed"):
    """A rule was replaced: at ``place_before`` of the chain as it was, ``place_after`` as it is."""

    chain: Chain
    before: Rule
    after: Rule
    place_before: int
    place_after: int


class XtablesChanged(Difference, frozen=True, tag="xtables-changed"):
    """A table of the old iptables holds something else: its chains before and after, none where it was or is out of use."""

    table: str
    before: tuple[Chain, ...]
    after: tuple[Chain, ...]


# --- settings, names, listeners


class ForwardingChanged(Difference, frozen=True, tag="forwarding"):
    """The switch that makes a router of a host; ``name`` is its key in ``Node.sysctls``."""

    name: str
    family: Literal[4, 6]
    before: str
    after: str


class SysctlChanged(Difference, frozen=True, tag="sysctl-changed"):
    """A setting, by its key in ``Node.sysctls``; None where it is not in the snapshot (of a device: where it is as for every other)."""

    name: str
    before: str | None
    after: str | None


class ResolversChanged(Difference, frozen=True, tag="resolver-changed"):
    """A node asks other name servers."""

    before: tuple[str, ...]
    after: tuple[str, ...]


class ListenerOpened(Difference, frozen=True, tag="listener-opened"):
    """A socket waits for clients."""

    listener: Listener


class ListenerClosed(Difference, frozen=True, tag="listener-closed"):
    """A socket waits no more."""

    listener: Listener
