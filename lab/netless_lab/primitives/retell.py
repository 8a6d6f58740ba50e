"""From a change that was seen to the action that makes it: how a session is written down as commands, and how one change is undone.

The kernel does not say which command was typed. But most changes have one plain action that brings them about, and that is enough:
the same end by other means.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..model.changes import Change, Kind
from ..model.snapshot import Chain, Snapshot
from .address import AddAddress, DeleteAddress
from .base import Action
from .bridge import CreateBridge
from .forwarding import SetForwarding
from .link import DeleteLink, RenameLink, SetMtu
from .move import MoveLink
from .names import NameAttach, NameSymlink, Unname
from .namespace import AddNetns, StartContainer
from .port import AddPort, RemovePort
from .resolver import SetResolver
from .route import AddRoute
from .run import Run
from .updown import LinkDown, LinkUp
from .veth import CreateVeth

Teller = Callable[[Change, Snapshot], Action | None]


def retell(change: Change, after: Snapshot) -> Action | None:
    """The action that brings this change about, seen in ``after``; None when there is no plain one."""
    teller = _TELLERS.get(change.kind)
    return teller(change, after) if teller is not None and not change.quiet else None


def undoing(change: Change, after: Snapshot) -> tuple[Action, ...] | None:
    """The actions that take this change back, or None when only a rebuild can."""
    if change.kind == "link-added":
        return (DeleteLink(change.subject, change.node),)
    action = retell(change, after)
    return (action.inverse() or None) if action is not None else None


def _cable(change: Change, after: Snapshot) -> Action | None:
    return CreateVeth(change.subject, change.after, change.node, None if change.on == change.node else change.on)


def _made_link(change: Change, after: Snapshot) -> Action | None:
    if change.after == "bridge":
        return CreateBridge(change.subject, change.node)
    node = after.node(change.node)
    link = node.link(change.subject) if node is not None else None
    if link is None or link.kind in ("veth", "loopback", "device"):
        return None
    lower = f" link {link.peer.name}" if link.peer is not None else ""
    detail = f" mode {link.mode}" if link.mode else f" id {link.vxlan.vni} dstport {link.vxlan.port}" if link.vxlan is not None else ""
    return Run(f"ip link add{lower} name {link.name} type {link.kind}{detail}", change.node)


def _named(change: Change, after: Snapshot) -> Action | None:
    if not change.node:
        return None
    node = after.node(change.node)
    if node is not None and node.role == "unknown":
        return AddNetns(change.subject)
    return NameSymlink(change.subject, change.node) if change.after == "symlink" else NameAttach(change.subject, change.node)


def _appeared(change: Change, after: Snapshot) -> Action | None:
    node = after.node(change.node)
    return StartContainer(change.node) if node is not None and node.role == "container" else None


def _route(change: Change, after: Snapshot) -> Action | None:
    via = re.fullmatch(r"via (\S+)", change.after)
    if via is not None:
        return AddRoute(change.subject, via=via[1], node=change.node)
    straight = re.fullmatch(r"straight out of (\S+)", change.after)
    return AddRoute(change.subject, dev=straight[1], node=change.node) if straight is not None else None


def _chain(change: Change, after: Snapshot) -> Action | None:
    found = _find_chain(change.subject, change.node, after)
    if found is None:
        return None
    table = f"nft add table {found.family} {found.table}"
    if found.hook is None:
        return Run(f"{table}; nft add chain {change.subject}", change.node)
    policy = f" policy {found.policy};" if found.policy else ""
    spec = f"{{ type {found.type} hook {found.hook} priority {found.priority};{policy} }}"
    return Run(f"{table}; nft 'add chain {change.subject} {spec}'", change.node)


def _find_chain(words: str, name: str, snapshot: Snapshot) -> Chain | None:
    node = snapshot.node(name)
    chains = node.chains if node is not None else ()
    return next((chain for chain in chains if f"{chain.family} {chain.table} {chain.name}" == words), None)


def _mtu(change: Change, after: Snapshot) -> Action | None:
    if change.on != "MTU" or not change.after.isdecimal():
        return None
    return SetMtu(int(change.after), change.subject, change.node, int(change.before) if change.before.isdecimal() else 1500)


def _resolver(change: Change, after: Snapshot) -> Action | None:
    return SetResolver(change.after, change.node) if change.after and " " not in change.after else None


_TELLERS: dict[Kind, Teller] = {
    "node-appeared": _appeared,
    "name-added": _named,
    "name-removed": lambda change, after: Unname(change.subject),
    "cable-added": _cable,
    "link-added": _made_link,
    "cable-removed": lambda change, after: DeleteLink(change.subject, change.node),
    "link-removed": lambda change, after: DeleteLink(change.subject, change.node),
    "link-moved": lambda change, after: MoveLink(change.subject, change.after, change.before),
    "link-renamed": lambda change, after: RenameLink(change.before, change.after, change.node),
    "link-up": lambda change, after: LinkUp(change.subject, change.node),
    "link-down": lambda change, after: LinkDown(change.subject, change.node),
    "port-joined": lambda change, after: AddPort(change.subject, change.after, change.node),
    "port-left": lambda change, after: RemovePort(change.subject, change.before, change.node),
    "address-added": lambda change, after: AddAddress(change.subject, change.on, change.node),
    "address-removed": lambda change, after: DeleteAddress(change.subject, change.on, change.node),
    "route-added": _route,
    "link-setting": _mtu,
    "forwarding-on": lambda change, after: SetForwarding(True, change.node) if change.subject == "IPv4" else None,
    "forwarding-off": lambda change, after: SetForwarding(False, change.node) if change.subject == "IPv4" else None,
    "chain-added": _chain,
    "rule-added": lambda change, after: Run(f"nft add rule {change.on} {_quoted(change.subject)}", change.node),
    "resolver-changed": _resolver,
}


def _quoted(rule: str) -> str:
    """A rule as one shell word: its own quotes and braces must reach nft untouched."""
    return "'" + rule.replace("'", "'\\''") + "'"
