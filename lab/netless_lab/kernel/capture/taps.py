"""A tap in every node: rings that are opened when a node comes, closed when it goes, and deaf while nobody records.

Opening and closing wait for the kernel (16 to 30 ms each, RCU), so both happen in threads, several at once; opening and closing the
ears does not wait. An open tap keeps its namespace alive: let go of a node as soon as it is gone.

One recording: everything the taps hear between start and stop, bounded in memory, with what was not kept counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from ...model.journey import Direction
from ...model.journeys.frame import Frame, Recording, in_order
from ..namespace import call_in
from ..read import NodeRef
from ..room import need_room
from .ring import SLOT, Ring
from .sieve import EVERYTHING, NOTHING

MEMORY: Final = 24 << 20
"""Bytes that all rings of a lab may take together; the kernel cannot swap them."""
_PART: Final = 32
"""Where memory is short, of what is left the rings take one part of so many: labs that are opened one after the other leave the rest free."""
_LEAST: Final = 1 << 20
"""What they may take on any machine: enough for sixteen nodes."""
_NO_MEMORY: Final = "packets take as much memory as they may"
_NAMED: Final = 3
"""Of many nodes so many are named."""
PROBED: Final = 4096
"""Frames a ring holds while only probes are listened to: some dozen are their own, and of a flood beside them a sieve keeps most away. What
it lets pass may come at the highest speed for 20 ms without anybody reading; a loop is busy for a third of that."""
FOLLOWED: Final = 16384
"""Frames a ring holds while everything is asked for: as many as two thousand pings of a flood make in the host, without anybody reading meanwhile."""
_FEWEST: Final = 256
"""At least one block."""
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
        """Enter the node and open a ring there. Raises OSError, also where too few descriptors are left by those opened up to now."""
        need_room()
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


class Unheard(NamedTuple):
    """A node without a tap, and why."""

    node: str
    why: str


class Taps:
    """The taps of a lab. Frames go to every listener while there is one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._taps: dict[int, Tap] = {}
        self._failed: dict[int, Unheard] = {}
        self._memory = MEMORY
        self.slots = PROBED
        """Frames a ring is to hold from the next ``attend`` on, where there is memory for it."""
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
        """Why there is no tap in some nodes, in words: one line for each reason."""
        return grouped("packets of {nodes} cannot be seen", self._failed.values())

    @property
    def unheard(self) -> frozenset[str]:
        """The nodes that there is no tap in though there should be."""
        return frozenset(failed.node for failed in self._failed.values())

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes that are listened to."""
        return frozenset(tap.ref.name for tap in self._taps.values())

    def cover(self, inodes: Iterable[int]) -> bool:
        """Whether each of these namespaces is listened to, but for those that cannot be."""
        return all(inode in self._taps or inode in self._failed for inode in inodes)

    async def attend(self, refs: Iterable[NodeRef]) -> None:
        """Have a tap in each of these nodes and in no other; returns when every new one hears. Nothing to do takes no time.

        A node that cannot be entered, or that there is no room for, is left out, named in ``missing``, and tried again the next time.
        Rings of before become as large as ``slots`` says now, and smaller where all together would take more than their share of memory.
        """
        wanted = {ref.namespace.inode: ref for ref in refs if not ref.namespace.closed}
        async with self._turn:
            for inode in self._taps.keys() - wanted.keys():
                self._let_go(self._taps.pop(inode))
            self._failed = {inode: failed for inode, failed in self._failed.items() if inode in wanted}
            for inode, ref in wanted.items():
                if inode in self._taps:
                    self._taps[inode].ref = ref
            new = [ref for inode, ref in wanted.items() if inode not in self._taps]
            slots = slots_for(len(wanted), self._share(), self.slots)
            await self._resize(slots, crowded=sum(tap.ring.slots for tap in self._taps.values()) + len(new) * slots > self._memory // SLOT)
            await self._open_all(new, slots)

    async def _resize(self, slots: int, *, crowded: bool) -> None:
        """Another ring in place of each that holds less than this, or more than is asked for, or than there is room for."""
        most = slots if crowded else self.slots
        await asyncio.gather(*(self._open(tap.ref, slots) for tap in tuple(self._taps.values()) if not slots <= tap.ring.slots <= most))

    async def _open_all(self, new: Sequence[NodeRef], slots: int) -> None:
        """A tap of this size in each of these, as far as there is room."""
        room = max(0, self._memory // SLOT - sum(tap.ring.slots for tap in self._taps.values())) // slots
        for ref in new[room:]:
            self._failed[ref.namespace.inode] = Unheard(ref.name, _NO_MEMORY)
        await asyncio.gather(*(self._open(ref, slots) for ref in new[:room]))

    def _share(self) -> int:
        """Bytes that the rings may take: what they have stays theirs, so it is asked for when there are none."""
        if not self._taps:
            self._memory = memory_for(available())
        return self._memory

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
            while frames := tap.frames(FOLLOWED):
                self._deliver(frames)
                if len(frames) < FOLLOWED:
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
        """A tap in this node, in place of another when it has one; when there cannot be, that one stays."""
        inode = ref.namespace.inode
        try:
            tap = await self._loop.run_in_executor(self._threads, Tap.open, ref, slots)
        except OSError as error:
            if inode not in self._taps:
                self._failed[inode] = Unheard(ref.name, error.strerror or str(error))
            return
        self._failed.pop(inode, None)
        before = self._taps.get(inode)
        self._taps[inode] = tap
        if self._listeners:
            self._hear(tap)
        if before is not None:
            before.ring.hear(NOTHING)
            if self._listeners:  # what passed while both were open is in both, with one stamp
                last = before.frames(FOLLOWED)
                twice = frozenset(last)
                self._deliver([*last, *(frame for frame in tap.frames(FOLLOWED) if frame not in twice)])
            self._let_go(before)

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


def slots_for(nodes: int, memory: int, most: int) -> int:
    """How many frames each ring may hold in a lab of this many nodes, at most so many: a power of two, so that blocks come out even."""
    each = max(1, memory // SLOT // max(1, nodes))
    return max(_FEWEST, min(most, 1 << each.bit_length() - 1))


def memory_for(free: int) -> int:
    """Bytes that the rings of a lab may take on a machine with so many free ones."""
    return max(_LEAST, min(MEMORY, free // _PART))


def available() -> int:
    """Bytes the machine could give now (proc_meminfo(5), MemAvailable); more than any lab takes where that cannot be read."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))
    return MEMORY * _PART


