"""Every action and expectation a lesson may name, by its verb: the one list to extend."""

from __future__ import annotations

from .address import AddAddress, DeleteAddress, HasAddress, NoAddress
from .base import Action, Expectation
from .bridge import AddPort, BridgeExists, CreateBridge, IsPort, Learned, RemovePort
from .cable import CreateVeth, MoveLink, VethPair
from .forward import ForwardAccept, ForwardAccepts, ForwardPolicy, PolicyIs, UnforwardAccept, UnforwardPolicy
from .link import DeleteLink, LinkExists, NoLink, RenameLink, SetMtu
from .masquerade import Masquerade, Masquerades, Unmasquerade
from .namespace import AddNetns, ContainerRuns, DeleteNetns, NameAttach, Named, NameSymlink, NetnsExists, NoNetns, OnlyLo, StartContainer, StopContainer, Unname
from .neighbour import DeleteNeighbour, KnowsNeighbour, SetNeighbour
from .resolver import ClearResolver, HasResolver, SetResolver
from .route import AddRoute, DeleteRoute, HasRoute, NoRoute
from .run import Run
from .sysctl import Forwards, SetForwarding, SetSysctl, SysctlIs
from .updown import IsUp, LinkDown, LinkUp

ACTIONS: dict[str, type[Action]] = {
    action.verb: action
    for action in (
        StartContainer, StopContainer, NameSymlink, NameAttach, Unname, AddNetns, DeleteNetns, CreateVeth, MoveLink, LinkUp, LinkDown, AddAddress,
        DeleteAddress, CreateBridge, AddPort, RemovePort, AddRoute, DeleteRoute, SetForwarding, Masquerade, Unmasquerade, ForwardPolicy,
        UnforwardPolicy, ForwardAccept, UnforwardAccept, SetResolver, ClearResolver, RenameLink, DeleteLink, SetMtu, SetNeighbour, DeleteNeighbour,
        SetSysctl, Run,
    )
}  # fmt: skip
EXPECTATIONS: dict[str, type[Expectation]] = {
    expectation.verb: expectation
    for expectation in (
        ContainerRuns, OnlyLo, Named, NetnsExists, NoNetns, VethPair, LinkExists, NoLink, IsUp, HasAddress, NoAddress, BridgeExists, IsPort, Learned,
        HasRoute, NoRoute, KnowsNeighbour, Forwards, Masquerades, PolicyIs, ForwardAccepts, HasResolver, SysctlIs,
    )
}  # fmt: skip
FIREWALL = (Masquerade, ForwardPolicy, ForwardAccept)
"""The actions whose dialects do not end in the same state: iptables keeps its rules in tables of its own."""
