"""One namespace back to the links, addresses, routes, rules and neighbours of a baseline; what is to go is told to the kernel in the
kernel's own words: the very message of the dump, with the type that deletes (as ``ip route flush`` does it).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from ..model.snapshot import Address, Link, Neighbour, Node, PolicyRule, Route
from . import encode
from .attributes import nest
from .decode_link import RawLink
from .decode_neighbour import NEIGHBOURS_BODY, RTM_GETNEIGH, decode_neighbour
from .decode_route import (
    ADDRESSES_BODY,
    ROUTES_BODY,
    RTM_GETADDR,
    RTM_GETROUTE,
    RTM_GETRULE,
    RULES_BODY,
    decode_address,
    decode_route,
    decode_rule,
)
from .rtnetlink import ACK, NetlinkError, NetlinkSocket
from .sweep import links

_KERNEL_MADE: Final = frozenset({"kernel", "ra"})
RouteKey = tuple[str, str | None, int, int, str, int, int]


class Restorer:
    """Works on one namespace through one socket, which stays the caller's."""

    def __init__(self, opened: NetlinkSocket, baseline: Node) -> None:
        self._socket = opened
        self._baseline = baseline
        self.problems: list[str] = []

    def extras(self) -> tuple[RawLink, ...]:
        """Links that are not of the baseline. Identity is the index and the kind: a name is only a label."""
        known = {(link.ifindex, link.kind) for link in self._baseline.links}
        return tuple(raw for raw in links(self._socket) if raw.link.kind != "loopback" and (raw.link.ifindex, raw.link.kind) not in known)

    def missing(self) -> tuple[Link, ...]:
        """Links of the baseline that are gone."""
        there = {(raw.link.ifindex, raw.link.kind) for raw in links(self._socket)}
        return tuple(link for link in self._baseline.links if link.kind != "loopback" and (link.ifindex, link.kind) not in there)

    def restore(self) -> None:
        """Everything, in the order in which one thing rests on another."""
        for raw in links(self._socket):
            wanted = next((link for link in self._baseline.links if _same(link, raw.link)), None)
            if wanted is not None:
                self._link(raw, wanted)
        self._addresses()
        self._rules()
        self._routes()
        self._neighbours()

    def _link(self, raw: RawLink, wanted: Link) -> None:
        link, index = raw.link, raw.link.ifindex
        if raw.master:
            self._do(f"take {link.name} out of its bridge", encode.RTM_SETLINK, encode.link(index, encode.number(encode.IFLA_MASTER, 0)))
        if link.name != wanted.name:
            self._rename(link, wanted)
        if link.mac != wanted.mac and wanted.mac and wanted.kind != "loopback":
            self._do(f"give {wanted.name} its MAC", encode.RTM_SETLINK, encode.link(index, encode.mac(wanted.mac)))
        if link.mtu != wanted.mtu:
            self._do(f"give {wanted.name} its MTU", encode.RTM_SETLINK, encode.link(index, encode.number(encode.IFLA_MTU, wanted.mtu)))
        if link.alias != wanted.alias:
            self._do(
                f"give {wanted.name} its alias", encode.RTM_SETLINK, encode.link(index, encode.string(encode.IFLA_IFALIAS, wanted.alias))
            )
        for name in set(link.altnames) - set(wanted.altnames):
            listed = nest(encode.IFLA_PROP_LIST, encode.string(encode.IFLA_ALT_IFNAME, name))
            self._do(f"take the name {name} from {wanted.name}", encode.RTM_DELLINKPROP, encode.link(index, listed))
        flags, mask = encode.flags_of(wanted), encode.UP | encode.NOARP | encode.PROMISC
        if wanted.kind == "loopback":
            mask = encode.UP
        elif wanted.up and not link.up and not any(_by_itself(own) for own in wanted.addresses):
            with contextlib.suppress(NetlinkError):  # a kernel without IPv6
                self._socket.request(encode.RTM_SETLINK, ACK, encode.quiet(index))
        if (encode.flags_of(link) ^ flags) & mask:
            self._do(f"switch {wanted.name}", encode.RTM_SETLINK, encode.link(index, flags=flags, mask=mask))
        with contextlib.suppress(NetlinkError):  # there is none but the one it was born with
            self._socket.request(encode.RTM_DELQDISC, ACK, encode.root_qdisc(index))

    def _rename(self, link: Link, wanted: Link) -> None:
        """Kernels before 6.2 rename only what is down; ``restore`` switches it on again afterwards."""
        body = encode.link(link.ifindex, encode.string(encode.IFLA_IFNAME, wanted.name))
        try:
            self._socket.request(encode.RTM_SETLINK, ACK, body)
        except NetlinkError:
            self._do(f"switch {link.name} off", encode.RTM_SETLINK, encode.link(link.ifindex, mask=encode.UP))
            self._do(f"rename {link.name} to {wanted.name}", encode.RTM_SETLINK, body)
            if wanted.up:
                self._do(f"switch {wanted.name} on", encode.RTM_SETLINK, encode.link(link.ifindex, flags=encode.UP, mask=encode.UP))

    def _addresses(self) -> None:
        wanted = {_address_key(link.ifindex, own): own for link in self._baseline.links for own in link.addresses}
        there = set()
        for body in self._socket.dump(RTM_GETADDR, ADDRESSES_BODY):
            found = decode_address(body)
            if found is None:
                continue
            index, own = found
            there.add(_address_key(index, own))
            if _address_key(index, own) not in wanted and not _by_itself(own):
                self._do(f"take away {own.cidr}", encode.RTM_DELADDR, body)
        for key, own in wanted.items():
            if key not in there and not _by_itself(own):
                self._do(f"give back {own.cidr}", encode.RTM_NEWADDR, encode.address(key[0], own), encode.CREATE | encode.REPLACE)

    def _rules(self) -> None:
        wanted, there = list(self._baseline.policy), []
        for body in self._socket.dump(RTM_GETRULE, RULES_BODY):
            found = decode_rule(body)
            if found is None:
                continue
            if found in wanted and found not in there:
                there.append(found)
            else:
                self._do(f"delete the rule {found.priority}", encode.RTM_DELRULE, body)
        for rule in wanted:
            if rule not in there and _simple(rule):
                self._do(f"give back the rule {rule.priority}", encode.RTM_NEWRULE, encode.rule(rule), encode.CREATE | encode.EXCLUSIVE)

    def _routes(self) -> None:
        indexes = {link.name: link.ifindex for link in self._baseline.links}
        wanted = {_route_key(route, indexes.get(route.dev or "", 0)): route for route in self._baseline.routes}
        there: set[RouteKey] = set()
        for body in self._socket.dump(RTM_GETROUTE, ROUTES_BODY):
            found = tuple(decode_route(body))
            keys = {_route_key(raw.route, raw.device) for raw in found}
            there |= keys
            if found and not keys <= wanted.keys() and not all(_noise(raw.route) for raw in found):
                self._do(f"delete the route {found[0].route.dst}", encode.RTM_DELROUTE, encode.without_state(body))
        missing = [(key, route) for key, route in wanted.items() if key not in there and not _noise(route)]
        for key, route in sorted(missing, key=lambda item: item[1].via is not None):
            self._do(f"give back the route {route.dst}", encode.RTM_NEWROUTE, encode.route(route, key[2]), encode.CREATE | encode.REPLACE)

    def _neighbours(self) -> None:
        indexes = {link.name: link.ifindex for link in self._baseline.links}
        wanted = {(own.address, indexes.get(own.dev, 0)): own for own in self._baseline.neighbours if own.mac}
        there = set()
        for body in self._socket.dump(RTM_GETNEIGH, NEIGHBOURS_BODY):
            found = decode_neighbour(body)
            if found is None:
                continue
            key = (found.entry.address, found.device)
            if key in wanted and _like(found.entry, wanted[key]):
                there.add(key)
            else:
                with contextlib.suppress(NetlinkError):  # it may be gone by itself
                    self._socket.request(encode.RTM_DELNEIGH, ACK, body)
        for key, own in wanted.items():
            if key not in there and key[1] and own.state == "permanent":
                self._do(f"give back {own.address}", encode.RTM_NEWNEIGH, encode.neighbour(own, key[1]), encode.CREATE | encode.REPLACE)

    def _do(self, what: str, kind: int, body: bytes, flags: int = 0) -> None:
        """One request. What fails is remembered and the rest is still done: a purge brings back as much as it can."""
        try:
            self._socket.request(kind, ACK | flags, body)
        except NetlinkError as error:
            self.problems.append(f"could not {what} in {self._baseline.name}: {error.strerror}")


