"""From changes to the commands that bring them about: how a session is written down, and, for the changes the other way round, how it is undone.

The kernel does not say which command was typed; for most changes there is one that ends in the same state. Changes that were seen
together are brought about in an order in which each command finds what it needs: what goes first goes by what was there, and what
comes is built from the ground up. What follows by itself from another change (the routes of a link that was switched off) needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_interface
from typing import Final

import msgspec
from msgspec.structs import replace

from ..model import changes as c
from ..model.knobs import whole
from ..model.netfilter import changes as fw
from ..model.snapshot import Route, Snapshot
from .base import device, word
from .bridge import AddPort, RemovePort
from .namespace import StartContainer, StopContainer, Unname
from .resolver import FILE
from .retell_links import address_ends, address_words, appeared, cable, device_added, dying, link_setting, moved, named, renames
from .retell_tables import Crowds, crowds, emptied, fdb, firewall, given_back, in_its_place, neighbour, place_of, policy_rule, rerouted, route, sysctl
from .run import Doing, Typed
from .updown import LinkDown, LinkUp


class Retold(msgspec.Struct, frozen=True):
    """A change with what brings it about: nothing when it follows from another, None when no plain command does. Then a script has ``instead``."""

    change: c.Change
    doings: tuple[Doing, ...] | None

    @property
    def instead(self) -> tuple[Doing, ...]:
        """What a script has for it: what brings it about, or else what keeps its place."""
        return in_its_place(self.change) if self.doings is None else self.doings


def retell(changes: Iterable[c.Change], before: Snapshot, after: Snapshot) -> tuple[Retold, ...]:
    """These changes between two snapshots, in the order in which they can be brought about."""
    seen = tuple(changes)
    context = _Context(seen, before, after)
    crowded = crowds(seen, before, after)
    told = [Retold(change, _brought_about(change, context, crowded)) for change in _later_first(seen)]
    told.sort(key=lambda own: _REMOVAL if own.change in context.early else context.later.get(id(own.change)) or _order(own.change))
    for (node, link), routes in _flushed(seen, context, before, after).items():
        at = max(number for number, own in enumerate(told) if _addresses(own.change) == (node, link))
        again = (doing for own in routes for doing in route(node, "replace", own) or ())
        told[at] = Retold(told[at].change, (*(told[at].doings or ()), *again))
    for number, own in enumerate(told):
        unwanted = tuple(_unwanted(own.change, after)) if own.doings is not None else ()
        if unwanted:
            told[number] = Retold(own.change, (*(own.doings or ()), *unwanted))
    return tuple(told)


def _brought_about(change: c.Change, context: _Context, crowded: Crowds) -> tuple[Doing, ...] | None:
    """What brings a change about where others happened too. Routes that go with their link stay gone; those that come are told."""
    if isinstance(change, c.RouteAdded | c.RouteRemoved | c.RouteChanged) and change in crowded:
        return crowded[change]
    return () if context.follows(change) else _doings(change, context)


def _unwanted(change: c.Change, after: Snapshot) -> Iterable[Doing]:
    """The routes that the kernel makes for a link that is switched on, or gets an address while it is on, where somebody took them away."""
    node = after.node(change.node)
    if node is None or not isinstance(change, c.LinkWentUp | c.AddressAdded):
        return
    link = node.link(change.link if isinstance(change, c.AddressAdded) else change.link.name)
    if link is None or not link.up:
        return
    if link.kind == "loopback" and isinstance(change, c.LinkWentUp) and all(own.address != "127.0.0.1" for own in link.addresses):
        yield Typed(change.node, f"addr del 127.0.0.1/8 dev {word(link.name)}")
    there = {(own.dst, own.dev) for own in node.routes if own.protocol == "kernel"}
    brought = (change.address,) if isinstance(change, c.AddressAdded) else link.v4
    for net in dict.fromkeys(str(ip_interface(own.cidr).network) for own in brought if own.family == 4 and own.prefix < 32):
        if (net, link.name) not in there:
            yield Typed(change.node, f"ip route del {net} dev {word(link.name)} proto kernel 2>/dev/null || :", "shell")


def _flushed(seen: Sequence[c.Change], context: _Context, before: Snapshot, after: Snapshot) -> dict[tuple[str, str], tuple[Route, ...]]:
    """Routes that were there and are there, though a link lost all its IPv4 addresses in between and its routes with them (fib_disable_ip)."""
    found: dict[tuple[str, str], tuple[Route, ...]] = {}
    early = {_addresses(own) for own in context.early}
    for place in dict.fromkeys(_addresses(own) for own in seen if isinstance(own, c.AddressRemoved) and own.address.family == 4):
        if place is None or place in early:
            continue
        was, now = before.node(place[0]), after.node(place[0])
        own = was.link(place[1]) if was is not None else None
        link = now.link(place[1]) if now is not None else None
        if was is None or now is None or own is None or link is None or {(a.address, a.prefix) for a in own.v4} & {(a.address, a.prefix) for a in link.v4}:
            continue
        old = {replace(route, linkdown=False) for route in was.routes}
        kept = (route for route in now.routes if route.dev == link.name and route.family == 4 and route.protocol != "kernel")
        found[place] = tuple(route for route in kept if replace(route, linkdown=False) in old)
    return {place: routes for place, routes in found.items() if routes}


def _addresses(change: c.Change) -> tuple[str, str] | None:
    """Which link's addresses a change is about."""
    return (change.node, change.link) if isinstance(change, c.AddressAdded | c.AddressRemoved) else None


