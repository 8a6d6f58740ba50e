"""One AF_PACKET socket with a receive ring (TPACKET_V2): the kernel writes frames into memory we share, with index, stamp and direction.

Why a ring and not recvmsg(2): the interface comes as an index (Python's own socket gives a name, "" when the interface has gone), no
system call a frame, and room for thousands of frames where an ordinary user's socket buffer holds some hundred.
Why version 2: a frame is there at once; version 3 hands over blocks, up to 10 ms late. Its slots are small, so that a flood fits; of a
frame that is bigger the kernel queues a whole copy beside the ring (PACKET_COPY_THRESH), as long as the socket's buffer has room.
Sources: packet(7), Documentation/networking/packet_mmap.rst, <linux/if_packet.h>.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import socket
import struct
from typing import Final, NamedTuple

from .sieve import NOTHING

_SOL_PACKET: Final = 263
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_COPY_THRESH, _PACKET_VERSION = 5, 6, 7, 10
_TPACKET_V2: Final = 1
_SO_TIMESTAMPNS, _SO_ATTACH_FILTER = 35, 26
_ETH_P_ALL: Final = 3
_SIOCGIFNAME: Final = 0x8910
_USER, _COPY, _VLAN_VALID = 1, 2, 0x10
SLOT: Final = 256
"""Bytes a frame may take in the ring, with about 80 of header before it: the headers of every protocol here fit."""
_LARGEST: Final = 1 << 17
"""A frame that the kernel has not cut into segments yet (GSO) may have more than 64 KiB."""
_BLOCK: Final = 1 << 16
_HEADER: Final = struct.Struct("=IIIHHIIHH")
"""struct tpacket2_hdr: status, length, length kept, where the Ethernet header and the network header begin, s, ns, VLAN tag and type."""
_ADDRESS: Final = struct.Struct("=HHiHBB8s")
"""struct sockaddr_ll: family, protocol (big endian), ifindex, hardware type, packet type, address length, address."""
_ADDRESS_AT: Final = 32
_STATISTICS: Final = struct.Struct("=II")
_IFREQ: Final = struct.Struct("=16si20x")
_TAG: Final = struct.Struct("!HH")
_ETHERNETS: Final = frozenset({1, 772})
"""ARPHRD_ETHER and ARPHRD_LOOPBACK: hardware types whose frames begin with an Ethernet header."""
_VLAN_TYPE: Final = 0x8100
# ctypes releases the interpreter's lock during a call, socket.setsockopt does not: making a ring waits 16 ms for the kernel (RCU)
_libc = ctypes.CDLL(None, use_errno=True)


class Caught(NamedTuple):
    """One frame out of the ring. ``packet_type`` is PACKET_HOST ... PACKET_OUTGOING of packet(7)."""

    at_ns: int
    ifindex: int
    packet_type: int
    data: bytes
    length: int


class Ring:
    """An unbound socket that hears every interface of the namespace of the thread that makes it, present and future.

    It begins deaf; ``hear`` opens its ears. Making and closing each wait up to 30 ms for the kernel: do it in a thread.
    """

    def __init__(self, slots: int) -> None:
        """Raises OSError: EPERM without CAP_NET_RAW, ENOMEM when there is no memory for the ring."""
        self.slots = slots
        self._size = slots * SLOT
        self._at = 0
        # protocol 0: nothing is heard before every option is set and bind gives the real one
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_COPY_THRESH, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._set(_SOL_PACKET, _PACKET_RX_RING, struct.pack("=IIII", _BLOCK, self._size // _BLOCK, SLOT, slots))
            self._memory = mmap.mmap(self._socket.fileno(), self._size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
            self.hear(NOTHING)
            self._bind()
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Readable while a frame waits."""
        return self._socket.fileno()

    def close(self) -> None:
        """Unmap and close; waits for the kernel. Harmless when already closed."""
        if self._socket.fileno() >= 0:
            self._memory.close()
            self._socket.close()

    def hear(self, sieve: bytes) -> None:
        """Let in what this program of ``sieve.py`` keeps. A filter is swapped without waiting for the kernel, a bind would not be."""
        program = ctypes.create_string_buffer(sieve, len(sieve))
        self._set(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(sieve) // 8, ctypes.addressof(program)))

    def take(self, limit: int) -> list[Caught]:
        """Up to ``limit`` frames that wait, oldest first."""
        caught: list[Caught] = []
        memory, at, size = self._memory, self._at, self._size
        header, address = _HEADER.unpack_from, _ADDRESS.unpack_from
        while len(caught) < limit:
            status, length, kept, begin, _, seconds, nanoseconds, tag, tag_type = header(memory, at)
            if not status & _USER:
                break
            _, protocol, ifindex, hardware, packet_type, _, _ = address(memory, at + _ADDRESS_AT)
            data = memory[at + begin : at + begin + kept]
            if status & _COPY:
                data = self._whole(data)
            if hardware not in _ETHERNETS:  # tun and tunnels carry bare IP: give it the header that everything here expects
                data = bytes(12) + struct.pack("=H", protocol) + data
                length += 14
            if status & _VLAN_VALID:  # the kernel keeps the tag beside the frame; on the wire it follows the two addresses
                data = data[:12] + _TAG.pack(tag_type or _VLAN_TYPE, tag) + data[12:]
                length += 4
            caught.append(Caught(seconds * 1_000_000_000 + nanoseconds, ifindex, packet_type, data, length))
            memory[at : at + 4] = b"\0\0\0\0"
            at = (at + SLOT) % size
        self._at = at
        if not caught:
            self._forget_copies()
        return caught

    def skip(self) -> int:
        """Give every waiting frame back unread; how many there were."""
        memory, size, count = self._memory, self._size, 0
        while _HEADER.unpack_from(memory, self._at)[0] & _USER and count < size // SLOT:
            memory[self._at : self._at + 4] = b"\0\0\0\0"
            self._at = (self._at + SLOT) % size
            count += 1
        self._forget_copies()
        return count

    def dropped(self) -> int:
        """How many frames found the ring full since this was last asked."""
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        return int(_STATISTICS.unpack(statistics)[1])

    def name(self, ifindex: int) -> str:
        """The interface's name in this socket's own namespace, "" when it is not there any more."""
        with contextlib.suppress(OSError):
            answer = fcntl.ioctl(self._socket.fileno(), _SIOCGIFNAME, _IFREQ.pack(b"", ifindex))
            return _IFREQ.unpack(answer)[0].split(b"\0", 1)[0].decode("utf-8", "replace")  # type: ignore[no-any-return]
        return ""

    def _whole(self, start: bytes) -> bytes:
        """The whole of a frame that did not fit its slot; only its ``start`` when the copy found no room."""
        with contextlib.suppress(BlockingIOError):
            copy = self._socket.recv(_LARGEST)
            if copy.startswith(start):
                return copy
        return start

    def _forget_copies(self) -> None:
        """A copy whose frame was not found would keep the socket readable for ever."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1)

    def _set(self, level: int, option: int, value: bytes) -> None:
        if _libc.setsockopt(self._socket.fileno(), level, option, value, len(value)):
            code = ctypes.get_errno()
            raise OSError(code, f"cannot listen to packets: {os.strerror(code)}")

    def _bind(self) -> None:
        """To every interface: Python's own bind wants a name."""
        address = _ADDRESS.pack(socket.AF_PACKET, socket.htons(_ETH_P_ALL), 0, 0, 0, 0, b"")
        if _libc.bind(self._socket.fileno(), address, len(address)):
            code = ctypes.get_errno()
            raise OSError(code, f"cannot listen to packets: {os.strerror(code)}")
