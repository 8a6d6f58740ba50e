"""Where a probe is sent: an address of either family as the sockets of one namespace want it."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from typing import NamedTuple

from ...model.telling import the
from ..namespace import Namespace, call_in
from .failure import Failure

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class Target(NamedTuple):
    """An address. ``written`` is how the learner wrote it; ``scope`` the ifindex of ``fe80::1%veth1``, 0 for any other address."""

    written: str
    address: str
    family: int
    scope: int = 0

    def at(self, port: int) -> SocketAddress:
        """As sendto(2) and connect(2) want it (ip(7), ipv6(7))."""
        return (self.address, port, 0, self.scope) if self.family == socket.AF_INET6 else (self.address, port)

    @property
    def packed(self) -> bytes:
        """In network order."""
        return socket.inet_pton(self.family, self.address)


def locate(namespace: Namespace, node: str, text: str) -> Target | Failure:
    """The target ``text`` as ``node`` sees it. Raises ValueError when it is no address.

    A link-local address means another neighbour on each link, so it needs its link, ``fe80::1%veth1`` (RFC 4007, section 11).
    """
    own = ipaddress.ip_address(text)
    if own.version == 4:
        return Target(text, str(own), socket.AF_INET)
    plain, _, device = text.partition("%")
    narrow = own.is_link_local or (own.is_multicast and own.packed[1] & 0x0F == 2)
    if device and narrow:
        try:
            return Target(text, plain, socket.AF_INET6, call_in(namespace, socket.if_nametoindex, device))
        except OSError as error:
            if error.errno not in (None, errno.ENODEV, errno.ENXIO):  # Python sets none
                raise
            return Failure("no-route", f"{the(node)} has no interface {device}, so the packet never left")
    if narrow:
        return Failure("could-not-run", f"{plain} may be on any link of {the(node)}: say on which, as in {plain}%eth0")
    return Target(text, plain, socket.AF_INET6)


def is_own(opened: socket.socket, address: str, scope: int = 0) -> bool:
    """Whether ``address`` is one of the node's own: bind(2) takes no others. The raw socket is as unbound afterwards as before."""
    six = opened.family == socket.AF_INET6
    try:
        opened.bind((address, 0, 0, scope) if six else (address, 0))
        opened.bind(("::", 0, 0, 0) if six else ("0.0.0.0", 0))
    except OSError:
        return False
    return True


def is_broadcast(opened: socket.socket, to: Target) -> bool:
    """Whether the packet could leave if broadcast were allowed (SO_BROADCAST, socket(7)); connecting sends nothing."""
    if to.family != socket.AF_INET:
        return False
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.connect(to.at(0))
    except OSError:
        return False
    return True


def reason(error: OSError) -> str:
    """An error of the system in its own words."""
    return error.strerror or os.strerror(error.errno or 0)