def _later_first(seen: Sequence[c.Change]) -> Iterable[c.Change]:
    """Addresses that go, the last first: the kernel takes further ones of a network away with the first. Of IPv6 it lists the newest first."""
    gone = [change for change in seen if isinstance(change, c.AddressRemoved)]
    six = [change for change in seen if _comes_in_six(change)]
    return (gone.pop() if isinstance(change, c.AddressRemoved) else six.pop() if _comes_in_six(change) else change for change in seen)


def _comes_in_six(change: c.Change) -> bool:
    return isinstance(change, c.AddressAdded) and change.address.family == 6


class _Context:
    """What else happened at the same time."""

    def __init__(self, seen: Sequence[c.Change], was: Snapshot, now: Snapshot) -> None:
        cables = [own for own in seen if isinstance(own, c.CableRemoved)]
        moves = [own for own in seen if isinstance(own, c.LinkMoved)]
        self.gone = {(own.node, own.link.name) for own in seen if isinstance(own, c.LinkRemoved | c.CableRemoved)}
        """(node, link) of links that went; of moved ones both where they were and where they are: a move takes all away but the link."""
        self.gone |= {(own.far_node, own.far.name) for own in cables} | {(own.origin, own.before.name) for own in moves}
        self.moved = {(own.node, own.after.name) for own in moves}
        self.dead = {own.node for own in seen if isinstance(own, c.NodeVanished | c.NodeReplaced)}
        self.down = {(own.node, own.link.name) for own in seen if isinstance(own, c.LinkWentDown)}
        new = (own.after if isinstance(own, c.NodeReplaced) else own.state for own in seen if isinstance(own, c.NodeReplaced | c.NodeAppeared))
        self.born = {state.name: state.names[0] for state in new if state.role == "unknown" and state.names}
        """Nodes that appeared by ``ip netns add``, and the name that was given."""
        strangers = {own.name for own in was.nodes if own.role == "unknown"}
        containers = {own.name for own in now.nodes if own.role == "container"}
        self.known = {own.node for own in seen if isinstance(own, c.NodeRenamed) and own.before in strangers and own.node in containers}
        """Containers that were seen before they had their host name."""
        had = {own.name for own in was.nodes if own.role == "container"}
        called = [own for own in seen if isinstance(own, c.NodeRenamed) and own.before in had and own.node in containers]
        self.called = frozenset(called)
        """Containers that have another host name now."""
        self.taken = {own.after.name for own in seen if isinstance(own, c.NameMoved)}
        """Names that led elsewhere before: ``ip netns`` gives none that is there."""
        self._named = {own.name: own.names for own in was.nodes if own.pid is None}
        self._named |= {own.node: self._named.get(own.before, ()) for own in seen if isinstance(own, c.NodeRenamed)}
        self.renames = renames(seen)
        self.later = {id(own): _LAST_NAME for own in seen if isinstance(own, c.NameRemoved) and own.node in self._named}
        """The places of changes that come otherwise than others of their kind: all else speaks of a container by the host name that it has now."""
        self.later |= {id(own): (-1, place) for place, own in enumerate(called)}
        self.later |= {id(own): (_ORDER.index(c.LinkRenamed), place) for place, own in enumerate(self.renames)}
        self.early = _early(seen)
        """Addresses that come before others of their link go: a link without any loses its routes. Of the same network they would go along."""
        self.chains = {(own.node, place_of(own.chain)) for own in seen if isinstance(own, fw.ChainRemoved)}
        self.tables = {(own.node, own.table) for own in seen if isinstance(own, fw.TableRemoved)}

    def emptied(self, node: str, table: str) -> Iterable[Doing]:
        """Chains of a table that go: before sets that their rules ask, while elements of these lead to them."""
        return (emptied(node, place) for at, place in sorted(self.chains) if at == node and place.startswith(table))

    def lasting(self, node: str) -> str:
        """A name by which a namespace can be found in which no process lives; "" where one lives."""
        kept = (name for name in self._named.get(node, ()) if name not in self.taken and node not in self.dead)
        return self.born.get(node) or next(kept, "")

    def follows(self, change: c.Change) -> bool:
        """Whether a change needs no command, for another brings it along."""
        match change:
            case c.AddressRemoved(node=node, link=name) | c.PortLeft(node=node, link=name):
                return (node, name) in self.moved
            case c.LinkWentDown(node=node, link=link):
                return (node, link.name) in self.moved
            case c.RouteRemoved(node=node, route=route):
                return node in self.dead or (node, route.dev or "") in self.gone | self.down
            case c.NeighbourUnset(node=node, entry=neighbour):
                return (node, neighbour.dev) in self.gone | self.down
            case c.FdbUnset(node=node, entry=entry):
                return bool({(node, entry.dev), (node, entry.master or "")} & self.gone)
            case c.NameAdded(node=node, name=name) | c.NameMoved(node=node, after=name):
                return self.born.get(node) == name.name
            case fw.RuleRemoved(node=node, chain=chain):
                return (node, place_of(chain)) in self.chains
            case fw.SetRemoved(node=node, own=own):
                return (node, f"{own.family} {own.table}") in self.tables
            case fw.ChainRemoved(node=node, chain=chain):
                return (node, f"{chain.family} {chain.table}") in self.tables
            case _:
                return False


