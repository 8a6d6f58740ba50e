"""What changed in a node's tables: routes, neighbours, the bridge's MACs, firewall, settings, name servers, listeners."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from .changes import Change, Kind
from .gates import FORWARDING_KEYS, switched_on
from .snapshot import Chain, FdbEntry, Listener, Neighbour, Node, PolicyRule, Route

FORWARDING_V6 = ("v6.forwarding", "net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding")
_BY_ITSELF = frozenset({"reachable", "stale", "delay", "probe", "noarp", "none", "incomplete"})
_KERNEL_TABLES = (0, 32766, 32767)
"""Priorities of the three rules every namespace is born with (ip-rule(8))."""

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def table_changes(was: Node, now: Node, *, fresh: bool) -> list[Change]:
    """All table changes of one node. ``fresh``: the node is new, so its settings are its birth and no news."""
    found = _routes(was, now)
    if was.policy != now.policy:
        found += _policy(was, now, fresh)
    if was.neighbours != now.neighbours:
        found += _neighbours(was, now)
    if was.fdb != now.fdb:
        found += _fdb(was, now)
    if was.chains != now.chains:
        found += _chains(was, now)
    name = now.name
    found += [Change("xtables-removed", name, text) for text in was.xtables if text not in now.xtables]
    found += [Change("xtables-added", name, text) for text in now.xtables if text not in was.xtables]
    if was.sysctls != now.sysctls and not fresh:
        found += _sysctls(was, now)
    if was.resolvers != now.resolvers:
        found.append(Change("resolver-changed", name, "resolver", ", ".join(was.resolvers), ", ".join(now.resolvers)))
    gone, new = set(was.listeners) - set(now.listeners), set(now.listeners) - set(was.listeners)
    found += [Change("listener-closed", name, _listener(own)) for own in was.listeners if own in gone]
    found += [Change("listener-opened", name, _listener(own)) for own in now.listeners if own in new]
    return found


def _group(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _routes(was: Node, now: Node) -> list[Change]:
    if was.routes == now.routes:
        return []
    old, new = _group(was.routes, _route_key), _group(now.routes, _route_key)
    found: list[Change] = []
    for key in [*old, *(key for key in new if key not in old)]:
        lost = [route for route in old.get(key, ()) if route not in new.get(key, ())]
        got = [route for route in new.get(key, ()) if route not in old.get(key, ())]
        if len(lost) == 1 and len(got) == 1:
            found += _route_changed(now, lost[0], got[0])
            continue
        found += [Change("route-removed", now.name, route.dst, before=_way(route), quiet=_own(route)) for route in lost]
        found += [Change("route-added", now.name, route.dst, after=_way(route), quiet=_own(route)) for route in got]
    return found


def _route_key(route: Route) -> tuple[int, int, str, int]:
    return route.family, route.table, route.dst, route.metric


def _route_changed(now: Node, lost: Route, got: Route) -> list[Change]:
    before, after = _way(lost), _way(got)
    if before != after:
        return [Change("route-changed", now.name, got.dst, before, after, quiet=_own(got) and _own(lost))]
    if lost.linkdown != got.linkdown:
        state = "dead: its link has no carrier" if got.linkdown else "alive again"
        return [Change("route-linkdown", now.name, got.dst, after=state, quiet=True)]
    return []


def _way(route: Route) -> str:
    """``via 10.0.0.1``, ``straight out of br0``, ``thrown away (blackhole)``."""
    if route.type in ("blackhole", "unreachable", "prohibit", "throw"):
        text = f"thrown away ({route.type})"
    elif route.via:
        text = f"via {route.via}"
    else:
        text = f"straight out of {route.dev}" if route.dev else "nowhere"
    source = f" as {route.src}" if route.src and route.protocol != "kernel" else ""
    table = f" in table {route.table}" if route.table not in (254, 255) else ""
    return text + source + table


def _own(route: Route) -> bool:
    """Whether the kernel keeps this route itself, along with an address."""
    return route.protocol == "kernel" or route.table == 255 or route.type in ("local", "broadcast", "multicast", "anycast")


def _policy(was: Node, now: Node, fresh: bool) -> list[Change]:
    found = [Change("policy-removed", now.name, _policy_text(rule)) for rule in was.policy if rule not in now.policy]
    for rule in now.policy:
        if rule not in was.policy:
            found.append(Change("policy-added", now.name, _policy_text(rule), quiet=fresh and rule.priority in _KERNEL_TABLES))
    return found


def _policy_text(rule: PolicyRule) -> str:
    parts = [f"{rule.priority}: from {rule.src}"]
    parts += [f"to {rule.dst}"] * (rule.dst != "all")
    parts += [f"iif {rule.iif}"] * bool(rule.iif) + [f"oif {rule.oif}"] * bool(rule.oif)
    parts.append(f"lookup {rule.table}" if rule.action == "lookup" else rule.action)
    return " ".join(parts)


def _neighbours(was: Node, now: Node) -> list[Change]:
    old = {(own.dev, own.address): own for own in was.neighbours}
    new = {(own.dev, own.address): own for own in now.neighbours}
    found: list[Change] = []
    for key, own in new.items():
        found += _neighbour(now.name, old.get(key), own)
    for key, own in old.items():
        if key not in new and own.mac is not None and own.state != "failed":
            found.append(Change("neighbour-forgotten", now.name, own.address, own.mac, on=own.dev, quiet=own.state != "permanent"))
    return found


def _neighbour(node: str, was: Neighbour | None, own: Neighbour) -> list[Change]:
    if was == own or own.state == "noarp":
        return []
    mac = own.mac or ""
    if own.state == "failed":
        return [] if was is not None and was.state == "failed" else [Change("neighbour-failed", node, own.address, on=own.dev)]
    if own.state == "permanent" and (was is None or was.state != "permanent" or was.mac != own.mac):
        return [Change("neighbour-set", node, own.address, after=mac, on=own.dev)]
    if mac and (was is None or was.mac is None):
        return [Change("neighbour-learned", node, own.address, after=mac, on=own.dev, quiet=True)]
    if was is not None and was.mac != own.mac and mac:
        return [Change("neighbour-changed", node, own.address, was.mac or "", mac, own.dev)]
    if was is not None and was.state != own.state:
        return [Change("neighbour-state", node, own.address, was.state, own.state, own.dev, quiet=own.state in _BY_ITSELF)]
    return []


def _fdb(was: Node, now: Node) -> list[Change]:
    """A MAC is known once a bridge; entries of the bridge's own ports and of multicast groups are the kernel's own business."""
    old, new = _group(was.fdb, _fdb_key), _group(now.fdb, _fdb_key)
    found: list[Change] = []
    for key in [*new, *(key for key in old if key not in new)]:
        lost = [own for own in old.get(key, ()) if all(not _same_entry(own, other) for other in new.get(key, ()))]
        got = [own for own in new.get(key, ()) if all(not _same_entry(own, other) for other in old.get(key, ()))]
        if len(lost) == 1 == len(got) and not got[0].local:
            found.append(Change("fdb-moved", now.name, got[0].mac, _behind(lost[0]), _behind(got[0]), _table(got[0])))
            continue
        for own in lost:
            found.append(Change("fdb-forgotten", now.name, own.mac, _behind(own), on=_table(own), quiet=_fleeting(own) or own.local))
        for own in got:
            kind: Kind = "fdb-learned" if _fleeting(own) or own.local else "fdb-set"
            found.append(Change(kind, now.name, own.mac, after=_behind(own), on=_table(own), quiet=kind == "fdb-learned"))
    return found


def _fdb_key(own: FdbEntry) -> tuple[str, str, bool]:
    return own.mac, own.master or own.dev, own.local


def _same_entry(one: FdbEntry, other: FdbEntry) -> bool:
    return one.dev == other.dev and one.dst == other.dst


def _behind(own: FdbEntry) -> str:
    return own.dst or own.dev


def _table(own: FdbEntry) -> str:
    return own.master or own.dev


def _fleeting(own: FdbEntry) -> bool:
    """Learned from traffic, or a multicast group (first octet odd); neither was set by hand."""
    first = own.mac.partition(":")[0]
    group = bool(first) and int(first, 16) & 1 == 1
    return own.state in _BY_ITSELF or (group and own.dst is None)


def _chains(was: Node, now: Node) -> list[Change]:
    old = {(own.family, own.table, own.name): own for own in was.chains}
    new = {(own.family, own.table, own.name): own for own in now.chains}
    found = [Change("chain-removed", now.name, _chain(own)) for key, own in old.items() if key not in new]
    for key, own in new.items():
        earlier = old.get(key)
        if earlier is None:
            found.append(Change("chain-added", now.name, _chain(own), after=_chain_about(own)))
        elif earlier.policy != own.policy:
            found.append(Change("chain-policy", now.name, _chain(own), earlier.policy or "", own.policy or ""))
        found += _rules(now.name, earlier, own)
    return found


def _rules(node: str, was: Chain | None, now: Chain) -> list[Change]:
    """Rules keep their handle for life; their counters are no change."""
    old = {rule.handle: rule for rule in was.rules} if was is not None else {}
    new = {rule.handle: rule for rule in now.rules}
    on = _chain(now)
    found = [Change("rule-removed", node, rule.text, on=on) for handle, rule in old.items() if handle not in new]
    for handle, rule in new.items():
        earlier = old.get(handle)
        if earlier is None:
            found.append(Change("rule-added", node, rule.text, on=on))
        elif earlier.text != rule.text:
            found.append(Change("rule-changed", node, rule.text, earlier.text, rule.text, on))
    return found


def _chain(own: Chain) -> str:
    return f"{own.family} {own.table} {own.name}"


def _chain_about(own: Chain) -> str:
    if own.hook is None:
        return "reached only by a jump"
    return f"hook {own.hook}" + (f", policy {own.policy}" if own.policy else "")


def _sysctls(was: Node, now: Node) -> list[Change]:
    found: list[Change] = []
    for key in [*now.sysctls, *(key for key in was.sysctls if key not in now.sysctls)]:
        old, new = was.sysctls.get(key, ""), now.sysctls.get(key, "")
        if old == new:
            continue
        family = "IPv4" if key in FORWARDING_KEYS else "IPv6" if key in FORWARDING_V6 else ""
        if family and old and new and switched_on(old) != switched_on(new):
            found.append(Change("forwarding-on" if switched_on(new) else "forwarding-off", now.name, family, old, new))
        else:
            found.append(Change("sysctl-changed", now.name, key, old, new, quiet=not old or not new))
    return found


def _listener(own: Listener) -> str:
    address = f"[{own.address}]" if own.family == 6 else own.address
    return f"{own.protocol} {address}:{own.port}"
