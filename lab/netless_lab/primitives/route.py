"""A route: which way packets for a network leave a node (ip-route(8)). Each node has its own table.

Which routes decide where the packets of a node to some network go: by the policy rules, the longest prefix and the metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Literal

from msgspec.structs import replace

from ..model.addresses import same
from ..model.gates import passes_on
from ..model.routes import MAIN, goes_on, met, of_one_service
from ..model.snapshot import Address, Node, PolicyRule, Route, Snapshot
from .base import Action, CannotTell, Dialect, Expectation, Finding, Met, NotMet, Where, in_host, on_link, python_program, word
from .link import LinkExists
from .look import inside, listed, no_node, opening, place
from .outline import with_node, without_routes
from .roles import Ip, LinkName, Net, NodeName

_Span = tuple[int, int]
"""The first and the last address of a network, as numbers: two networks are apart, or one lies in the other."""


class AddRoute(Action, frozen=True, rename={"node": "in", "dst": "route"}):
    """``{ route = "default", via = "10.0.0.1", in = "c1" }``, or ``dev`` instead of (or beside) ``via``."""

    dst: Net
    via: Ip | None = None
    dev: LinkName | None = None
    node: NodeName = "host"

    def __post_init__(self) -> None:
        _require(self.dst, self.via, self.dev)

    def sentence(self) -> str:
        what = "everything not known better" if self.dst == "default" else self.dst
        way = f"to {self.via}" if self.via else f"out of {self.dev}"
        return f"Send {what}{in_host(self.node)} {way}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip route add`` or ``route add``."""
        return _lines("add", self, dialect, where)

    def inverse(self) -> tuple[Action, ...]:
        return (DeleteRoute(dst=self.dst, via=self.via, dev=self.dev, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        """The device, when one is named."""
        return (LinkExists(name=self.dev, node=self.node, up=True),) if self.dev else ()

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One route more; the way out of the node is the link whose network holds the gateway."""

        def edit(node: Node) -> Node:
            dev = self.dev or (way_to(node, self.via) if self.via else None)
            scope, family = "global" if self.via else "link", _family(self.dst, self.via)
            return replace(node, routes=(*node.routes, Route(self.dst, self.via, dev, scope=scope, family=family)))

        return with_node(snapshot, self.node, edit)


class DeleteRoute(Action, frozen=True, rename={"node": "in", "dst": "unroute"}):
    """``{ unroute = "default", via = "10.0.0.1", in = "c1" }``."""

    dst: Net
    via: Ip | None = None
    dev: LinkName | None = None
    node: NodeName = "host"

    def __post_init__(self) -> None:
        _require(self.dst, self.via, self.dev)

    def sentence(self) -> str:
        return f"Delete the route {self.dst}{f' via {self.via}' if self.via else ''}{in_host(self.node)}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip route del`` or ``route del``."""
        return _lines("del", self, dialect, where)

    def inverse(self) -> tuple[Action, ...]:
        return (AddRoute(dst=self.dst, via=self.via, dev=self.dev, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        return (HasRoute(dst=self.dst, via=self.via, dev=self.dev, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """One route less."""
        return without_routes(snapshot, self.node, lambda own: own.table == MAIN and fits(own, self.dst, self.via, self.dev))


class HasRoute(Expectation, frozen=True, rename={"node": "in", "dst": "route"}):
    """``{ route = "default", via = "10.0.0.1", in = "c1" }``."""

    dst: Net
    via: Ip | None = None
    dev: LinkName | None = None
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """A unicast route with this destination that the node's own packets meet and, when said, with this gateway and device.

        In another table to which a policy rule leads some of them it cannot be told: which packets look there is up to the rule.
        """
        way = f"{f' via {self.via}' if self.via else ''}{f' through {self.dev}' if self.dev else ''}"
        claim = f"{self.node} has the route {self.dst}{way}"
        expected = f"the route {self.dst}{way}{inside(self.node)}"
        look = where.ip(self.node, "route show")
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        family = _family(self.dst, self.via)
        found = deciding(node, self.dst, family)
        parts = _parts(found)
        if found and all(self._leads(route) for route in found):
            return Met(claim if len(parts) == 1 else f"{claim}, in parts: {listed(tuple(parts), '')}")
        if found and all(any(map(self._leads, routes)) for routes in parts.values()):
            return CannotTell(claim, expected, f"{_ways(self.dst, parts)}, and the kernel chooses for each packet", _look_at(found, look))
        if (other := self._by_another_name(snapshot, found)) is not None:
            return Met(f"{self.node} has the route {self.dst} {_way(found[0])}, which is {place(other)} as well")
        if relays := self._relays(snapshot, found, (node,)):
            why = f"{_ways(self.dst, parts)}, which is {place(relays[0])}, and that sends on what comes to it, to {self.via} in the end"
            return CannotTell(claim, expected, why, _look_at(found, look))
        if found:
            seen = _ways(self.dst, parts)
            near = self._wrong_way(snapshot, next(route for route in found if not self._leads(route)))
            behind = next((own for own in node.routes if own.table == found[0].table and fits(own, self.dst, self.via, self.dev)), None)
            if behind is not None and plain(self.dst) not in parts:
                near = f"There is one {_way(behind)} too, but those to {listed(tuple(parts), '')} say more precisely where a packet goes: they are taken."
            elif behind is not None:
                near = f"There is one {_way(behind)} too, but its metric is {behind.metric} and that of the other {found[0].metric}: the lower one is taken."
            return NotMet(claim, expected, seen, _look_at(found, look), near)
        for rule in node.policy:
            elsewhere = (route for route in node.routes if (route.table, route.family) == (rule.table, rule.family))
            if rule.table != MAIN and any(fits(route, self.dst, self.via, self.dev) for route in elsewhere):
                why = f"the route is in table {rule.table}, and the rule `{rule.text}` says which packets look there"
                return CannotTell(claim, expected, why, where.ip(self.node, "rule show"))
        mine = tuple(f"{route.dst} {_way(route)}" for route in node.routes if route.table == MAIN and route.family == family)
        return NotMet(claim, expected, f"routes: {listed(mine, 'none')}", look, self._near(snapshot, node))

    def _by_another_name(self, snapshot: Snapshot, found: tuple[Route, ...]) -> Node | None:
        """Whose gateway it is, when each of these routes leads to another address of the very link that has the one asked for."""
        owner = next((node for node in snapshot.nodes if self.via is not None and node.name != self.node and node.owner(self.via)), None)
        link = owner.owner(self.via) if owner is not None and self.via is not None else None
        if link is None or not found:
            return None
        others = {own.address for own in link.addresses}
        good = all(route.type == "unicast" and route.via in others and self.dev in (None, route.dev) for route in found)
        return owner if good else None

    def _leads(self, route: Route) -> bool:
        """Whether a route goes the way that is asked for, to whatever destination."""
        return _goes(route, self.via, self.dev)

    def _relays(self, snapshot: Snapshot, found: tuple[Route, ...], passed: tuple[Node, ...]) -> tuple[Node, ...]:
        """The nodes one behind the other that these routes lead to and each of which sends on, the last of them to the gateway asked for."""
        gateways = {route.via for route in found if route.type == "unicast"}
        via = gateways.pop() if len(gateways) == 1 else None
        relay = next((own for own in snapshot.nodes if via is not None and own not in passed and own.owner(via)), None)
        link = relay.owner(via) if relay is not None and via is not None else None
        family = _family(self.dst, self.via)
        if relay is None or link is None or self.via is None or passes_on(relay, relay.ip_device(link.name), family) is not True:
            return ()
        onward = deciding(relay, self.dst, family)
        if onward and all(_goes(route, self.via, None) for route in onward):
            return (*passed[1:], relay)
        return self._relays(snapshot, onward, (*passed, relay))

    def _wrong_way(self, snapshot: Snapshot, route: Route) -> str:
        if self.via is None or same(route.via, self.via):
            return ""
        if route.type != "unicast":
            return f"That route is of the kind {route.type}, which sends nothing on; it has to go to the gateway {self.via}."
        if route.via is None:
            return f"That route asks for every address directly on {route.dev}; it has to go to the gateway {self.via}."
        owner = next((node for node in snapshot.nodes if node.owner(route.via)), None)
        whose = f"belongs to {place(owner)}" if owner else "is nobody's address here"
        return f"The gateway {route.via} {whose}; the way out is {self.via}."

    def _near(self, snapshot: Snapshot, node: Node) -> str:
        for other in snapshot.nodes:
            if other.netns != node.netns and any(fits(route, self.dst, self.via, self.dev) for route in other.routes):
                return f"{opening(place(other))} has this route; every node has a table of its own, and {place(node)} needs it."
        aside = next((route.table for route in node.routes if fits(route, self.dst, self.via, self.dev)), None)
        if aside is not None:
            return f"This route stands in the table {aside}, and no rule of `ip rule` sends {place(node)}'s own packets there."
        family = _family(self.dst, self.via)
        if any(plain(route.dst) == plain(self.dst) == "default" and route.family != family for route in node.routes if route.type == "unicast"):
            return f"There is a default route for IPv{10 - family}; packets of IPv{family} have routes of their own."
        partly = tuple(route.dst for route in node.routes if (route.table, route.family) == (MAIN, family) and _inside(route, self.dst) and self._leads(route))
        if partly:
            return f"What goes that way is a part of it only: {listed(partly, '')}."
        if self.via is not None and way_to(node, self.via) is None:
            return f"{opening(place(node))} has no network that holds {self.via}: a gateway must be a direct neighbour."
        lost = self.via is not None and any(not link.up and _holds(link.v4, self.via) for link in node.links)
        return "Its interface is down: switching a link off deletes the routes through it." if lost else ""


class NoRoute(Expectation, frozen=True, rename={"node": "in", "dst": "no-route"}):
    """``{ no-route = "default", in = "c1" }``."""

    dst: Net
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """No unicast route with this destination that the node's own packets meet."""
        claim = f"{self.node} has no route {self.dst}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, claim)
        found = tuple(route for route in deciding(node, self.dst, _family(self.dst, None)) if route.type == "unicast")
        if not found:
            return Met(claim)
        seen = _ways(self.dst, _parts(found))
        look = _look_at(found, where.ip(self.node, "route show"))
        return NotMet(claim, f"no route {self.dst}{inside(self.node)}", seen, look)


def fits(route: Route, dst: str, via: str | None, dev: str | None) -> bool:
    """Whether a route is the one described, in whatever table; None means: any. ``default`` without a gateway is that of IPv4."""
    return route.family == _family(dst, via) and plain(route.dst) == plain(dst) and _goes(route, via, dev)


def _goes(route: Route, via: str | None, dev: str | None) -> bool:
    return route.type == "unicast" and (via is None or same(route.via, via)) and (dev is None or route.dev == dev)


def _parts(found: tuple[Route, ...]) -> dict[str, tuple[Route, ...]]:
    """Routes by their destinations."""
    return {part: tuple(route for route in found if plain(route.dst) == part) for part in dict.fromkeys(plain(route.dst) for route in found)}


def _ways(dst: str, parts: dict[str, tuple[Route, ...]]) -> str:
    """Where the packets to a network go, by the routes of each part of it."""
    told = {dst: next(iter(parts.values()))} if len(parts) == 1 else parts
    return "; ".join(f"{part} goes {listed(tuple(map(_way, routes)), '')}" for part, routes in told.items())


def _family(dst: str, via: str | None) -> Literal[4, 6]:
    return 6 if ":" in dst or ":" in (via or "") else 4


def _look_at(found: tuple[Route, ...], main: str) -> str:
    """The command that shows these routes; ``main`` shows those of the main table."""
    table = found[0].table
    return main if table == MAIN else f"{main} table {table}"


def _inside(route: Route, dst: str) -> bool:
    """Whether a route of the family of ``dst`` is to a part of it."""
    if plain(route.dst) == "default" or plain(dst) == "default":
        return plain(route.dst) != "default"
    outer, inner = ip_network(dst, strict=False), ip_network(route.dst, strict=False)
    return inner.prefixlen > outer.prefixlen and inner.network_address in outer


def way_to(node: Node, ip: str) -> str | None:
    """The link of ``node`` whose own network holds ``ip``, or that a device route reaches it by."""
    for link in node.links:
        if _holds(link.addresses, ip):
            return link.name
    wanted = ip_address(ip)
    direct = (route for route in node.routes if route.via is None and route.dst != "default")
    return next((route.dev for route in direct if wanted in ip_network(route.dst, strict=False)), None)


def _holds(addresses: tuple[Address, ...], ip: str) -> bool:
    return any(ip_address(ip) in ip_network(address.cidr, strict=False) for address in addresses)


def _way(route: Route) -> str:
    return f"via {route.via}" if route.via else f"through {route.dev}" if route.dev else route.type


def _require(dst: str, via: str | None, dev: str | None) -> None:
    if via is None and dev is None:
        raise ValueError(f'the route {dst} leads nowhere: add via = "a gateway" or dev = "an interface"')


def _lines(change: Literal["add", "del"], own: AddRoute | DeleteRoute, dialect: Dialect, where: Where) -> tuple[str, ...]:
    """``ip route add|del`` or ``route add|del``."""
    dst, via, dev, six = own.dst, own.via, own.dev, _family(own.dst, own.via) == 6
    if dialect == "legacy":
        return (where.run(own.node, f"route {'-A inet6 ' * six}{change} {_legacy(dst, via, dev)}"),)
    if dialect == "ip":
        family = "-6 " * (six and dst == "default" and dev is not None and via is None)
        return (where.ip(own.node, f"{family}route {change} {dst}{f' via {via}' if via else ''}{f' dev {word(dev)}' if dev else ''}"),)
    words = f'dst="{dst}"{", family=10" * six}' + (f', gateway="{via}"' if via else "") + ', proto="boot"' * (change == "add")
    if dev is None:
        return python_program(where, own.node, f'ipr.route("{change}", {words})')
    scope = ', scope="link"' * (via is None and not six)
    return on_link(where, own.node, dev, f'ipr.route("{change}", {words}, oif=index{scope})')


def _legacy(dst: str, via: str | None, dev: str | None) -> str:
    way = f"{f' gw {via}' if via else ''}{f' dev {word(dev)}' if dev else ''}"
    if dst == "default" or ":" in dst:
        return f"{dst}{way}"
    network = ip_network(dst, strict=False)
    return f"-host {network.network_address}{way}" if network.prefixlen == 32 else f"-net {network}{way}"


def deciding(node: Node, dst: str, family: Literal[4, 6] = 4) -> tuple[Route, ...]:
    """The routes that the node's own packets to just anywhere in this network take: of the first table, in the order of the policy rules, that
    has any (``throw`` sends on to the next). None are met behind a rule that refuses (ip-rule(8)).

    Those to parts of it decide where together they are all of it, such as 0.0.0.0/1 and 128.0.0.0/1; else those to exactly it, of the lowest
    metric. Rules that speak of some packets only (of a sender, of a mark) are passed over: a packet that is about to be sent has neither yet.
    """
    for rule in _rules(node, dst, family):
        there = (own for own in node.routes if (own.table, own.family) == (rule.table, family) and own.type != "throw" and not of_one_service(own))
        told = (own for own in there if rule.suppress is None or _length(own.dst) > rule.suppress)
        if found := _over(_span(dst, family), [(own, _span(own.dst, family)) for own in told]):
            return found
    return ()


def _over(whole: _Span, routes: Sequence[tuple[Route, _Span]]) -> tuple[Route, ...]:
    """Of the routes of a table, each with its network, those that decide for all of a network."""
    parts: list[_Span] = []
    for first, last in sorted({span for _, span in routes}, key=lambda span: (span[0], -span[1])):
        if (first, last) != whole and whole[0] <= first and last <= whole[1] and not (parts and last <= parts[-1][1]):
            parts.append((first, last))
    ends = (whole[0] - 1, *(last for _, last in parts))
    if parts and ends[-1] == whole[1] and all(first == end + 1 for end, (first, _) in zip(ends, parts, strict=False)):
        return tuple(route for part in parts for route in _over(part, routes))
    exact = [route for route, span in routes if span == whole]
    return tuple(own for own in exact if own.metric == min(route.metric for route in exact))


def _span(dst: str, family: Literal[4, 6]) -> _Span:
    net = ip_network(("0.0.0.0/0" if family == 4 else "::/0") if plain(dst) == "default" else dst, strict=False)
    return int(net.network_address), int(net.broadcast_address)


def _length(dst: str) -> int:
    return 0 if plain(dst) == "default" else ip_network(dst, strict=False).prefixlen


def _rules(node: Node, dst: str, family: Literal[4, 6]) -> Iterator[PolicyRule]:
    """The rules by which a node looks up the way of any packet of its own to ``dst``, in order."""
    for rule in met(node, family, lambda rule: _for_any(rule, dst)):
        if rule.action == "lookup":
            yield rule
        elif not goes_on(rule):
            return


def _for_any(rule: PolicyRule, dst: str) -> bool:
    """Whether a rule is for a packet of which nothing is known but that it goes to ``dst`` and was made here, where its device is called lo."""
    if rule.others:
        return False
    fits = (rule.src, rule.oif, rule.mark) == ("all", None, None) and rule.iif in (None, "lo") and _leads(rule.dst, dst)
    return fits != rule.negated


def _leads(held: str, dst: str) -> bool:
    """Whether every packet to ``dst`` goes to the network of a rule."""
    if held == "all" or plain(dst) == "default":
        return held == "all"
    outer, inner = ip_network(held, strict=False), ip_network(dst, strict=False)
    return inner.network_address in outer and inner.prefixlen >= outer.prefixlen


def plain(dst: str) -> str:
    """One spelling of a destination: ``default``, or the network with its prefix."""
    return "default" if dst in ("default", "0.0.0.0/0", "::/0") else str(ip_network(dst, strict=False))
