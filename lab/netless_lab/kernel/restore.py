"""One namespace back to the links, addresses, routes, rules and neighbours of a baseline; what is to go is told to the kernel in the
kernel's own words: the very message of the dump, with the type that deletes (as ``ip route flush`` does it).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from ..model.snapshot import Address, Link, Neighbour, Node, PolicyRule, Route
from . import encode, sweep
from .attributes import attribute, attributes, nest
from .beginning import LASTING, SETTABLE_FLAGS, LinkImage, images
from .decode_link import RawLink
from .decode_neighbour import NEIGHBOURS_BODY, PROXIES_BODY, RTM_GETNEIGH, decode_neighbour
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

_KERNEL_MADE: Final = frozenset({"kernel", "ra"})
RouteKey = tuple[str, str | None, int, int, str, int, int]


class Restorer:
    """Works on one namespace through one socket, which stays the caller's."""

    def __init__(self, opened: NetlinkSocket, baseline: Node, images: Mapping[int, LinkImage]) -> None:
        self._socket = opened
        self._baseline = baseline
        self._images = images
        self._asked = 0
        self.problems: list[str] = []
        self.touched: frozenset[str] = frozenset()

    def extras(self, spoiled: frozenset[str] = frozenset()) -> tuple[RawLink, ...]:
        """Links that are not of the baseline. Identity is the index and the kind: a name is only a label.

        Cables called as in ``spoiled`` count too: they cannot be put right, only made anew.
        """
        known = {(link.ifindex, link.kind) for link in self._baseline.links if link.kind != "veth" or link.name not in spoiled}
        return tuple(raw for raw in sweep.links(self._socket) if raw.link.kind != "loopback" and (raw.link.ifindex, raw.link.kind) not in known)

    def missing(self) -> tuple[Link, ...]:
        """Links of the baseline that are gone."""
        there = {(raw.link.ifindex, raw.link.kind) for raw in sweep.links(self._socket)}
        return tuple(link for link in self._baseline.links if link.kind != "loopback" and (link.ifindex, link.kind) not in there)

    def links(self) -> None:
        """The links themselves. Those in ``touched`` need their settings once more: IPv6 begins anew on a link whose MTU was below 1280."""
        for raw in sweep.links(self._socket):
            wanted = next((link for link in self._baseline.links if _same(link, raw.link)), None)
            if wanted is not None:
                asked = self._asked
                self._link(raw, wanted)
                if self._asked != asked:
                    self.touched |= {wanted.name}
        self._attributes()

    def routing(self) -> None:
        """What rests on links that are as they should be, and on each other in this order."""
        self._next_hops()
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
        if link.mtu < encode.LEAST_MTU6 and wanted.up:
            self._do(f"switch {wanted.name} off", encode.RTM_SETLINK, encode.link(index, mask=encode.UP))
            self._do(f"switch {wanted.name} on", encode.RTM_SETLINK, encode.link(index, flags=encode.UP, mask=encode.UP))
        flags, mask = encode.flags_of(wanted), encode.UP | encode.NOARP | encode.PROMISC
        if wanted.kind == "loopback":
            mask = encode.UP
        elif wanted.up and not link.up and not any(_by_itself(own) for own in wanted.addresses):
            with contextlib.suppress(NetlinkError):  # a kernel without IPv6
                self._socket.request(encode.RTM_SETLINK, ACK, encode.quiet(index))
        if (encode.flags_of(link) ^ flags) & mask:
            self._do(f"switch {wanted.name}", encode.RTM_SETLINK, encode.link(index, flags=flags, mask=mask))
        for qdisc in (encode.root_qdisc(index), encode.ingress_qdisc(index)):
            with contextlib.suppress(NetlinkError):  # there is none but the one it was born with
                self._socket.request(encode.RTM_DELQDISC, ACK, qdisc)

    def _attributes(self) -> None:
        """What a snapshot does not hold of a link, told back as the kernel gave it."""
        for index, now in images(self._socket).items():
            was = self._images.get(index)
            if was is None or was == now:
                continue
            name = next((link.name for link in self._baseline.links if link.ifindex == index), str(index))
            if was.flags != now.flags:
                body = encode.link(index, flags=was.flags, mask=SETTABLE_FLAGS)
                self._do(f"give {name} its flags", encode.RTM_SETLINK, body)
            for kind, value in was.attributes.items():
                if now.attributes.get(kind) != value:
                    self._do(f"give {name} its {LASTING[kind]}", encode.RTM_SETLINK, encode.link(index, attribute(kind, value)))
            if now.xdp and not was.xdp:
                for mode in encode.XDP_MODES:
                    with contextlib.suppress(NetlinkError):  # nothing is attached in this mode
                        self._socket.request(encode.RTM_SETLINK, ACK, encode.without_xdp(index, mode))

    def _next_hops(self) -> None:
        """Next hop objects (ip-nexthop(8)): the lab makes none. Routes through them go along, and so do groups that lose their last."""
        with contextlib.suppress(NetlinkError):  # kernels before 5.3
            for body in self._socket.dump(encode.RTM_GETNEXTHOP, encode.next_hop()):
                number = attributes(body, len(encode.next_hop())).get(1)
                if number is not None:
                    with contextlib.suppress(NetlinkError):
                        self._socket.request(encode.RTM_DELNEXTHOP, ACK, encode.next_hop(number))

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
        by_itself = {link.ifindex for link in self._baseline.links if any(_by_itself(own) for own in link.addresses)}
        there = set()
        for body in self._socket.dump(RTM_GETADDR, ADDRESSES_BODY):
            found = decode_address(body)
            if found is None:
                continue
            index, own = found
            there.add(_address_key(index, own))
            if _address_key(index, own) not in wanted and not (_by_itself(own) and index in by_itself):
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
        for body in self._socket.dump(RTM_GETNEIGH, PROXIES_BODY):
            with contextlib.suppress(NetlinkError):
                self._socket.request(encode.RTM_DELNEIGH, ACK, body)
        for key, own in wanted.items():
            if key not in there and key[1] and own.state == "permanent":
                self._do(f"give back {own.address}", encode.RTM_NEWNEIGH, encode.neighbour(own, key[1]), encode.CREATE | encode.REPLACE)

    def _do(self, what: str, kind: int, body: bytes, flags: int = 0) -> None:
        """One request. What fails is remembered, and the rest is still done: a purge brings back as much as it can."""
        self._asked += 1
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