def grouped(text: str, unheard: Iterable[Unheard]) -> tuple[str, ...]:
    """``text`` about the nodes of each reason, with that reason; the first few by name."""
    by_reason: dict[str, list[str]] = {}
    for node, why in unheard:
        by_reason.setdefault(why, []).append(node)
    return tuple(f"{text.format(nodes=_listed(nodes))}: {why}" for why, nodes in by_reason.items())


def _listed(nodes: Sequence[str]) -> str:
    return ", ".join(nodes) if len(nodes) <= _NAMED else f"{', '.join(nodes[:_NAMED])} and {len(nodes) - _NAMED} more"


LIMIT: Final = 20_000
"""Frames one recording keeps: about 8 MB. A probe makes some dozen; only a flood comes near."""


class Recorder:
    """Several may run at once on the same taps. Start and stop take some microseconds a node."""

    def __init__(self, taps: Taps, limit: int = LIMIT, sieve: bytes = EVERYTHING) -> None:
        """``sieve`` (``sieve.py``) says what is wanted; more may come when somebody else records too."""
        self._taps = taps
        self._limit = limit
        self._sieve = sieve
        self._frames: list[Frame] = []
        self._left_out = 0
        self._lost_before = 0
        self._running = False

    def start(self) -> None:
        """Begin to record."""
        self._frames, self._left_out = [], 0
        self._taps.listen(self._take, self._sieve)
        self._lost_before = self._taps.lost()
        self._running = True

    def stop(self) -> Recording:
        """End, with everything that has passed until now. Call it as often as you like: afterwards it is empty."""
        if not self._running:
            return Recording()
        self._running = False
        self._taps.unlisten(self._take)
        frames, self._frames = self._frames, []
        return Recording(tuple(in_order(frames)), self._taps.lost() - self._lost_before, self._left_out, self._taps.unheard)

    def so_far(self) -> tuple[Frame, ...]:
        """The frames that have passed so far, in true order; they stay in the recording."""
        self._taps.drain()
        return tuple(in_order(self._frames))

    def take(self) -> Recording:
        """What has passed so far, and go on: for those who follow for long."""
        self._taps.drain()
        frames, self._frames = self._frames, []
        left_out, self._left_out = self._left_out, 0
        lost_before, self._lost_before = self._lost_before, self._taps.lost()
        return Recording(tuple(in_order(frames)), self._lost_before - lost_before, left_out, self._taps.unheard)

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _take(self, frames: list[Frame]) -> None:
        room = self._limit - len(self._frames)
        self._frames += frames[:room] if room > 0 else ()
        self._left_out += max(0, len(frames) - max(room, 0))