_ORDER: Final[tuple[type[object] | tuple[type[object], ...], ...]] = (
    c.NameRemoved, (c.CableRemoved, c.LinkRemoved), (c.NodeVanished, c.NodeReplaced),
    (c.NodeAppeared, c.NodeRenamed), (c.NameAdded, c.NameMoved, c.NameBroken), c.LinkMoved, c.LinkRenamed,
    fw.RuleRemoved, fw.SetElementRemoved, fw.SetRemoved, fw.ChainRemoved, fw.TableRemoved,
    c.PolicyRuleRemoved, c.RouteRemoved, (c.NeighbourUnset, c.FdbUnset), c.AddressRemoved, c.PortLeft, c.LinkWentDown,
    c.CableAdded, c.LinkAdded, c.PortJoined, c.LinkSet, (c.ForwardingChanged, c.SysctlChanged), c.LinkWentUp,
    c.AddressAdded, (c.NeighbourSet, c.FdbSet), (c.RouteAdded, c.RouteChanged), c.PolicyRuleAdded,
    (fw.TableAdded, fw.TableSet), fw.SetAdded, fw.ChainAdded, fw.SetElementAdded, fw.ChainPolicyChanged, fw.RuleAdded, fw.RuleChanged,
)  # fmt: skip
_LAST_NAME: Final = (_ORDER.index((c.NameAdded, c.NameMoved, c.NameBroken)), 1)
"""Just after names are given: a namespace in which no process lives ends with its last."""
_REMOVAL: Final = (_ORDER.index(c.AddressRemoved), -1)
"""Just before addresses go."""


def _early(seen: Sequence[c.Change]) -> tuple[c.Change, ...]:
    gone: dict[tuple[str, str], set[str]] = {}
    for change in seen:
        if isinstance(change, c.AddressRemoved):
            gone.setdefault((change.node, change.link), set()).add(str(ip_interface(change.address.cidr).network))
    added = (change for change in seen if isinstance(change, c.AddressAdded) and (change.node, change.link) in gone)
    return tuple(own for own in added if str(ip_interface(own.address.cidr).network) not in gone[own.node, own.link])


def _order(change: c.Change) -> tuple[int, int]:
    """What goes first, in the order of dependence; then, of the same kind, what others of it rest on."""
    place = next((number for number, kinds in enumerate(_ORDER) if isinstance(change, kinds)), len(_ORDER))
    match change:
        case fw.TableSet():
            return place, 1
        case fw.RuleRemoved(place=rule):
            return place, -rule
        case fw.RuleAdded(place=rule):
            return place, rule
        case fw.ChainRemoved(chain=chain):
            return place, int(chain.hook is None)
        case c.LinkAdded(link=link):
            return place, (link.kind != "bridge") + (link.peer is not None)
        case c.LinkRemoved(link=link) | c.LinkWentUp(link=link):
            return place, int(link.kind == "bridge")
        case c.RouteAdded(route=route) | c.RouteChanged(after=route):
            return place, int(route.via is not None)
        case c.RouteRemoved(route=route):
            return place, int(route.via is None)
        case c.SysctlChanged(name=name):
            return place, 2 if "/" in name else 1
        case _:
            return place, 0


