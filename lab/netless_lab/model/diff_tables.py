"""What changed in a node's tables: routes, neighbours, the bridge's MACs, firewall, settings, name servers, listeners."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from ipaddress import ip_interface
from typing import Final, Literal, TypeVar

from msgspec.structs import replace

from . import changes as c
from .gates import switched_on
from .netfilter import changes as fw
from .netfilter.rules import NamedSet
from .snapshot import Chain, FdbEntry, Listener, Neighbour, Node, Route

_FORWARDING: Final[dict[str, Literal[4, 6]]] = {"ip_forward": 4, "v6.forwarding": 6}
_BY_ITSELF = frozenset({"reachable", "stale", "delay", "probe", "noarp", "none", "incomplete"})
_KERNEL_TABLES = (0, 32766, 32767)
"""Priorities of the three rules every namespace is born with (ip-rule(8))."""

_ANY = "00:00:00:00:00:00"
"""The MAC under which a vxlan device keeps where frames for everybody go."""
_BORN_OFF = ("ip_forward", "v6.forwarding", "proxy_arp", "route_localnet", "icmp_echo_ignore_all")
"""Switches that are off in every new namespace (Documentation/networking/ip-sysctl.rst)."""

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Held = TypeVar("Held", Chain, NamedSet)


def table_changes(was: Node, now: Node, macs: frozenset[str], *, fresh: bool) -> Iterator[c.Change]:
    """All table changes of one node. ``macs``: those of every link there is or was: a device answers for its own, and for those of macvlans on it.

    ``fresh``: the node is new, so most of its settings are its birth and no news."""
    name = now.name
    if was.routes != now.routes:
        yield from _routes(was, now)
    if was.policy != now.policy:
        yield from _policy(was, now, fresh)
    if was.neighbours != now.neighbours:
        yield from _neighbours(was, now)
    if was.fdb != now.fdb:
        yield from _fdb(was, now, macs)
    yield from (fw.TableRemoved(name, table) for table in was.tables if table not in now.tables)
    yield from (fw.TableAdded(name, table) for table in now.tables if table not in was.tables)
    slept, sleep = _dormant(was), _dormant(now)
    asked = dict.fromkeys(f"{chain.family} {chain.table}" for chain in now.chains)
    yield from (fw.TableSet(name, table, table in sleep) for table in asked if (table in slept) != (table in sleep))
    if was.sets != now.sets:
        yield from _sets(was, now)
    if was.chains != now.chains:
        yield from _chains(was, now)
    if was.legacy != now.legacy:
        yield from _legacy(was, now)
    if was.sysctls != now.sysctls:
        yield from _born_with(now) if fresh else _sysctls(was, now)
    if was.resolvers != now.resolvers:
        yield c.ResolversChanged(name, was.resolvers, now.resolvers)
    if was.listeners != now.listeners:
        tunnels = {link.vxlan.port for node in (was, now) for link in node.links if link.vxlan is not None}
        yield from (c.ListenerClosed(name, own, quiet=_of_tunnel(own, tunnels)) for own in was.listeners if own not in now.listeners)
        yield from (c.ListenerOpened(name, own, quiet=_of_tunnel(own, tunnels)) for own in now.listeners if own not in was.listeners)


def _dormant(node: Node) -> frozenset[str]:
    """The tables whose chains the kernel does not ask."""
    return frozenset(f"{chain.family} {chain.table}" for chain in node.chains if chain.dormant)


def _of_tunnel(own: Listener, ports: set[int]) -> bool:
    """Whether a socket may be that of a vxlan device, which the kernel opens when the device is switched on (vxlan_open)."""
    return own.protocol == "udp" and own.port in ports


def _group(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _routes(was: Node, now: Node) -> Iterator[c.Change]:
    old, new = _group(was.routes, _route_key), _group(now.routes, _route_key)
    for key in [*old, *(key for key in new if key not in old)]:
        there, here = old.get(key, []), new.get(key, [])
        if there == here:
            continue
        lost, got = [own for own in there if own not in here], [own for own in here if own not in there]
        if len(lost) == 1 and len(got) == 1:
            yield from _route_changed(now, lost[0], got[0])
            continue
        yield from (c.RouteRemoved(now.name, route, quiet=_own(route) and not _taken(route, was, now)) for route in lost)
        yield from (c.RouteAdded(now.name, route, quiet=_own(route) and not _taken(route, was, now)) for route in got)


def _route_key(route: Route) -> tuple[int, int, str, int]:
    return route.family, route.table, route.dst, route.metric


def _route_changed(now: Node, lost: Route, got: Route) -> Iterator[c.Change]:
    if replace(lost, linkdown=got.linkdown) != got:
        yield c.RouteChanged(now.name, lost, got, quiet=_own(got) and _own(lost))
    elif lost.linkdown != got.linkdown:
        yield c.RouteLinkState(now.name, got, quiet=True)


def _own(route: Route) -> bool:
    """Whether the kernel keeps this route itself, along with an address."""
    return route.protocol == "kernel" or route.table == 255 or route.type in ("local", "broadcast", "multicast", "anycast")


def _taken(route: Route, was: Node, now: Node) -> bool:
    """Whether somebody took a route of the kernel's away, or gave it back: all that brings it was there before and is there still."""
    return route.protocol == "kernel" and all(_brings(node, route) for node in (was, now))


