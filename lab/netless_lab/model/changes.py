"""What can change between two snapshots, as data: one frozen type for each kind of change, holding the snapshot's own objects.

Everything about a change is derived from these, each in one place: its sentence (``telling``) and the commands that bring it about
(``primitives/retell``). What takes changes back is the difference of the same two snapshots the other way round.
"""

from __future__ import annotations

from .changes_links import (  # fmt: skip
    AddressAdded,
    AddressDuplicate,
    AddressReady,
    AddressRemoved,
    CableAdded,
    CableRemoved,
    CarrierChanged,
    LinkAdded,
    LinkMoved,
    LinkRemoved,
    LinkRenamed,
    LinkSet,
    LinkWentDown,
    LinkWentUp,
    NameAdded,
    NameBroken,
    NameMoved,
    NameRemoved,
    NodeAppeared,
    NodeRenamed,
    NodeReplaced,
    NodeVanished,
    PortJoined,
    PortLeft,
    PortStateChanged,
    Setting,
)
from .changes_tables import (  # fmt: skip
    ChainAdded,
    ChainPolicyChanged,
    ChainRemoved,
    FdbForgotten,
    FdbLearned,
    FdbMoved,
    FdbSet,
    FdbUnset,
    ForwardingChanged,
    ListenerClosed,
    ListenerOpened,
    NeighbourChanged,
    NeighbourFailed,
    NeighbourForgotten,
    NeighbourLearned,
    NeighbourSet,
    NeighbourStateChanged,
    NeighbourUnset,
    PolicyRuleAdded,
    PolicyRuleRemoved,
    ResolversChanged,
    RouteAdded,
    RouteChanged,
    RouteLinkState,
    RouteRemoved,
    RuleAdded,
    RuleChanged,
    RuleRemoved,
    SetAdded,
    SetElementAdded,
    SetElementRemoved,
    SetRemoved,
    SysctlChanged,
    TableAdded,
    TableRemoved,
    TableSet,
    XtablesChanged,
)

__all__ = [
    "AddressAdded", "AddressDuplicate", "AddressReady", "AddressRemoved", "CableAdded", "CableRemoved", "CarrierChanged", "ChainAdded",
    "ChainPolicyChanged", "ChainRemoved", "Change", "FdbForgotten", "FdbLearned", "FdbMoved", "FdbSet", "FdbUnset", "ForwardingChanged",
    "LinkAdded", "LinkMoved", "LinkRemoved", "LinkRenamed", "LinkSet", "LinkWentDown", "LinkWentUp", "ListenerClosed", "ListenerOpened",
    "NameAdded", "NameBroken", "NameMoved", "NameRemoved", "NeighbourChanged", "NeighbourFailed", "NeighbourForgotten",
    "NeighbourLearned", "NeighbourSet", "NeighbourStateChanged", "NeighbourUnset", "NodeAppeared", "NodeRenamed", "NodeReplaced",
    "NodeVanished", "PolicyRuleAdded", "PolicyRuleRemoved", "PortJoined", "PortLeft", "PortStateChanged", "ResolversChanged",
    "RouteAdded", "RouteChanged", "RouteLinkState", "RouteRemoved", "RuleAdded", "RuleChanged", "RuleRemoved",
    "SetAdded", "SetElementAdded", "SetElementRemoved", "SetRemoved", "Setting", "SysctlChanged", "TableAdded", "TableRemoved", "TableSet",
    "XtablesChanged",
    "done_by_somebody",
]  # fmt: skip

Change = (
    NodeAppeared | NodeVanished | NodeReplaced | NodeRenamed | NameAdded | NameRemoved | NameMoved | NameBroken
    | CableAdded | CableRemoved | LinkAdded | LinkRemoved | LinkMoved | LinkRenamed | LinkWentUp | LinkWentDown | CarrierChanged
    | PortJoined | PortLeft | PortStateChanged | LinkSet | AddressAdded | AddressRemoved | AddressReady | AddressDuplicate
    | RouteAdded | RouteRemoved | RouteChanged | RouteLinkState | PolicyRuleAdded | PolicyRuleRemoved
    | NeighbourLearned | NeighbourChanged | NeighbourStateChanged | NeighbourFailed | NeighbourForgotten | NeighbourSet | NeighbourUnset
    | FdbLearned | FdbMoved | FdbForgotten | FdbSet | FdbUnset
    | TableAdded | TableRemoved | TableSet | SetAdded | SetRemoved | SetElementAdded | SetElementRemoved
    | ChainAdded | ChainRemoved | ChainPolicyChanged | RuleAdded | RuleRemoved | RuleChanged
    | XtablesChanged | ForwardingChanged | SysctlChanged | ResolversChanged | ListenerOpened | ListenerClosed
)  # fmt: skip
"""Any change."""

_CONSEQUENCES = (
    CarrierChanged, PortStateChanged, RouteLinkState, AddressReady, NeighbourFailed, NeighbourStateChanged,
    NeighbourLearned, NeighbourChanged, NeighbourForgotten, FdbLearned, FdbMoved, FdbForgotten,
)  # fmt: skip


def done_by_somebody(change: Change) -> bool:
    """Whether a change is somebody's doing, and not the consequence of one or of a packet."""
    return not change.quiet and not isinstance(change, _CONSEQUENCES)