def _doings(change: c.Change, context: _Context) -> tuple[Doing, ...] | None:
    node = change.node
    match change:
        case c.NodeAppeared():
            own = context.born.get(node, "")
            return (Unname(own), *(appeared(change) or ())) if own in context.taken else appeared(change)
        case c.NodeReplaced(before=was, after=state):
            made = _doings(c.NodeAppeared(node, state), context)
            return None if made is None else (*((StopContainer(node),) if was.role == "container" and was.pid is not None else ()), *made)
        case c.NodeVanished(state=state):
            return (StopContainer(node),) if state.role == "container" and state.pid is not None else ()
        case c.NodeRenamed(before=before):
            if change in context.called:
                return (Typed(before, f"hostname {'-- ' * node.startswith('-')}{word(node)}", "name"),)
            return (StartContainer(node),) if node in context.known else ()
        case c.NameAdded(name=name):
            return named(node, name, context.lasting(node))
        case c.NameRemoved(name=name):
            return (Unname(name.name),)
        case c.NameMoved(after=name):
            again = named(node, name, context.lasting(node))
            return None if again is None else (Unname(name.name), *again)
        case c.NameBroken(after=name) if name.how == "file":
            return (Unname(name.name), *(named("", name) or ()))
        case c.LinkMoved():
            return moved(change)
        case c.LinkRenamed():
            return context.renames[change]
        case c.CableAdded():
            return cable(change)
        case c.LinkAdded(link=link):
            return device_added(node, link)
        case c.CableRemoved(link=link, far_node=far_node, far=far):
            if {node, far_node} <= context.dead:
                return ()
            if {node, far_node} & context.dead:
                return (dying(far_node, far.name) if node in context.dead else dying(node, link.name),)
            return (Typed(node, f"link del {device(link.name)}"),)
        case c.LinkRemoved(link=link):
            alone = link.kind == "veth" and (link.peer is None or not link.peer.node)
            along = link.peer is not None and (link.peer.node, link.peer.name) in context.gone  # with the device below it
            return (dying(node, link.name) if alone or along else Typed(node, f"link del {device(link.name)}"),)
        case c.LinkWentUp(link=link):
            return (LinkUp(link.name, node),)
        case c.LinkWentDown(link=link):
            return (LinkDown(link.name, node),)
        case c.PortJoined(link=name, bridge=bridge, pinned=pinned):
            pin = (Typed(node, f"link set {device(bridge)} address {pinned}"),) if pinned else ()
            return (AddPort(name, bridge, node), *pin)
        case c.PortLeft(link=name, bridge=bridge):
            return (RemovePort(name, bridge, node),)
        case c.LinkSet(setting=setting, before=before, after=after):
            return link_setting(node, setting, before, after)
        case c.AddressAdded(link=name, address=address):
            return (Typed(node, f"addr add {address_words(address)} dev {word(name)}"),)
        case c.AddressRemoved(link=name, address=address):
            return (Typed(node, f"addr del {address_ends(address)} dev {word(name)}"),)
        case c.RouteAdded(route=own):
            return given_back(node, own) if own.protocol == "kernel" and own.family == 4 else route(node, "add", own)
        case c.RouteRemoved(route=own):
            return route(node, "del", own)
        case c.RouteChanged(before=lost, after=got):
            return rerouted(node, lost, got, gone=(node, lost.dev or "") in context.gone | context.down)
        case c.PolicyRuleAdded(rule=rule):
            return (policy_rule(node, "add", rule),)
        case c.PolicyRuleRemoved(rule=rule):
            return (policy_rule(node, "del", rule),)
        case c.NeighbourSet(entry=entry):
            return neighbour(node, entry)
        case c.NeighbourUnset(entry=entry):
            return (Typed(node, f"neigh del {entry.address} dev {word(entry.dev)}"),)
        case c.FdbSet(entry=mac):
            return (fdb(node, "append" if mac.dst else "replace", mac),)
        case c.FdbUnset(entry=mac):
            return (fdb(node, "del", mac),)
        case fw.SetRemoved(own=own):
            away = firewall(change)
            return None if away is None else (*context.emptied(node, f"{own.family} {own.table} "), *away)
        case c.ForwardingChanged(name=name, after=value):
            return (Typed(node, f"sysctl -qw {word(f'{whole(name)}={value}')}", "tool"),)
        case c.SysctlChanged():
            return sysctl(change)
        case c.ResolversChanged(after=servers):
            lines = " ".join(word(server) for server in servers)
            return (Typed(node, f"printf 'nameserver %s\\n' {lines} > {FILE}" if servers else f": > {FILE}", "files"),)
        case _:
            return firewall(change) if isinstance(change, fw.FirewallChange) else None
