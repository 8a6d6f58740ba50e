"""The pretend internet: a namespace behind the host's uplink that is the provider's router, a name server and a web site at once. What it
is called and which addresses it has is data (``model.outside``), by default

    host eth0 203.0.113.2/24 ──── eth0 203.0.113.1/24 internet
                                  lo   198.51.100.10 example.test (HTTP), 198.51.100.53 ns.example.test (DNS)

As in the real internet, nothing out there knows a way back to private addresses such as 10.0.0.0/24. The servers run in the agent's own
event loop, on sockets opened inside the namespace.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Sequence
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from typing import Final

import msgspec

from ..kernel.namespace import Namespace, call_in
from ..kernel.netlink.address import RTM_NEWADDR, encode_address
from ..kernel.netlink.link import RTM_DELLINK, RTM_NEWLINK, encode_cable, encode_link, encode_quiet, encode_up
from ..kernel.netlink.route import RTM_NEWROUTE, encode_route
from ..kernel.netlink.socket import ACK, CREATE, EXCLUSIVE, NetlinkError, NetlinkSocket
from ..model.outside import USUAL, FarHost, Outside
from ..model.snapshot import Address, Link, Route
from . import tune
from .container import Container, launch
from .nameserver import UdpEnd, Zone, serve_tcp
from .website import Site

NODE: Final = "internet"
_HOST_LINK: Final = 2
_ROUTER_LINK: Final = 3
_LO: Final = 1
"""Indexes of the links, the same in every lab, so that two runs can be compared; ``lo`` has the first in every namespace."""
_NEW: Final = ACK | CREATE | EXCLUSIVE


def zone(outside: Outside) -> Zone:
    """What its name server answers."""
    known = outside.every_name
    firsts = {address: name for name, address in reversed(known.items())}
    aliases = frozenset(name for name, address in known.items() if firsts[address] != name)
    return Zone(outside.domain, f"ns.{outside.domain}", known, aliases)


class Internet(msgspec.Struct, frozen=True):
    """The built internet: its process, and sockets that are bound and wait to be served. ``close`` ends them."""

    node: Container
    hosts: tuple[Container, ...]
    sockets: Sockets

    async def serve(self) -> Servers:
        """Answer from now on, in the running loop."""
        return await self.sockets.serve()


class Sockets(msgspec.Struct, frozen=True):
    """Bound in the internet's namespace, with its addresses; they wait to be served."""

    outside: Outside
    names_udp: socket.socket
    names_tcp: socket.socket
    site: socket.socket

    async def serve(self) -> Servers:
        """Answer from now on, in the running loop."""
        loop, known, web = asyncio.get_running_loop(), zone(self.outside), Site(self.outside)
        names, _ = await loop.create_datagram_endpoint(lambda: UdpEnd(known), sock=self.names_udp)
        names_tcp = await asyncio.start_server(lambda reader, writer: serve_tcp(reader, writer, known), sock=self.names_tcp)
        site = await asyncio.start_server(web.serve, sock=self.site, limit=web.limit)
        return Servers(names, names_tcp, site)


class Servers(msgspec.Struct, frozen=True):
    """What runs in the loop. Keep it: a server nobody holds may be collected."""

    names: asyncio.DatagramTransport
    names_tcp: asyncio.Server
    site: asyncio.Server

    def close(self) -> None:
        """Stop answering."""
        self.names.close()
        self.names_tcp.close()
        self.site.close()


def build(outside: Outside = USUAL, hosts: Sequence[FarHost] = ()) -> Internet:
    """Make the host's uplink and the internet behind it, with further hosts there. Call in the host's namespace, where no other is; about 5 ms.

    The host's own ``lo`` is brought up too, as on any machine. Raises OSError with the kernel's reason.
    """
    node = launch(NODE, shown_as=NODE)
    near, far = _end(outside.uplink, _HOST_LINK, outside.host_address), _end(outside.uplink, _ROUTER_LINK, outside.router)
    beyond = node.network
    with NetlinkSocket() as host:
        tune.settle()
        host.request(RTM_NEWLINK, ACK, encode_up(_LO))
        host.request(RTM_NEWLINK, _NEW, encode_cable(near, far, beyond.fileno()))
        sockets = call_in(beyond, _set_up, outside)
        others = tuple(_settle(own, _ROUTER_LINK + place, beyond) for place, own in enumerate(hosts, 1))
        _plug(host, _HOST_LINK, ip_interface(outside.address))
        host.request(RTM_NEWROUTE, _NEW, encode_route(Route("default", via=outside.router), 0))
    tune.tune(outside.uplink)
    with contextlib.suppress(OSError), open(node.resolv_conf, "w", encoding="ascii") as file:
        file.write(f"nameserver {outside.name_server}\n")
    return Internet(node, others, sockets)


