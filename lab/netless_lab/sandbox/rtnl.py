"""A few rtnetlink requests, written by hand, so that the pretend internet is there before a netlink library could be imported.

Only what that needs: veth pairs born with both ends in place, addresses, links up, a default route (rtnetlink(7)); and what
``doctor`` tries. Everything a learner does goes through ``kernel``.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Final

RTM_NEWLINK: Final = 16
RTM_SETLINK: Final = 19
RTM_NEWADDR: Final = 20
RTM_NEWROUTE: Final = 24
_REQUEST_ACK: Final = 0x1 | 0x4
_CREATE_EXCL: Final = 0x400 | 0x200
_IFF_UP: Final = 1
_ERROR: Final = 2
_IFINFO: Final = struct.Struct("=BxHiII")
_IFADDR: Final = struct.Struct("=BBBBI")
_RTMSG: Final = struct.Struct("=BBBBBBBBI")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_AF_SPEC, _IFLA_NET_NS_FD = 1, 3, 5, 18, 26, 28
_INFO_KIND, _INFO_DATA, _PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_GATEWAY = 5
_INET6_ADDR_GEN_MODE, _ADDR_GEN_NONE = 8, 1


@dataclass(frozen=True, slots=True)
class End:
    """One end of a veth pair. The two ends' ``ifindex`` must differ.

    The kernel takes a device whose peer has the same number, in another namespace, for one without a peer, and then lets it wait up
    to a second before it notices that the cable is live (net/core/link_watch.c, linkwatch_urgent_event).
    """

    name: str
    mac: str
    ifindex: int

    def message(self) -> bytes:
        """struct ifinfomsg with name and address."""
        name = attribute(_IFLA_IFNAME, self.name.encode() + b"\0")
        return _IFINFO.pack(0, 0, self.ifindex, 0, 0) + name + attribute(_IFLA_ADDRESS, bytes.fromhex(self.mac.replace(":", "")))


class Rtnl:
    """One netlink socket in the network namespace of the thread that opens it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._sequence = 0

    def __enter__(self) -> Rtnl:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def request(self, kind: int, body: bytes, flags: int = 0) -> None:
        """Send one request and take its acknowledgement. Raises OSError with the kernel's errno."""
        self._sequence += 1
        self._socket.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST_ACK | flags, self._sequence, 0) + body)
        answer = self._socket.recv(8192)
        code = -int(struct.unpack_from("=i", answer, 16)[0]) if struct.unpack_from("=H", answer, 4)[0] == _ERROR else 0
        if code:
            raise OSError(code, os.strerror(code))

    def add_veth(self, here: End, there: End, netns_fd: int) -> None:
        """A pair: one end here, the other born in another namespace. See ``End`` for their numbers."""
        peer = there.message() + attribute(_IFLA_NET_NS_FD, struct.pack("=I", netns_fd))
        self.request(RTM_NEWLINK, here.message() + link_info("veth", attribute(_PEER, peer)), _CREATE_EXCL)

    def add_link(self, name: str, kind: str, data: bytes = b"", lower: int = 0) -> None:
        """A device of ``kind``, on top of the device with ifindex ``lower`` if the kind needs one."""
        on = attribute(_IFLA_LINK, struct.pack("=I", lower)) if lower else b""
        body = _IFINFO.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, name.encode() + b"\0") + on + link_info(kind, data)
        self.request(RTM_NEWLINK, body, _CREATE_EXCL)

    def set_quiet(self, name: str) -> None:
        """``ip link set NAME addrgenmode none``: it will not make up an IPv6 address and announce it when it comes up."""
        quiet = attribute(socket.AF_INET6, attribute(_INET6_ADDR_GEN_MODE, bytes([_ADDR_GEN_NONE])))
        self.request(RTM_NEWLINK, _IFINFO.pack(0, 0, socket.if_nametoindex(name), 0, 0) + attribute(_IFLA_AF_SPEC, quiet))

    def set_up(self, name: str) -> None:
        """``ip link set NAME up``."""
        self.request(RTM_NEWLINK, _IFINFO.pack(0, 0, socket.if_nametoindex(name), _IFF_UP, _IFF_UP))

    def add_address(self, name: str, cidr: str) -> None:
        """``ip address add CIDR dev NAME``, with the broadcast address that ``ip`` sets when asked for ``brd +``."""
        own = IPv4Interface(cidr)
        body = _IFADDR.pack(socket.AF_INET, own.network.prefixlen, 0, 0, socket.if_nametoindex(name))
        body += attribute(_IFA_LOCAL, own.packed) + attribute(_IFA_ADDRESS, own.packed)
        if own.network.prefixlen < 31:
            body += attribute(_IFA_BROADCAST, own.network.broadcast_address.packed)
        self.request(RTM_NEWADDR, body, _CREATE_EXCL)

    def add_default_route(self, gateway: str) -> None:
        """``ip route add default via GATEWAY``: main table, protocol boot, scope global, unicast."""
        body = _RTMSG.pack(socket.AF_INET, 0, 0, 0, 254, 3, 0, 1, 0) + attribute(_RTA_GATEWAY, socket.inet_aton(gateway))
        self.request(RTM_NEWROUTE, body, _CREATE_EXCL)


def attribute(kind: int, value: bytes) -> bytes:
    """struct rtattr with its value, padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def link_info(kind: str, data: bytes) -> bytes:
    """IFLA_LINKINFO: what kind of device, and what only that kind understands."""
    inner = attribute(_INFO_KIND, kind.encode())
    return attribute(_IFLA_LINKINFO, inner + (attribute(_INFO_DATA, data) if data else b""))
