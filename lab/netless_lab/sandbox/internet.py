"""The pretend internet: a namespace behind the host's ``eth0`` that is the provider's router, a name server and a web site at once.

    host eth0 203.0.113.2/24 ──── eth0 203.0.113.1/24 internet
                                  lo   198.51.100.10 example.test (HTTP), 198.51.100.53 ns.example.test (DNS)

The addresses are those that RFC 5737 sets aside for documentation. As in the real internet, nothing out there knows a way back to
private addresses such as 10.0.0.0/24. The servers run in the agent's own event loop, on sockets opened inside the namespace.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass
from typing import Final

from . import tune
from .container import Container, in_netns, launch
from .nameserver import UdpEnd, Zone, serve_tcp
from .rtnl import End, Rtnl
from .website import Site

NODE: Final = "internet"
UPLINK: Final = "eth0"
HOST_ADDRESS: Final = "203.0.113.2"
ROUTER_ADDRESS: Final = "203.0.113.1"
SITE_ADDRESS: Final = "198.51.100.10"
NAME_SERVER_ADDRESS: Final = "198.51.100.53"
HOST_END: Final = End(UPLINK, "02:00:cb:00:71:02", 2)
ROUTER_END: Final = End(UPLINK, "02:00:cb:00:71:01", 3)
"""MAC addresses are locally administered, with the IP address in them: the same in every lab, so that two runs can be compared."""
ZONE: Final = Zone(
    origin="example.test",
    server="ns.example.test",
    addresses={"example.test": SITE_ADDRESS, "www.example.test": SITE_ADDRESS, "ns.example.test": NAME_SERVER_ADDRESS},
    aliases=frozenset({"www.example.test"}),
)


@dataclass(frozen=True, slots=True)
class Internet:
    """The built internet: its process, and sockets that are bound and wait to be served. ``close`` ends them."""

    node: Container
    names_udp: socket.socket
    names_tcp: socket.socket
    site: socket.socket

    async def serve(self) -> Servers:
        """Answer from now on, in the running loop."""
        loop = asyncio.get_running_loop()
        names, _ = await loop.create_datagram_endpoint(lambda: UdpEnd(ZONE), sock=self.names_udp)
        names_tcp = await asyncio.start_server(lambda reader, writer: serve_tcp(reader, writer, ZONE), sock=self.names_tcp)
        site = await asyncio.start_server(Site().serve, sock=self.site, limit=Site.limit)
        return Servers(names, names_tcp, site)


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs in the loop. Keep it: a server nobody holds may be collected."""

    names: asyncio.DatagramTransport
    names_tcp: asyncio.Server
    site: asyncio.Server

    def close(self) -> None:
        """Stop answering."""
        self.names.close()
        self.names_tcp.close()
        self.site.close()


def build() -> Internet:
    """Make the host's uplink and the internet behind it. Call once, in the host's namespace; about 5 ms.

    The host's own ``lo`` is brought up too, as on any machine. Raises OSError with the kernel's reason.
    """
    node = launch(NODE, shown_as=NODE)
    netns_fd = os.open(f"/proc/{node.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        tune.settle()
        with Rtnl() as host:
            host.set_up("lo")
            host.add_veth(HOST_END, ROUTER_END, netns_fd)
            sockets = in_netns(netns_fd, _furnish)
            with contextlib.suppress(OSError):
                host.set_quiet(UPLINK)
            host.add_address(UPLINK, f"{HOST_ADDRESS}/24")
            host.set_up(UPLINK)
            host.add_default_route(ROUTER_ADDRESS)
        tune.tune(UPLINK)
    finally:
        os.close(netns_fd)
    with contextlib.suppress(OSError), open(node.resolv_conf, "w", encoding="ascii") as file:
        file.write(f"nameserver {NAME_SERVER_ADDRESS}\n")
    return Internet(node, *sockets)


def _furnish() -> tuple[socket.socket, socket.socket, socket.socket]:
    """Inside the internet's namespace: addresses, links up, servers' sockets."""
    tune.settle()
    with Rtnl() as router:
        router.set_up("lo")
        router.add_address("lo", f"{SITE_ADDRESS}/32")
        router.add_address("lo", f"{NAME_SERVER_ADDRESS}/32")
        with contextlib.suppress(OSError):  # a kernel without IPv6
            router.set_quiet(UPLINK)
        router.add_address(UPLINK, f"{ROUTER_ADDRESS}/24")
        router.set_up(UPLINK)
    tune.tune(UPLINK)
    return (
        _bound(socket.SOCK_DGRAM, NAME_SERVER_ADDRESS, 53),
        _bound(socket.SOCK_STREAM, NAME_SERVER_ADDRESS, 53),
        _bound(socket.SOCK_STREAM, SITE_ADDRESS, 80),
    )


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.setblocking(False)
    return sock
