"""A tap in every node: rings that are opened when a node comes, closed when it goes, and deaf while nobody records.

Opening and closing wait for the kernel (16 to 30 ms each, RCU), so both happen in threads, several at once; opening and closing the
ears does not wait. An open tap keeps its namespace alive: let go of a node as soon as it is gone.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ...model.journey import Direction
from ...model.journeys.frame import Frame
from ..namespace import call_in
from ..read import NodeRef
from ..room import need_room
from .ring import SLOT, Ring
from .sieve import EVERYTHING, NOTHING

_MEMORY: Final = 24 << 20
"""Bytes that all rings of a lab may take together."""
_MOST_SLOTS, _FEWEST_SLOTS = 16384, 1024
"""Frames one ring holds: as many as two thousand pings of a flood make in the host, without anybody reading meanwhile."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("in", "broadcast", "multicast", "other", "out")
_AT_ONCE: Final = 256
"""Frames taken from one ring before the loop turns to others: 0.5 ms."""
BUDGET: Final = 6000
WINDOW_S: Final = 0.05
"""Frames read within a window, over all taps. A flood above that (120,000 frames a second) finds the rings full until the window ends:
the kernel counts what it drops, runs of whole rings are kept, so journeys in them stay whole, and the loop stays free for others."""

Listener = Callable[[list[Frame]], None]


class Tap:
    """The ring of one node, with the names of its interfaces as they were last seen."""

    def __init__(self, ref: NodeRef, ring: Ring, names: dict[int, str]) -> None:
        self.ref = ref
        self.ring = ring
        self._names = names

    @classmethod
    def open(cls, ref: NodeRef, slots: int) -> Tap:
        """Enter the node and open a ring there. Raises OSError."""
        ring, names = call_in(ref.namespace, lambda: (Ring(slots), dict(socket.if_nameindex())))
        return cls(ref, ring, names)

    def frames(self, limit: int = _AT_ONCE) -> list[Frame]:
        """Frames that wait, oldest first."""
        fresh: dict[int, str] = {}
        node, frames = self.ref.name, []
        for at_ns, ifindex, packet_type, data, length in self.ring.take(limit):
            link = fresh.get(ifindex)
            if link is None:
                link = fresh[ifindex] = self._name(ifindex)
            if packet_type < len(_DIRECTIONS):
                frames.append(Frame(at_ns, node, link, ifindex, _DIRECTIONS[packet_type], data, length))
        return frames

    def _name(self, ifindex: int) -> str:
        """As it is called now; as it was called last when it has gone."""
        name = self.ring.name(ifindex)
        if name:
            self._names[ifindex] = name
        return name or self._names.get(ifindex, f"if{ifindex}")