def _brings(node: Node, route: Route) -> bool:
    link = node.link(route.dev or "")
    if link is None or not link.up or route.type != "unicast":
        return False
    nets = (ip_interface(own.cidr).network for own in link.addresses if not own.tentative and own.scope == "global")
    return any(str(net) == route.dst for net in nets)


def _policy(was: Node, now: Node, fresh: bool) -> Iterator[c.Change]:
    """Those that every namespace is born with are no news of a new one."""
    born = _KERNEL_TABLES if fresh else ()
    yield from (c.PolicyRuleRemoved(now.name, rule) for rule in was.policy if rule not in now.policy)
    yield from (c.PolicyRuleAdded(now.name, rule) for rule in now.policy if rule not in was.policy and rule.priority not in born)


def _neighbours(was: Node, now: Node) -> Iterator[c.Change]:
    old, new = ({(own.dev, own.address): own for own in node.neighbours} for node in (was, now))
    for key, own in new.items():
        if (change := _neighbour(now.name, old.get(key), own)) is not None:
            yield change
    for key, own in old.items():
        if key not in new and own.mac is not None and own.state != "failed":
            yield c.NeighbourUnset(now.name, own) if own.state == "permanent" else c.NeighbourForgotten(now.name, own, quiet=True)


def _neighbour(node: str, was: Neighbour | None, own: Neighbour) -> c.Change | None:
    if was == own or own.state == "noarp":
        return None
    if was is not None and was.state == "permanent" != own.state:
        return c.NeighbourUnset(node, was, own)
    if own.state == "failed":
        return None if was is not None and was.state == "failed" else c.NeighbourFailed(node, own)
    if own.state == "permanent" and (was is None or was.state != "permanent" or was.mac != own.mac):
        return c.NeighbourSet(node, own, was)
    if own.mac and (was is None or was.mac is None or (was.mac == own.mac and was.state == "failed")):
        return c.NeighbourLearned(node, own, quiet=True)
    if was is not None and was.mac != own.mac and own.mac:
        return c.NeighbourChanged(node, was, own)
    return c.NeighbourStateChanged(node, was, own, quiet=own.state in _BY_ITSELF) if was is not None and was.state != own.state else None


def _fdb(was: Node, now: Node, macs: frozenset[str]) -> Iterator[c.Change]:
    """A MAC is known once a bridge; entries of the bridge's own ports and of multicast groups are the kernel's own business."""
    groups = frozenset(link.vxlan.remote for node in (was, now) for link in node.links if link.vxlan is not None and link.vxlan.remote)

    def by_itself(own: FdbEntry) -> bool:
        return own.mac in macs if own.local else _fleeting(own) or (own.mac == _ANY and own.dst in groups)

    old, new = _group(was.fdb, _fdb_key), _group(now.fdb, _fdb_key)
    for key in [*new, *(key for key in old if key not in new)]:
        lost = [own for own in old.get(key, ()) if all(not _same_entry(own, other) for other in new.get(key, ()))]
        got = [own for own in new.get(key, ()) if all(not _same_entry(own, other) for other in old.get(key, ()))]
        if len(lost) == 1 == len(got) and not got[0].local and _fleeting(lost[0]) and _fleeting(got[0]):
            yield c.FdbMoved(now.name, lost[0], got[0])
            continue
        for own in lost:
            yield c.FdbForgotten(now.name, own, quiet=True) if by_itself(own) else c.FdbUnset(now.name, own)
        for own in got:
            yield c.FdbLearned(now.name, own, quiet=True) if by_itself(own) else c.FdbSet(now.name, own)


def _fdb_key(own: FdbEntry) -> tuple[str, str, bool]:
    return own.mac, own.master or own.dev, own.local


def _same_entry(one: FdbEntry, other: FdbEntry) -> bool:
    return (one.dev, one.dst, one.others) == (other.dev, other.dst, other.others) and ((_fleeting(one) and _fleeting(other)) or one.state == other.state)


def _fleeting(own: FdbEntry) -> bool:
    """Learned from traffic, or a multicast group (first octet odd); neither was set by hand."""
    first = own.mac.partition(":")[0]
    group = bool(first) and int(first, 16) & 1 == 1
    return own.state in _BY_ITSELF or (group and own.dst is None)


