"""The kernel's own reasons for the packets of one probe, when the lab's starter, being root, could hand us its program.

The program of ``sandbox/drops`` writes them to a ring: memory shared with the kernel (Documentation/bpf/ringbuf.rst). Whoever holds the open
file may read it; no right is needed. What they mean is said in the learner's words (include/net/dropreason-core.h); their names differ by
kernel version.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ...model.evidence import Drop
from ...model.journeys.assemble import Followed
from ...model.journeys.decode import decode
from ...model.journeys.packet import ICMP, ICMP6, Packet, Tuple
from ...model.journeys.words import words as in_words
from ...model.snapshot import Snapshot

_POSITION: Final = struct.Struct("<Q")
_LENGTH: Final = struct.Struct("<I")
_BUSY, _DISCARDED, _SIZE = 1 << 31, 1 << 30, (1 << 30) - 1
_RECORD_HEADER: Final = 8
_ARP: Final = frozenset({"arp-request", "arp-reply"})
WORDS: Final = {
    "NO_SOCKET": "no program takes such packets there",
    "SOCKET_FILTER": "a program's own filter refused it",
    "SOCKET_RCVBUFF": "the program that should read it is too slow: its buffer is full",
    "NETFILTER_DROP": "a firewall rule or policy dropped it",
    "OTHERHOST": "it is addressed to another machine's hardware address",
    "IP_CSUM": "the checksum of its IP header is wrong",
    "IP_INHDR": "its IP header cannot be used, for example because the TTL ran out",
    "IP_RPFILTER": "the reverse path filter does not believe its source address",
    "IP_LOCAL_SOURCE": "it claims to come from one of the node's own addresses",
    "IP_INVALID_SOURCE": "its source address cannot be a sender's",
    "IP_INVALID_DEST": "its destination address cannot be a receiver's",
    "IP_LOCALNET": "it is for 127.0.0.0/8, which must not be on a wire (route_localnet)",
    "IP_INADDRERRORS": "its addresses do not let it be passed on here: the node does not forward, or one of them is valid on one link only",
    "IP_INNOROUTES": "the node has no route for it",
    "IP_OUTNOROUTES": "the node has no route for it",
    "IP_NOPROTO": "the node does not speak that protocol",
    "UNICAST_IN_L2_MULTICAST": "one machine's address inside a frame for everybody",
    "PKT_TOO_BIG": "it is bigger than the link carries, and must not be cut",
    "NEIGH_FAILED": "nobody answered when the node asked for the next hop's hardware address",
    "NEIGH_QUEUEFULL": "too many packets wait for the next hop's hardware address",
    "NEIGH_DEAD": "the entry of the next hop was deleted while it waited",
    "NEIGH_CREATEFAIL": "there is no room for another neighbour",
    "NEIGH_HH_FILLFAIL": "the next hop's hardware address is not known yet",
    "QDISC_DROP": "the interface's queue refused it, for example because the other end of the cable is down",
    "FULL_RING": "the device's queue is full",
    "CPU_BACKLOG": "the processor's receive queue is full",
    "DEV_READY": "the device is not ready: it, or the other end of the cable, is down",
    "DEV_HDR": "the device could not make its header",
    "TC_INGRESS": "a traffic control rule at the way in dropped it",
    "TC_EGRESS": "a traffic control rule at the way out dropped it",
    "XDP": "a program at the device dropped it",
    "UNHANDLED_PROTO": "nobody here takes that kind of frame",
    "BRIDGE_INGRESS_STP_STATE": "the bridge port does not take frames in: it is blocking, or its bridge is down",
    "BRIDGE_NO_EGRESS_PORT": "the bridge has no other port to send it out of",
    "LOCAL_MAC": "it comes from a hardware address of the bridge itself",
    "MAC_INVALID_SOURCE": "its sender's hardware address is not one",
    "ARP_PVLAN_DISABLE": "nobody here answers ARP for others (proxy_arp)",
    "MAC_IEEE_MAC_CONTROL": "it is a control frame, which a bridge keeps to itself",
    "PROTO_MEM": "the protocol's memory is used up",
    "TCP_CSUM": "its TCP checksum is wrong",
    "UDP_CSUM": "its UDP checksum is wrong",
    "ICMP_CSUM": "its ICMP checksum is wrong",
    "INVALID_PROTO": "its ICMP type is not one that is answered",
    "TCP_RESET": "the connection was reset",
    "TCP_FLAGS": "its TCP flags fit no state of the connection",
    "TCP_ZEROWINDOW": "the receiver's window is closed",
    "TCP_LISTEN_OVERFLOW": "the listener has too many waiting connections",
    "VXLAN_VNI_NOT_FOUND": "no VXLAN of that network number is here",
    "VXLAN_INVALID_HDR": "its VXLAN header cannot be used",
    "VXLAN_ENTRY_EXISTS": "a VXLAN entry stands in the way",
    "VXLAN_NO_REMOTE": "the VXLAN knows nobody to send it to",
    "IP_TUNNEL_ECN": "a tunnel refuses its congestion bits",
    "BLACKHOLE": "a blackhole route swallowed it",
    "DUP_FRAG": "a piece of it came twice",
    "FRAG_REASM_TIMEOUT": "not all of its pieces came in time",
    "IPV6DISABLED": "IPv6 is switched off there",
    "XFRM_POLICY": "a policy of IPsec blocks it, or asks for a key that is not there",
    "NO_TX_TARGET": "there is nowhere to send it out of",
    "SECURITY_HOOK": "a security module refused it",
    "NOMEM": "there was no memory",
    "NOT_SPECIFIED": "the kernel gives no reason for it",
}
NOISE: Final = frozenset({("NO_SOCKET", "ping_rcv"), ("QUEUE_PURGE", "")})
"""(reason, function) that mean nothing: each answered ping by a raw socket makes the first, each closed socket the second."""


def words(reason: str) -> str:
    """The reason in words; its own name when there are none."""
    return WORDS.get(reason, reason.lower().replace("_", " "))


def is_noise(reason: str, function: str) -> bool:
    """Whether it says nothing about the packet's fate."""
    return any(reason == name and (not where or function == where) for name, where in NOISE)


