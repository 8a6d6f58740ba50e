"""Frames made by hand, field by field, for tests of the decoder. No product code is used to make them."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator

MAC_A, MAC_B, ALL = bytes.fromhex("02000a000002"), bytes.fromhex("02000a000001"), b"\xff" * 6


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(body: bytes, kind: int = 0x0800, target: bytes = MAC_B) -> bytes:
    """An Ethernet frame."""
    return target + MAC_A + struct.pack("!H", kind) + body


def tagged(body: bytes, vlan: int, kind: int = 0x0800) -> bytes:
    """An 802.1Q frame."""
    return MAC_B + MAC_A + struct.pack("!HHH", 0x8100, vlan, kind) + body


def ip4(
    proto: int, body: bytes, source: str = "10.0.0.2", target: str = "198.51.100.10", ttl: int = 64, ident: int = 7, fragment: int = 0
) -> bytes:
    """An IPv4 packet with a right checksum."""
    def head(check: int) -> bytes:
        return struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), ident, fragment, ttl, proto, check, socket.inet_aton(source), socket.inet_aton(target)
        )  # fmt: skip

    return head(checksum(head(0))) + body


def ip6(proto: int, body: bytes, source: str = "fd00::2", target: str = "fd00::1", extensions: bytes = b"") -> bytes:
    """An IPv6 packet; ``extensions`` begin with the header that ``proto`` then names (see ``chain``)."""
    head = struct.pack("!IHBB", 6 << 28, len(extensions) + len(body), proto, 64)
    return head + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + extensions + body


def chain(headers: tuple[int, ...], proto: int, offset: int = 0) -> tuple[int, bytes]:
    """Extension headers of IPv6, one after the other, before ``proto``: the number of the first, and all of them in bytes.

    ``offset`` of a fragment header is in units of eight bytes; a routing header has used up its segments; one of authentication signs nothing.
    """
    data = b""
    for following, number in zip((*headers[1:], proto), headers, strict=True):
        length, rest = {44: (0, struct.pack("!HI", offset << 3 | 1, 0xCAFE)), 51: (1, struct.pack("!HII", 0, 0x101, 1))}.get(
            number, (0, b"\1\4" + bytes(4) if number != 43 else struct.pack("!BB", 4, 0) + bytes(4))
        )
        data += bytes((following, length)) + rest
    return headers[0], data


def chained(headers: tuple[int, ...], proto: int, body: bytes, offset: int = 0) -> bytes:
    """An IPv6 packet with these extension headers, as a frame."""
    first, extensions = chain(headers, proto, offset)
    return ethernet(ip6(first, body, extensions=extensions), 0x86DD)


def echo(kind: int = 8, ident: int = 77, seq: int = 1, data: bytes = b"netless.") -> bytes:
    """An ICMP echo."""
    blank = struct.pack("!BBHHH", kind, 0, 0, ident, seq) + data
    return struct.pack("!BBHHH", kind, 0, checksum(blank), ident, seq) + data


def tcp(flags: int, source: int = 40000, target: int = 80, seq: int = 100, ack: int = 0, data: bytes = b"") -> bytes:
    """A TCP segment with the option for the largest segment."""
    return struct.pack("!HHIIBBHHH", source, target, seq, ack, 6 << 4, flags, 64240, 0, 0) + struct.pack("!BBH", 2, 4, 1460) + data


def udp(data: bytes, source: int = 5000, target: int = 53) -> bytes:
    """A UDP datagram."""
    return struct.pack("!HHHH", source, target, 8 + len(data), 0) + data


def arp(operation: int = 1, own: str = "10.0.0.2", asked: str = "10.0.0.1") -> bytes:
    """An ARP packet as a frame."""
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, MAC_A, socket.inet_aton(own), bytes(6), socket.inet_aton(asked))
    return ethernet(body, 0x0806, ALL if operation == 1 else MAC_B)


def dns(name: str = "example.test", answer: str = "", ident: int = 4660) -> bytes:
    """A question for an A record, or its answer, whose name is a pointer to the question's."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    question = labels + struct.pack("!HH", 1, 1)
    if not answer:
        return struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(answer)
    return struct.pack("!HHHHHH", ident, 0x8180, 1, 1, 0, 0) + question + record


def vxlan(frame: bytes, vni: int = 100) -> bytes:
    """A frame inside VXLAN inside UDP inside IPv4, as a frame."""
    return ethernet(ip4(17, udp(struct.pack("!BxxxI", 8, vni << 8) + frame, 50000, 4789), "192.0.2.1", "192.0.2.2"))


def error(kind: int, code: int, about: bytes, source: str = "10.0.0.1", target: str = "10.0.0.2", info: int = 0) -> bytes:
    """An ICMP error about an IPv4 packet, as a frame: it quotes the header and eight bytes."""
    return ethernet(ip4(1, struct.pack("!BBHHH", kind, code, 0, 0, info) + about[:28], source, target))


def solicitation(asked: str = "fd00::1", own: str = "fd00::2") -> bytes:
    """A neighbour solicitation as a frame."""
    message = struct.pack("!BBHI", 135, 0, 0, 0) + socket.inet_pton(socket.AF_INET6, asked) + b"\1\1" + MAC_A
    return ethernet(ip6(58, message, own, asked), 0x86DD)


def samples() -> dict[str, bytes]:
    """One frame of each kind."""
    request = ip4(1, echo())
    return {
        "echo": ethernet(request),
        "arp": arp(),
        "arp-reply": arp(2, "10.0.0.1", "10.0.0.2"),
        "syn": ethernet(ip4(6, tcp(2))),
        "http": ethernet(ip4(6, tcp(24, data=b"GET /page HTTP/1.1\r\nHost: example.test\r\n\r\n"))),
        "dns": ethernet(ip4(17, udp(dns()))),
        "dns-answer": ethernet(ip4(17, udp(dns(answer="198.51.100.10"), 53, 5000))),
        "vlan": tagged(request, 42),
        "vxlan": vxlan(ethernet(ip4(1, echo(), "10.50.0.1", "10.50.0.2"))),
        "unreachable": error(3, 1, request),
        "too-big": error(3, 4, ip4(6, tcp(16)), info=1400),
        "fragment": ethernet(ip4(1, b"x" * 32, fragment=185)),
        "echo6": ethernet(ip6(58, echo(128)), 0x86DD),
        "solicitation": solicitation(),
        "chain": chained((0, 60, 43, 44, 51), 17, udp(b"hello", 1, 2)),
        "piece6": chained((60, 44), 58, b"x" * 16, offset=8),
        "extended": ethernet(ip6(0, udp(b"hello", 1, 2), extensions=struct.pack("!BB6x", 17, 0)), 0x86DD),
        "gre": ethernet(ip4(47, b"\0\0\x08\0")),
        "lldp": ethernet(b"\x02\x07", 0x88CC),
    }  # fmt: skip


def broken(seed: int, count: int) -> Iterator[bytes]:
    """Samples cut anywhere, with bytes changed anywhere, and pure noise."""
    choose = random.Random(seed)
    originals = list(samples().values())
    for _ in range(count):
        frame = bytearray(choose.choice(originals))
        for _ in range(choose.randrange(4)):
            frame[choose.randrange(len(frame))] = choose.randrange(256)
        if choose.random() < 0.5:
            del frame[choose.randrange(len(frame) + 1) :]
        if choose.random() < 0.1:
            frame = bytearray(choose.randbytes(choose.randrange(200)))
        yield bytes(frame)
