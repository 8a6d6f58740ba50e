"""A decoded packet: what the picture, the story and the identity of a packet over many hops need, no more."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final, Literal, NamedTuple

import msgspec

from .. import icmp

Kind = Literal["arp-request", "arp-reply", "echo-request", "echo-reply", "icmp-error", "icmp", "ipv6-nd", "tcp", "udp", "fragment", "ip", "frame"]
"""``fragment``: a later piece of an IP packet, without ports. ``ip``: another protocol. ``frame``: no IP, or cut too short to tell."""

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
VXLAN_PORTS: Final = frozenset({4789, 8472})
"""RFC 7348, and the port Linux used before there was one."""


class Tuple(NamedTuple):
    """Who talks to whom, as connection tracking has it: ICMP echo holds its id in both ports, so that the reply is the reverse."""

    proto: int
    src: str
    dst: str
    sport: int
    dport: int

    @property
    def reverse(self) -> Tuple:
        """The same talk from the other side."""
        return Tuple(self.proto, self.dst, self.src, self.dport, self.sport)


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One packet. Addresses and ports are as they stand in this frame; NAT changes them on the way.

    ``sport`` and ``dport`` both hold the id of an ICMP echo. ``mark`` tells this packet from the others of its conversation and
    stays the same over every hop. ``ident`` is the IP id that the pieces of a cut packet share, 0 of a whole one. ``quoted`` is the packet that an ICMP
    error is about; ``inner`` the one a VXLAN carries, ``vni`` its network. ``code`` is (type, code) of ICMP. ``size`` is the payload
    in bytes. ``seq`` of an ICMP error "too big" is the MTU it names. For ARP, ``src`` and ``dst`` are the sender's and the asked address
    and ``answer`` the hardware address it tells; for neighbour discovery ``dst`` is the asked address.
    """

    kind: Kind
    mac_dst: bytes = b""
    mac_src: bytes = b""
    src: str = ""
    dst: str = ""
    ttl: int | None = None
    proto: int = 0
    sport: int = 0
    dport: int = 0
    mark: tuple[int | bytes, ...] = ()
    ident: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0
    code: tuple[int, int] = (0, 0)
    size: int = 0
    payload: bytes = b""
    answer: bytes = b""
    quoted: Packet | None = None
    inner: Packet | None = None
    vni: int = 0
    vlan: int | None = None

    @property
    def talk(self) -> Tuple:
        """Its conversation's tuple, in the direction it goes."""
        return Tuple(self.proto, self.src, self.dst, self.sport, self.dport)

    @property
    def neighbour(self) -> Literal["", "question", "answer"]:
        """Whether it asks who has an address or answers that: ARP, or neighbour solicitation and advertisement (RFC 4861)."""
        match self.kind, self.code[0]:
            case ("arp-request", _) | ("ipv6-nd", icmp.SOLICITATION):
                return "question"
            case ("arp-reply", _) | ("ipv6-nd", icmp.ADVERTISEMENT):
                return "answer"
            case _:
                return ""

    @property
    def subject(self) -> Packet:
        """The packet a person would follow: the one inside a tunnel, else itself."""
        return self.inner.subject if self.inner is not None else self


@lru_cache(maxsize=4096)
def ip4(packed: bytes) -> str:
    """Four bytes as dotted numbers."""
    return f"{packed[0]}.{packed[1]}.{packed[2]}.{packed[3]}"


@lru_cache(maxsize=4096)
def ip6(packed: bytes) -> str:
    """Sixteen bytes as RFC 5952 writes them."""
    return str(IPv6Address(packed))


@lru_cache(maxsize=4096)
def mac(packed: bytes) -> str:
    """Lower case hex with colons."""
    return packed.hex(":")