def _by_name(items: Iterable[Held]) -> dict[tuple[str, str, str], Held]:
    return {(own.family, own.table, own.name): own for own in items}


def _sets(was: Node, now: Node) -> Iterator[c.Change]:
    """What packets put into a set, or time takes out of it, is quiet."""
    old, new = _by_name(was.sets), _by_name(now.sets)
    for key, own in old.items():
        later = new.get(key)
        if later is None or replace(later, elements=()) != replace(own, elements=()):
            yield fw.SetRemoved(now.name, own)
    for key, own in new.items():
        bare_set, earlier = replace(own, elements=()), old.get(key)
        if earlier is None or replace(earlier, elements=()) != bare_set:
            yield fw.SetAdded(now.name, own)
            earlier = None
        before, after = ({element.text: element for element in one.elements} if one is not None else {} for one in (earlier, own))
        quiet = bool({"dynamic", "timeout"} & set(own.flags))
        yield from (fw.SetElementRemoved(now.name, bare_set, element, quiet=quiet) for text, element in before.items() if text not in after)
        yield from (fw.SetElementAdded(now.name, bare_set, element, quiet=quiet) for text, element in after.items() if text not in before)


def _legacy(was: Node, now: Node) -> Iterator[c.Change]:
    """Table by table, for the kernel itself takes a whole table at once. Counters are no change."""
    old, new = _group(was.legacy, _table), _group(now.legacy, _table)
    for table in dict.fromkeys((*old, *new)):
        before, after = (tuple(map(_uncounted, chains.get(table, ()))) for chains in (old, new))
        if before != after:
            yield fw.XtablesChanged(now.name, table, before, after)


def _table(chain: Chain) -> str:
    return chain.table if chain.family == "ip" else f"{chain.family} {chain.table}"


def _uncounted(chain: Chain) -> Chain:
    return replace(chain, rules=tuple(replace(rule, packets=None, bytes=None) for rule in chain.rules))


def _chains(was: Node, now: Node) -> Iterator[c.Change]:
    old, new = _by_name(was.chains), _by_name(now.chains)
    for key, own in old.items():
        later = new.get(key)
        if later is None or _place(later) != _place(own):
            yield fw.ChainRemoved(now.name, own)
    for key, own in new.items():
        earlier = old.get(key)
        if earlier is None or _place(earlier) != _place(own):
            yield fw.ChainAdded(now.name, own)
            earlier = None
        elif earlier.policy != own.policy:
            yield fw.ChainPolicyChanged(now.name, bare(own), earlier.policy, own.policy)
        yield from rule_changes(now.name, earlier, own)


def _place(own: Chain) -> tuple[str | None, str | None, int, str | None]:
    """What of a chain cannot be changed while it is there."""
    return own.type, own.hook, own.priority, own.device


def bare(chain: Chain) -> Chain:
    """The chain without its rules: where a rule is."""
    return replace(chain, rules=())


def rule_changes(node: str, was: Chain | None, now: Chain) -> Iterator[c.Change]:
    """Rules keep their handle for life; their counters are no change."""
    old, new = ({rule.handle: (place, rule) for place, rule in enumerate(chain.rules if chain is not None else ())} for chain in (was, now))
    on = bare(now)
    yield from (fw.RuleRemoved(node, on, rule, place, place == len(old) - 1) for handle, (place, rule) in old.items() if handle not in new)
    for handle, (place, rule) in new.items():
        if (before := old.get(handle)) is None:
            yield fw.RuleAdded(node, on, rule, place, place == len(new) - 1)
        elif before[1].text != rule.text:
            yield fw.RuleChanged(node, on, before[1], rule, place)


def _sysctls(was: Node, now: Node) -> Iterator[c.Change]:
    for key in [*now.sysctls, *(key for key in was.sysctls if key not in now.sysctls)]:
        old, new = was.sysctls.get(key), now.sysctls.get(key)
        if old == new:
            continue
        if key in _FORWARDING and old and new and switched_on(old) != switched_on(new):
            yield c.ForwardingChanged(now.name, key, _FORWARDING[key], old, new)
        else:
            yield c.SysctlChanged(now.name, key, old, new, quiet=(old is None or new is None) and not _of_device(key, now))


def _born_with(now: Node) -> Iterator[c.Change]:
    """What of a new node's settings somebody has made so already: those that no namespace is born with."""
    for key, value in now.sysctls.items():
        if _of_device(key, now) or (key in _BORN_OFF and switched_on(value)):
            yield c.SysctlChanged(now.name, key, None, value)


def _of_device(key: str, node: Node) -> bool:
    """Whether a setting is one of a link that is there: it is in a snapshot when it is not as everywhere, so somebody set it."""
    device = key.partition("/")[2]
    return node.link(device) is not None