def listen(outside: Outside, beyond: Namespace) -> Sockets:
    """Bind the servers' sockets in a namespace that has the addresses of the internet. Raises OSError."""
    return call_in(beyond, _bind, outside)


def _settle(own: FarHost, index: int, beyond: Namespace) -> Container:
    """Start a further host and connect it to the internet, where its cable's end has this index; packets between hosts pass there."""
    node = launch(own.name, shown_as=own.name)
    call_in(node.network, _set_up_far, own, index, beyond.fileno())
    call_in(beyond, _take_in, own, index)
    return node


def _set_up_far(own: FarHost, index: int, beyond: int) -> None:
    """Inside a further host: the same as the first one has."""
    tune.settle()
    with NetlinkSocket() as host:
        host.request(RTM_NEWLINK, ACK, encode_up(_LO))
        host.request(RTM_NEWLINK, _NEW, encode_cable(_end(own.uplink, _HOST_LINK, own.own_address), _end(own.name, index, own.router), beyond))
        _plug(host, _HOST_LINK, ip_interface(own.address))
        host.request(RTM_NEWROUTE, _NEW, encode_route(Route("default", via=own.router), 0))
    tune.tune(own.uplink)


def _take_in(own: FarHost, index: int) -> None:
    """Inside the internet: the other end of a further host's cable, and forwarding, as every provider does."""
    with NetlinkSocket() as router:
        _plug(router, index, ip_interface(f"{own.router}/{own.prefix}"))
    tune.tune(own.name)
    tune.forward()


def unplug() -> None:
    """Take the host's uplink away, and with it the other end. Call in the host's namespace. Raises OSError."""
    with NetlinkSocket() as host:
        try:
            host.request(RTM_DELLINK, ACK, encode_link(_HOST_LINK))
        except NetlinkError as error:
            if error.errno != errno.ENODEV:
                raise


def _set_up(outside: Outside) -> Sockets:
    """Inside the internet's namespace: addresses, links up, servers' sockets."""
    tune.settle()
    with NetlinkSocket() as router:
        router.request(RTM_NEWLINK, ACK, encode_up(_LO))
        for served in {outside.site, outside.name_server} - {outside.router}:
            router.request(RTM_NEWADDR, _NEW, encode_address(_LO, Address(served, 32)))
        _plug(router, _ROUTER_LINK, ip_interface(f"{outside.router}/{outside.prefix}"))
    tune.tune(outside.uplink)
    return _bind(outside)


def _bind(outside: Outside) -> Sockets:
    return Sockets(
        outside,
        _bound(socket.SOCK_DGRAM, outside.name_server, 53),
        _bound(socket.SOCK_STREAM, outside.name_server, 53),
        _bound(socket.SOCK_STREAM, outside.site, 80),
    )


def _end(name: str, index: int, address: str) -> Link:
    """An end of the uplink. Its MAC address is locally administered, with the IP address in it: the same in every lab."""
    return Link(name, index, "veth", up=True, carrier=True, mac=":".join(("02:00", *(f"{byte:02x}" for byte in ip_address(address).packed))))


def _plug(into: NetlinkSocket, end: int, address: IPv4Interface | IPv6Interface) -> None:
    """The end of the uplink with this index: quiet, with its address, and up."""
    with contextlib.suppress(OSError):  # a kernel without IPv6
        into.request(RTM_NEWLINK, ACK, encode_quiet(end))
    into.request(RTM_NEWADDR, _NEW, encode_address(end, Address(str(address.ip), address.network.prefixlen)))
    into.request(RTM_NEWLINK, ACK, encode_up(end))


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.setblocking(False)
    return sock