class Taps:
    """The taps of a lab. Frames go to every listener while there is one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._taps: dict[int, Tap] = {}
        self._failed: dict[int, str] = {}
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="tap")
        self._turn = asyncio.Lock()
        self._closing: set[asyncio.Future[None]] = set()
        self._listeners: list[tuple[Listener, bytes]] = []
        self._sieve = NOTHING
        self._lost = 0
        self._spent = 0
        self._window_ends = 0.0

    @property
    def missing(self) -> tuple[str, ...]:
        """Why there is no tap in some nodes, in words."""
        return tuple(self._failed.values())

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes that are listened to."""
        return frozenset(tap.ref.name for tap in self._taps.values())

    def cover(self, inodes: Iterable[int]) -> bool:
        """Whether each of these namespaces is listened to."""
        return all(inode in self._taps for inode in inodes)

    async def attend(self, refs: Iterable[NodeRef]) -> None:
        """Have a tap in each of these nodes and in no other; returns when every new one hears. Nothing to do takes no time.

        A node that cannot be entered is left out and named in ``missing``.
        """
        wanted = {ref.namespace.inode: ref for ref in refs if not ref.namespace.closed}
        async with self._turn:
            for inode in self._taps.keys() - wanted.keys():
                self._let_go(self._taps.pop(inode))
            self._failed = {inode: why for inode, why in self._failed.items() if inode in wanted}
            for inode, ref in wanted.items():
                if inode in self._taps:
                    self._taps[inode].ref = ref
            slots = slots_for(len(wanted))
            new = [ref for inode, ref in wanted.items() if inode not in self._taps and inode not in self._failed]
            await asyncio.gather(*(self._open(ref, slots) for ref in new))

    async def close(self) -> None:
        """Let every node go; returns when nothing of us keeps a namespace alive."""
        await self.attend(())
        await asyncio.gather(*self._closing)
        self._threads.shutdown(wait=False)

    def listen(self, listener: Listener, sieve: bytes = EVERYTHING) -> None:
        """Give every frame from now on to ``listener`` as well: at least what ``sieve`` keeps, more when others want more."""
        self._listeners.append((listener, sieve))
        if len(self._listeners) == 1:
            self._sieve = sieve
            for tap in self._taps.values():
                self._hear(tap)
        else:
            self._set_sieve()

    def unlisten(self, listener: Listener) -> None:
        """Hand over what still waits, then nothing more."""
        self.drain()
        self._listeners = [entry for entry in self._listeners if entry[0] != listener]
        self._set_sieve()
        if not self._listeners:
            for tap in self._taps.values():
                self._loop.remove_reader(tap.ring.fileno())

    def drain(self) -> None:
        """Hand over every frame that has come so far."""
        for tap in self._taps.values():
            while frames := tap.frames(_MOST_SLOTS):
                self._deliver(frames)
                if len(frames) < _MOST_SLOTS:
                    break

    def lost(self) -> int:
        """How many frames were lost since the beginning, over all taps (PACKET_STATISTICS)."""
        self._lost += sum(tap.ring.dropped() for tap in self._taps.values())
        return self._lost

    def _set_sieve(self) -> None:
        """What all who listen agree on; everything when they do not; nothing when nobody listens."""
        wanted = {sieve for _, sieve in self._listeners}
        sieve = wanted.pop() if len(wanted) == 1 else EVERYTHING if wanted else NOTHING
        if sieve != self._sieve:
            self._sieve = sieve
            for tap in self._taps.values():
                tap.ring.hear(sieve)

    async def _open(self, ref: NodeRef, slots: int) -> None:
        inode = ref.namespace.inode
        try:
            need_room()
            tap = await self._loop.run_in_executor(self._threads, Tap.open, ref, slots)
        except OSError as error:
            self._failed[inode] = f"packets of {ref.name} cannot be seen: {error.strerror or error}"
            return
        self._taps[inode] = tap
        if self._listeners:
            self._hear(tap)

    def _let_go(self, tap: Tap) -> None:
        self._loop.remove_reader(tap.ring.fileno())
        self._lost += tap.ring.dropped()
        closing = self._loop.run_in_executor(self._threads, tap.ring.close)
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _hear(self, tap: Tap) -> None:
        tap.ring.skip()
        tap.ring.dropped()
        tap.ring.hear(self._sieve)
        self._loop.add_reader(tap.ring.fileno(), self._ready, tap)

    def _ready(self, tap: Tap) -> None:
        frames = tap.frames()
        if frames:
            self._spend(len(frames))
            self._deliver(frames)

    def _spend(self, frames: int) -> None:
        """Count them against the window's budget; when it is used up, read nothing more until the window ends."""
        now = self._loop.time()
        if now >= self._window_ends:
            self._spent, self._window_ends = 0, now + WINDOW_S
        self._spent += frames
        if self._spent >= BUDGET:
            for tap in self._taps.values():
                self._loop.remove_reader(tap.ring.fileno())
            self._loop.call_at(self._window_ends, self._resume)

    def _resume(self) -> None:
        if self._listeners:
            for tap in self._taps.values():
                self._loop.add_reader(tap.ring.fileno(), self._ready, tap)

    def _deliver(self, frames: list[Frame]) -> None:
        for listener, _ in tuple(self._listeners):
            listener(frames)


def slots_for(nodes: int) -> int:
    """How many frames each ring may hold in a lab of this many nodes: a power of two, so that blocks come out even."""
    each = _MEMORY // SLOT // max(1, nodes)
    return max(_FEWEST_SLOTS, min(_MOST_SLOTS, 1 << each.bit_length() - 1))