class Dropped(NamedTuple):
    """One packet the kernel threw away. ``reason`` is a number of this kernel; ``at_ns`` counts from boot (CLOCK_MONOTONIC)."""

    at_ns: int
    reason: int
    netns: int
    link: str
    function: str
    packet: Packet


class DropRing:
    """Reads the ring behind ``fd``, which stays the caller's own. One reader only: what was taken is gone."""

    def __init__(self, fd: int, size: int, layout: str) -> None:
        """``layout`` (struct) is that of the program's record. Raises OSError or ValueError when ``fd`` is no such ring."""
        page = mmap.PAGESIZE
        self._record = struct.Struct(layout)
        self._size = size
        self._read_at = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=0)
        self._memory = mmap.mmap(fd, page + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)

    def close(self) -> None:
        """Unmap."""
        self._read_at.close()
        self._memory.close()

    def take(self) -> Iterator[Dropped]:
        """Every record that is there, oldest first."""
        (at,) = _POSITION.unpack_from(self._read_at)
        while at < _POSITION.unpack_from(self._memory)[0]:
            start = mmap.PAGESIZE + (at & (self._size - 1))
            (length,) = _LENGTH.unpack_from(self._memory, start)
            if length & _BUSY:
                return
            data = self._memory[start + _RECORD_HEADER : start + _RECORD_HEADER + (length & _SIZE)]
            at += ((length & _SIZE) + _RECORD_HEADER + 7) & ~7
            _POSITION.pack_into(self._read_at, 0, at)
            if not length & _DISCARDED and len(data) >= self._record.size:
                yield _dropped(*self._record.unpack_from(data))


def _dropped(
    at_ns: int, reason: int, netns: int, _ifindex: int, protocol: int, link: bytes, function: bytes, packet: bytes
) -> Dropped:
    frame = bytes(12) + struct.pack("=H", protocol) + packet
    return Dropped(at_ns, reason, netns, _text(link), _text(function), decode(frame))


def _text(value: bytes) -> str:
    return value.split(b"\0", 1)[0].decode("ascii", "replace")


class DropEar:
    """Hears of every packet that is thrown away in the lab. ``skip`` before a probe, ``take`` after it."""

    def __init__(self, ring: DropRing, reasons: Mapping[int, str]) -> None:
        """``reasons`` are this kernel's names by number."""
        self._ring = ring
        self._reasons = dict(reasons)

    def close(self) -> None:
        """Let the ring go."""
        self._ring.close()

    def skip(self) -> None:
        """Forget what was dropped so far."""
        for _ in self._ring.take():
            pass

    def take(self, snapshot: Snapshot, followed: Followed) -> tuple[Drop, ...]:
        """What was dropped of this probe since ``skip``, in order; the noise that every ping makes left out."""
        began = followed.journey.started * 1e9 - (time.time_ns() - time.monotonic_ns())
        mine = _Mine(followed)
        found = []
        for dropped in self._ring.take():
            reason = self._reasons.get(dropped.reason, str(dropped.reason))
            if mine.has(dropped.packet) and not is_noise(reason, dropped.function):
                found.append(_drop(dropped, reason, snapshot, began if followed.journey.started else dropped.at_ns))
        return tuple(found)


class _Mine:
    """Which packets are the probe's."""

    def __init__(self, followed: Followed) -> None:
        own = [sight.packet.subject for conversation in followed.own for sight in conversation.sights]
        self._talks = {packet.talk for packet in own} | {packet.talk.reverse for packet in own}
        self._idents = {packet.sport for packet in own if packet.proto in (ICMP, ICMP6) and packet.sport}
        arps = [sight.packet.subject for sight in followed.sights if sight.packet.subject.kind in _ARP]
        self._asked = {frozenset((packet.src, packet.dst)) for packet in arps}
        self._source, self._target = followed.journey.source, followed.journey.target

    def has(self, packet: Packet) -> bool:
        """Whether this is one of them, an error about one, or a question on their way."""
        if packet.kind in _ARP:
            return frozenset((packet.src, packet.dst)) in self._asked
        about = packet.quoted if packet.kind == "icmp-error" and packet.quoted is not None else packet.subject
        if about.proto in (ICMP, ICMP6) and about.sport in self._idents:
            return True
        if about.talk in self._talks:
            return True
        return not self._talks and about.dst == self._target.partition(":")[0]


def _drop(dropped: Dropped, reason: str, snapshot: Snapshot, began: float) -> Drop:
    node = snapshot.by_netns(dropped.netns)
    packet = dropped.packet.subject
    talk: Tuple | None = packet.talk if packet.src else None
    return Drop(
        node=node.name if node is not None else "",
        link=dropped.link,
        reason=reason,
        words=words(reason),
        function=dropped.function,
        talk=talk,
        text=in_words(dropped.packet),
        at_us=(dropped.at_ns - began) / 1000,
        about=packet.kind == "icmp-error",
    )
