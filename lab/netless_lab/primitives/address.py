"""An IP address on an interface, with the length of its network (ip-address(8), RFC 4632)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_interface

from msgspec.structs import replace

from ..model.addresses import plain
from ..model.snapshot import Address, Link, Node, Route, Snapshot
from .base import Action, Dialect, Expectation, Finding, Met, NotMet, Where, in_host, on_link, word
from .link import LinkExists
from .look import inside, listed, no_link, no_node, place
from .outline import with_link, with_node, without_routes
from .roles import Cidr, LinkName, NodeName


class AddAddress(Action, frozen=True, rename={"cidr": "address", "link": "dev", "node": "in"}):
    """``{ address = "10.0.0.2/24", dev = "veth1", in = "c1" }``.

    The legacy line also switches the link on: ifconfig(8) always does (``beside``). It is the one difference between the dialects.
    """

    cidr: Cidr
    link: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        own = ip_interface(self.cidr)
        network = f": {own.network} is then reached through it" if own.network.num_addresses > 1 else ""
        return f"Give {self.link}{in_host(self.node)} the address {self.cidr}{network}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip addr add`` or ``ifconfig``, which would take away another address of IPv4 that the link has: then ip(8) must do."""
        if dialect == "pyroute2":
            own = ip_interface(self.cidr)
            call = f'ipr.addr("add", index=index, address="{own.ip}", prefixlen={own.network.prefixlen})'
            return on_link(where, self.node, self.link, call)
        if dialect == "legacy":
            if ":" not in self.cidr and any(own != self.cidr for own in where.held.get((self.node, self.link), ())):
                return (where.ip(self.node, f"addr add {self.cidr} dev {word(self.link)}"), where.run(self.node, f"ifconfig {word(self.link)} up"))
            family = "inet6 add " if ":" in self.cidr else ""
            return (where.run(self.node, f"ifconfig {word(self.link)} {family}{self.cidr}"),)
        return (where.ip(self.node, f"addr add {self.cidr} dev {word(self.link)}"),)

    def inverse(self) -> tuple[Action, ...]:
        return (DeleteAddress(cidr=self.cidr, link=self.link, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        return (LinkExists(name=self.link, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The address under the chip, and the route the kernel makes with it."""
        own = ip_interface(self.cidr)
        address = Address(str(own.ip), own.network.prefixlen, 6 if own.version == 6 else 4)

        def hold(link: Link) -> Link:
            return link if address in link.addresses else replace(link, addresses=(*link.addresses, address))

        def connect(node: Node) -> Node:
            if node.link(self.link) is None or own.network.num_addresses == 1:
                return node
            route = Route(str(own.network), None, self.link, scope="link", protocol="kernel", src=str(own.ip))
            return node if route in node.routes else replace(node, routes=(*node.routes, route))

        return with_node(with_link(snapshot, self.node, self.link, hold), self.node, connect)


class DeleteAddress(Action, frozen=True, rename={"cidr": "unaddress", "link": "dev", "node": "in"}):
    """``{ unaddress = "10.0.0.2/24", dev = "veth1", in = "c1" }``."""

    cidr: Cidr
    link: LinkName
    node: NodeName = "host"

    def sentence(self) -> str:
        return f"Take the address {self.cidr} from {self.link}{in_host(self.node)}."

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """``ip addr del``. ifconfig(8) can take away a single address of IPv6 only: ``ifconfig 0.0.0.0`` takes whichever came first."""
        if dialect == "pyroute2":
            own = ip_interface(self.cidr)
            call = f'ipr.addr("del", index=index, address="{own.ip}", prefixlen={own.network.prefixlen})'
            return on_link(where, self.node, self.link, call)
        if dialect == "legacy" and ":" in self.cidr:
            return (where.run(self.node, f"ifconfig {word(self.link)} inet6 del {self.cidr}"),)
        return (where.ip(self.node, f"addr del {self.cidr} dev {word(self.link)}"),)

    def inverse(self) -> tuple[Action, ...]:
        return (AddAddress(cidr=self.cidr, link=self.link, node=self.node),)

    def needs(self) -> tuple[Expectation, ...]:
        return (HasAddress(cidr=self.cidr, link=self.link, node=self.node),)

    def outline(self, snapshot: Snapshot) -> Snapshot:
        """The address vanishes, with the routes that named it as their source."""
        ip = str(ip_interface(self.cidr).ip)

        def drop(link: Link) -> Link:
            return replace(link, addresses=tuple(own for own in link.addresses if own.address != ip))

        return without_routes(with_link(snapshot, self.node, self.link, drop), self.node, lambda route: route.src == ip)


class HasAddress(Expectation, frozen=True, rename={"cidr": "address", "link": "dev", "node": "in"}):
    """``{ address = "10.0.0.2/24", dev = "veth1", in = "c1" }``; without ``dev`` on any interface of the node."""

    cidr: Cidr
    link: LinkName | None = None
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """The address on the link and in the node that were named, with this prefix or with one of a wider network that nobody beyond the cable is in:
        all neighbours are reached with it, and whoever is not one is not looked for among them.
        """
        claim = f"{self.link or 'an interface'}{inside(self.node)} has {self.cidr}"
        expected = f"{self.cidr} on {self.link or 'some interface'}{inside(self.node)}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        holders = tuple(link for link in node.links if any(a.cidr == str(ip_interface(self.cidr)) for a in link.addresses))
        if any(self.link is None or link is node.link(self.link) for link in holders):
            return Met(claim)
        look = where.ip(self.node, "-br addr show")
        link = node.link(self.link) if self.link else None
        for held in _wider(node.links if self.link is None else filter(None, (link,)), self.cidr):
            if _beyond(snapshot, node, held, self.cidr) is None:
                return Met(f"{self.link or 'an interface'}{inside(self.node)} has {held.cidr}, a network that holds {ip_interface(self.cidr).network}")
        if self.link is not None and link is None:
            seen, near = no_link(snapshot, node, self.link)
            return NotMet(claim, expected, seen, look, self._on_the_way(snapshot, near))
        near = self._near(snapshot, node, link)
        return NotMet(claim, expected, self._seen(node, link), look, near or _wiped(node, link, where))

    def _seen(self, node: Node, link: Link | None) -> str:
        if link is not None:
            return f"{link.name} has {listed(tuple(a.cidr for a in _given(link)), 'no address')}"
        every = tuple(f"{own.name} {a.cidr}" for own in node.links for a in _given(own))
        return f"{place(node)} has {listed(every, 'no address')}"

    def _near(self, snapshot: Snapshot, node: Node, link: Link | None) -> str:
        wanted = ip_interface(self.cidr)
        given = _given(link) if link is not None else ()
        for held in given:
            other_one = held.family == wanted.version and held.address != str(wanted.ip)
            if link is not None and other_one and (why := unfit(held.cidr, self.cidr) or _clash(snapshot, node, link, held)):
                return why
        for own in node.links:
            for address in own.addresses:
                if address.address != str(wanted.ip):
                    continue
                if link is not None and own.name != link.name:
                    return _wrong_link(own, link, address.cidr)
                return _wrong_prefix(address, self.cidr, _beyond(snapshot, node, address, self.cidr))
        for other in snapshot.nodes:
            own_link = other.owner(str(wanted.ip)) if other.netns != node.netns else None
            if own_link is not None:
                return f"{wanted.ip} is on {own_link.name} in {place(other)}, not in {place(node)}."
        bare = link is not None and not given
        if link is not None and not bare and not any(own.family == wanted.version for own in given):
            return f"{link.name} has an address, but none of IPv{wanted.version}."
        for other in snapshot.nodes:
            for far in other.links if link is not None and not bare else ():
                if far is not link and any(ip_interface(own.cidr).network == wanted.network for own in far.addresses):
                    return f"{far.name}{inside(other.name)} is in {wanted.network}: only who is in the same network is its neighbour."
        return ""

    def _on_the_way(self, snapshot: Snapshot, near: str) -> str:
        """The link is elsewhere and has the address already: the move will wipe it."""
        for node in snapshot.nodes:
            link = node.link(self.link) if self.link else None
            if link is not None and any(a.address == str(ip_interface(self.cidr).ip) for a in link.addresses):
                return f"{near} It has its address already, but the move will wipe it: move first, then give the address."
        return near


class NoAddress(Expectation, frozen=True, rename={"cidr": "no-address", "link": "dev", "node": "in"}):
    """``{ no-address = "10.0.0.1/24", dev = "veth2" }``: the address (whatever its prefix) is not there."""

    cidr: Cidr
    link: LinkName | None = None
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Nobody there holds the address; a node that does not exist is no proof of it."""
        ip = str(ip_interface(self.cidr).ip)
        claim = f"{self.link or 'no interface'}{inside(self.node)} {'has no' if self.link else 'has'} {ip}"
        expected = f"{ip} not on {self.link or 'any interface'}{inside(self.node)}"
        if (node := snapshot.node(self.node)) is None:
            return no_node(self.node, claim, expected)
        asked = node.links if self.link is None else filter(None, (node.link(self.link),))
        holders = tuple(link.name for link in asked if any(plain(own.address) == ip for own in link.addresses))
        if not holders:
            return Met(claim)
        has = "have" if len(holders) > 1 else "has"
        return NotMet(claim, expected, f"{listed(holders, '')} {has} {ip}", where.ip(self.node, "-br addr show"))


_ROOM = 8
"""Addresses of a network that has room for a few hosts and its broadcast address."""


def unfit(cidr: str, like: str) -> str:
    """Why no host can have an address where ``like`` is one of several; "" when one can."""
    own, wanted = ip_interface(cidr), ip_interface(like)
    if own.ip.is_multicast:
        return f"{own.ip} is the address of a group, which no host can have for its own."
    if own.ip.is_loopback:
        return f"{own.ip} is an address of the loopback: packets to it never leave a node."
    if own.version == 4 and own.network.num_addresses > 2 and own.ip == own.network.broadcast_address:
        return f"{own.ip} is the broadcast address of {own.network}: it means everybody there, so no host can have it."
    if own.network.num_addresses < min(_ROOM, wanted.network.num_addresses):
        return f"{own.network} is too small: more hosts will live there than it has addresses for. /{wanted.network.prefixlen} has room."
    return ""


def _clash(snapshot: Snapshot, node: Node, link: Link, own: Address) -> str:
    """Why an address cannot be used here: somebody has it, or its network is that of another cable; "" when it can."""
    network = ip_interface(own.cidr).network
    for other in snapshot.nodes:
        for far in other.links:
            if other.netns != node.netns and any(address.address == own.address for address in far.addresses if not _is_local(address)):
                return f"{own.address} is the address of {far.name}{inside(other.name)} already: no two in one network can share it."
            outer = other.role in ("internet", "router") or (far.peer is not None and far.peer.node == "internet")
            if far is not link and outer and any(network.overlaps(ip_interface(address.cidr).network) for address in far.v4):
                return f"{network} is a network of the world outside already, that of {far.name}{inside(other.name)}: take another one."
    return ""


def _wiped(node: Node, link: Link | None, where: Where) -> str:
    """What became of an address that was given before its cable was moved: seen there, or perhaps given and moved between two looks."""
    if link is None or _given(link):
        return ""
    if (node.name, link.name) in where.wiped:
        return f"{link.name} had an address before the move: a move to another namespace wipes it. Give it again."
    moved = node.role != "host" and link.kind == "veth"
    return f"If you gave {link.name} its address before the move: a move to another namespace wipes it. Give it again." if moved else ""


def _given(link: Link) -> tuple[Address, ...]:
    """The addresses that somebody gave a link: those of IPv4 are all but the loopback's own, for whatever scope they are."""
    return tuple(own for own in link.addresses if not _is_local(own) or (own.family == 4 and link.kind != "loopback"))


def _is_local(address: Address) -> bool:
    """Addresses the kernel gives by itself: 127.0.0.1, ::1 and IPv6 link-local ones."""
    return address.scope in ("host", "link") or address.address.startswith(("fe80:", "127.")) or address.address == "::1"


def _wrong_link(holder: Link, wanted: Link, cidr: str) -> str:
    if holder.master == wanted.name:
        return f"{cidr} is on {holder.name}, which is a port of {wanted.name}. A port only passes frames on; the address belongs to the bridge itself."
    return f"{cidr} is on {holder.name} instead of {wanted.name}."


def _wider(links: Iterable[Link], cidr: str) -> Iterator[Address]:
    """The same address with a shorter prefix, where one of these links has it."""
    own = ip_interface(cidr)
    for link in links:
        yield from (held for held in link.addresses if held.address == str(own.ip) and 0 < held.prefix < own.network.prefixlen)


def _beyond(snapshot: Snapshot, node: Node, held: Address, cidr: str) -> tuple[Node, Address] | None:
    """Somebody in the network of an address, and not in that of ``cidr``, who has no address by which he is its neighbour."""
    wide, wanted = ip_interface(held.cidr), ip_interface(cidr).network
    for other in snapshot.nodes:
        theirs = [ip_interface(own.cidr) for link in other.links for own in link.addresses if not _is_local(own) and own.family == wide.version]
        if other.netns != node.netns and other.role != "host" and not any(wide.ip in own.network for own in theirs):
            found = next((own for own in theirs if own.ip in wide.network and own.ip not in wanted), None)
            if found is not None:
                return other, Address(str(found.ip), found.network.prefixlen)
    return None


def _wrong_prefix(address: Address, cidr: str, beyond: tuple[Node, Address] | None) -> str:
    wanted = ip_interface(cidr).network
    if address.prefix == wanted.max_prefixlen:
        return (
            f"/{address.prefix} is a network of one: with it the kernel makes no route to the neighbours. "
            f"Without a prefix `ip addr add` takes /{address.prefix}; write /{wanted.prefixlen}."
        )
    if address.prefix == 0:
        return f"/0 is no network: with it the kernel makes no route to the neighbours. Write /{wanted.prefixlen}."
    if beyond is not None:
        other, theirs = beyond
        return (
            f"/{address.prefix} makes the network larger than the cable reaches: {theirs.address} of {place(other)}, for one, would be looked for "
            f"next door and not found. Write /{wanted.prefixlen}."
        )
    return f"/{address.prefix} makes the network smaller than {wanted}: some neighbours fall outside it. Write /{wanted.prefixlen}."