def _same(wanted: Link, own: Link) -> bool:
    return wanted.kind == own.kind and (wanted.ifindex == own.ifindex or own.kind == "loopback")


def _address_key(index: int, own: Address) -> tuple[int, str, int]:
    return index, own.address, own.prefix


def _by_itself(own: Address) -> bool:
    """Addresses that the kernel gives and takes: IPv6 link-local ones and ::1."""
    return own.family == 6 and own.scope in ("link", "host")


def _noise(route: Route) -> bool:
    """IPv6 routes that come and go with the kernel's own addresses."""
    return route.family == 6 and route.protocol in _KERNEL_MADE


def _route_key(route: Route, index: int) -> RouteKey:
    return route.dst, route.via, index, route.table, route.type, route.metric, route.family


def _simple(rule: PolicyRule) -> bool:
    return rule.action in ("lookup", "nop", "blackhole", "unreachable", "prohibit") and rule.mark is None


def _like(one: Neighbour, other: Neighbour) -> bool:
    return one.mac == other.mac and (one.state == "permanent") == (other.state == "permanent")


def cables(nodes: tuple[Node, ...], missing: dict[str, tuple[Link, ...]]) -> Iterator[tuple[Node, Link, Node, Link]]:
    """The veth pairs of the baseline of which both ends are gone, each once."""
    done = set()
    for node in nodes:
        for link in missing.get(node.name, ()):
            far_node = next((other for other in nodes if link.peer is not None and other.name == link.peer.node), None)
            far = (
                next((own for own in missing.get(far_node.name, ()) if link.peer and own.ifindex == link.peer.ifindex), None)
                if far_node
                else None
            )
            if link.kind != "veth" or far_node is None or far is None or (node.name, link.ifindex) in done:
                continue
            done |= {(node.name, link.ifindex), (far_node.name, far.ifindex)}
            yield node, link, far_node, far
