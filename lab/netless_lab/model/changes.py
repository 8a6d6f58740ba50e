"""What can change between two snapshots, as data: one frozen type for each kind of change, holding the snapshot's own objects.

Everything about a change is derived from these, each in one place: its sentence (``telling``) and the commands that bring it about
(``primitives/retell``). What takes changes back is the difference of the same two snapshots the other way round.
Those of the firewall are in ``netfilter/changes``.
"""

from __future__ import annotations

from typing import Final, Literal

from .change_base import Difference
from .netfilter.changes import FirewallChange, XtablesChanged
from .snapshot import Address, FdbEntry, Link, Listener, Name, Neighbour, Node, PolicyRule, Route


class NodeAppeared(Difference, frozen=True, tag="node-appeared"):
    """A namespace that was not there; ``state`` is all that is in it."""

    state: Node


class NodeVanished(Difference, frozen=True, tag="node-vanished"):
    """A namespace went; ``state`` is all that was in it."""

    state: Node


class NodeReplaced(Difference, frozen=True, tag="node-replaced"):
    """Another namespace is called as one that is gone."""

    before: Node
    after: Node


class NodeRenamed(Difference, frozen=True, tag="node-renamed"):
    """The same namespace under another name."""

    before: str


class NameAdded(Difference, frozen=True, tag="name-added"):
    """An entry of /run/netns. ``node`` is "" when it leads to no namespace, "a namespace" when to one that is no node."""

    name: Name


class NameRemoved(Difference, frozen=True, tag="name-removed"):
    """An entry of /run/netns went. ``node`` is "" when it led to nothing that is there now."""

    name: Name


class NameMoved(Difference, frozen=True, tag="name-moved"):
    """An entry of /run/netns leads to ``node`` now, and led to ``earlier``."""

    before: Name
    after: Name
    earlier: str


class NameBroken(Difference, frozen=True, tag="name-broken"):
    """An entry of /run/netns led to ``node`` and leads nowhere now."""

    before: Name
    after: Name


class CableAdded(Difference, frozen=True, tag="cable-added"):
    """Both ends of a veth: ``link`` in ``node``, ``far`` in ``far_node``."""

    link: Link
    far_node: str
    far: Link


class CableRemoved(Difference, frozen=True, tag="cable-removed"):
    """Both ends of a veth are gone."""

    link: Link
    far_node: str
    far: Link


class LinkAdded(Difference, frozen=True, tag="link-added"):
    """A link that is no whole cable."""

    link: Link


class LinkRemoved(Difference, frozen=True, tag="link-removed"):
    """A link that was no whole cable is gone."""

    link: Link


class LinkMoved(Difference, frozen=True, tag="link-moved"):
    """A link left ``origin`` and is in ``node`` now, perhaps under another name."""

    origin: str
    before: Link
    after: Link


class LinkRenamed(Difference, frozen=True, tag="link-renamed"):
    """A link has another name."""

    before: str
    after: str


class LinkWentUp(Difference, frozen=True, tag="link-up"):
    """A link was switched on."""

    link: Link


class LinkWentDown(Difference, frozen=True, tag="link-down"):
    """A link was switched off."""

    link: Link


class CarrierChanged(Difference, frozen=True, tag="carrier"):
    """A link's cable came alive or died; ``cause`` is the far end that did it, "" when it was the link itself."""

    link: Link
    cause: str


class PortJoined(Difference, frozen=True, tag="port-joined"):
    """A link is a port of ``bridge`` now, and was one of ``earlier`` ("": of none). ``pinned`` is the bridge's MAC where it is not what
    its ports give it: somebody has set it.
    """

    link: str
    bridge: str
    earlier: str = ""
    pinned: str = ""


class PortLeft(Difference, frozen=True, tag="port-left"):
    """A link is no port of ``bridge`` any more."""

    link: str
    bridge: str


class PortStateChanged(Difference, frozen=True, tag="port-state"):
    """A bridge passes frames of a port, or does not."""

    link: Link
    before: str
    after: str


Setting = Literal[
    "MAC", "MTU", "stp", "arp", "promisc", "mode", "alias", "altnames", "vxlan", "programs", "options",
    "hairpin", "isolated", "learning", "flood", "broadcast", "locked",
]  # fmt: skip
"""What of a link can be set; those of the second line are of a bridge's port."""


class LinkSet(Difference, frozen=True, tag="link-setting"):
    """One setting of a link is another."""

    setting: Setting
    before: Link
    after: Link


class AddressAdded(Difference, frozen=True, tag="address-added"):
    """A link has one address more."""

    link: str
    address: Address


class AddressRemoved(Difference, frozen=True, tag="address-removed"):
    """A link has one address less."""

    link: str
    address: Address


class AddressReady(Difference, frozen=True, tag="address-ready"):
    """Nobody else has this IPv6 address."""

    link: str
    address: Address


class AddressDuplicate(Difference, frozen=True, tag="address-duplicate"):
    """Somebody else has this IPv6 address."""

    link: str
    address: Address


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


Change = (
    NodeAppeared | NodeVanished | NodeReplaced | NodeRenamed | NameAdded | NameRemoved | NameMoved | NameBroken
    | CableAdded | CableRemoved | LinkAdded | LinkRemoved | LinkMoved | LinkRenamed | LinkWentUp | LinkWentDown | CarrierChanged
    | PortJoined | PortLeft | PortStateChanged | LinkSet | AddressAdded | AddressRemoved | AddressReady | AddressDuplicate
    | RouteAdded | RouteRemoved | RouteChanged | RouteLinkState | PolicyRuleAdded | PolicyRuleRemoved
    | NeighbourLearned | NeighbourChanged | NeighbourStateChanged | NeighbourFailed | NeighbourForgotten | NeighbourSet | NeighbourUnset
    | FdbLearned | FdbMoved | FdbForgotten | FdbSet | FdbUnset | FirewallChange | XtablesChanged
    | ForwardingChanged | SysctlChanged | ResolversChanged | ListenerOpened | ListenerClosed
)  # fmt: skip
"""Any change."""

_CONSEQUENCES = (
    CarrierChanged, PortStateChanged, RouteLinkState, AddressReady, NeighbourFailed, NeighbourStateChanged,
    NeighbourLearned, NeighbourChanged, NeighbourForgotten, FdbLearned, FdbMoved, FdbForgotten,
)  # fmt: skip


_BY_TIMER: Final = frozenset({"reachable", "stale", "delay", "probe"})
"""States between which the kernel's timers (NUD) move an entry whose neighbour answers; whoever is used goes round them every half minute."""


def worth_telling(change: Change) -> bool:
    """Whether a change is told at all: a neighbour that is known as before is the kernel's bookkeeping, as counters are."""
    return not (isinstance(change, NeighbourStateChanged) and {change.before.state, change.after.state} <= _BY_TIMER)


def done_by_somebody(change: Change) -> bool:
    """Whether a change is somebody's doing, and not the consequence of one or of a packet."""
    return not change.quiet and not isinstance(change, _CONSEQUENCES)
