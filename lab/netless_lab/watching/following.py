"""Every probe the session sends becomes a journey; on request, so does the learner's own traffic.

Taps are opened in the background when somebody looks at the lab, and a probe is only watched where all of them are open, so neither
``goto`` nor a verdict ever waits for one. What was watched is kept for a while: its bytes can be looked at and saved.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from ..errors import Refusal
from ..kernel.read import NodeRef, Reader
from ..model.evidence import Evidence
from ..model.journey import Journey
from ..model.probe import Outcome, Probe
from ..model.snapshot import Snapshot
from .persist import OnFailure, persist

if TYPE_CHECKING:  # no lab needs them to be ready: each is imported by the first who does
    from ..kernel.evidence.drops import DropEar
    from ..kernel.evidence.lookout import Lookout
    from ..model.journeys.frame import Frame
    from ..model.journeys.words import Layer
    from .traffic import Traffic

KEPT_JOURNEYS: Final = 64
KEPT_FRAMES: Final = 20_000
KEPT_BYTES: Final = 16 << 20
"""Of all frames, and of those of the journeys but the last: a name or a ping takes some hundred a frame, a file that is sent up to 64 KiB."""
SETTLE_S: Final = 0.1
"""How long the nodes must have stayed the same before taps are opened and closed: a rebuild changes them several times."""

Send = Callable[[], Awaitable[Outcome]]
OnJourney = Callable[[Journey, int], None]
"""A journey, and how many frames were left out since the last one."""
OnUnheard = Callable[[str], None]
"""That packets of some nodes cannot be seen, and why, in a sentence."""


class Kept(NamedTuple):
    """A journey with the frames its hops were made of, one each."""

    journey: Journey
    frames: tuple[Frame, ...]

    @property
    def size(self) -> int:
        """How many bytes the frames are."""
        return sum(len(frame.data) for frame in self.frames)


class Following:
    """Belongs to one loop. Whatever it sends gets an outcome with an ``id``, and a journey is found by that."""

    def __init__(self, on_journey: OnJourney, on_failure: OnFailure, on_unheard: OnUnheard) -> None:
        """``on_journey`` hears of the learner's own traffic while ``traffic`` is on; ``on_failure``, that the nodes could not be listened to;
        ``on_unheard``, that some cannot be: once, until all are again.
        """
        self._on_journey = on_journey
        self._on_failure = on_failure
        self._on_unheard = on_unheard
        self._unheard_told = False
        self._refs: dict[str, NodeRef] = {}
        self._watched = self._overheard = False
        self._attended = False
        """Whether any node was ever listened to: until then all that does it need not be imported."""
        self._changing: asyncio.Task[None] | None = None
        self._changes = 0
        """How often it was to be listened otherwise."""
        self._numbers = 0
        self._sent = 0
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._of_outcome: OrderedDict[int, Journey] = OrderedDict()
        self._frames: deque[Frame] = deque()
        self._size = 0
        self._lost = 0
        self._drop_ear: DropEar | None = None
        self._open_ear: Callable[[], DropEar] | None = None
        self._snapshot = Snapshot()

    @cached_property
    def _lookout(self) -> Lookout:
        from ..kernel.evidence.lookout import Lookout

        return Lookout()

    @cached_property
    def traffic(self) -> Traffic:
        """The learner's own; off at first."""
        from .traffic import Traffic

        return Traffic(self._lookout, lambda: self._snapshot, self._heard)

    @property
    def overhears(self) -> bool:
        """Whether the learner's own traffic is followed now."""
        return self._overheard and self.traffic.on

    def attend(self, watched: bool) -> None:
        """Somebody looks at the lab, or nobody does: then nothing is listened to."""
        if watched != self._watched:
            self._watched = watched
            if not watched:
                self.overhear_no_more()
            self._change_soon()

    def nodes(self, refs: Mapping[str, NodeRef], snapshot: Snapshot) -> None:
        """The nodes there are now, and their state. Costs nothing when the nodes are the same."""
        self._snapshot = snapshot
        if refs != self._refs:
            self._refs = dict(refs)
            self._change_soon()

    def hear_drops(self, ring_fd: int, ring_size: int, layout: str, reasons: Mapping[int, str]) -> None:
        """The lab's starter, being root, handed over the kernel's drop reasons: gather them with every investigation. Opened by the first."""

        def open_ear() -> DropEar:
            from ..kernel.evidence.drops import DropEar, DropRing

            return DropEar(DropRing(ring_fd, ring_size, layout), reasons)

        self._open_ear = open_ear

    async def ready(self) -> None:
        """Wait until every node is listened to: for those who ask for a journey, not only for an outcome."""
        await self._attend(self._refs.values())

    async def overhear(self) -> None:
        """Follow the learner's own traffic from now on, unless nobody looks or it was taken back meanwhile: first there is room everywhere for all
        that may pass.
        """
        from ..kernel.capture.taps import FOLLOWED

        self._overheard = True
        self._lookout.taps.slots = FOLLOWED
        await self.ready()
        if self._watched and self._lookout.taps.slots == FOLLOWED:
            self.traffic.start()
        else:
            self.overhear_no_more()

    def overhear_no_more(self) -> None:
        """Follow only what the session sends; the room is given back soon."""
        if not self._overheard:
            return
        from ..kernel.capture.taps import PROBED

        self._overheard = False
        self.traffic.stop()
        self._lookout.taps.slots = PROBED
        self._change_soon()

    async def close(self) -> None:
        """Let every node go."""
        self._watched = False
        if self._overheard:
            self.traffic.stop()
        if self._changing is not None:
            self._changing.cancel()
        if self._drop_ear is not None:
            self._drop_ear.close()
        await self._lookout.close()

    async def probe(self, probe: Probe, send: Send, snapshot: Snapshot) -> Outcome:
        """Send a probe and follow it, when every node is listened to that can be; else only send it. ``snapshot`` is the state before it."""
        if not self._lookout.attends(self._refs.values()):
            return self._numbered(await send())
        from ..kernel.evidence.conntrack import newest
        from ..kernel.evidence.lookout import sieve_for
        from ..model.journeys.assemble import follow
        from ..model.journeys.frame import Ground

        with self._lookout.watch(sieve_for(probe)) as watching:
            outcome = self._numbered(await send())
            seen = watching.stop()
        followed = follow(probe, outcome, seen.recording, newest(seen.flows), Ground.of(snapshot))
        self._lost += seen.recording.lost
        self.traffic.leave_out(followed.own)
        self._told(outcome, self._keep(followed.journey, tuple(sight.frame for sight in followed.sights)))
        return outcome

    async def investigate(self, probe: Probe, refs: Mapping[str, NodeRef], reader: Reader) -> Evidence:
        """Send a probe once and gather every fact about it; its journey is kept like any other."""
        from .gather import gather

        if self._open_ear is not None:
            open_ear, self._open_ear = self._open_ear, None
            with contextlib.suppress(OSError, ValueError):
                self._drop_ear = open_ear()
        found = await gather(probe, refs, self._lookout, reader, self._drop_ear)
        self.traffic.leave_out(found.own)
        outcome, journey = self._numbered(found.evidence.outcome), self._keep(found.evidence.journey, found.frames)
        self._told(outcome, journey)
        return msgspec.structs.replace(found.evidence, outcome=outcome, journey=journey)

    def journey_of(self, outcome: Outcome) -> Journey | None:
        """The journey of a probe that was followed, by its outcome's id."""
        return self._of_outcome.get(outcome.id)

    @property
    def unheard(self) -> frozenset[str]:
        """The nodes that are not listened to though somebody looks."""
        return self._lookout.taps.unheard

    @property
    def missing(self) -> tuple[str, ...]:
        """What cannot be seen in some nodes, in words."""
        return self._lookout.missing

    def journeys(self) -> tuple[Journey, ...]:
        """Those still kept, oldest first."""
        return tuple(kept.journey for kept in self._kept.values())

    def packet(self, journey: int, hop: int) -> tuple[bytes, tuple[Layer, ...]]:
        """The bytes of one hop, and what they mean. Raises Refusal when they are not kept any more."""
        from ..model.journeys.words import layers

        kept = self._find(journey)
        if not 0 <= hop < len(kept.frames):
            raise Refusal(f"journey {journey} has {len(kept.frames)} hops, from 0 to {len(kept.frames) - 1}")
        data = kept.frames[hop].data
        return data, layers(data)

    def pcapng(self, journey: int | None) -> tuple[bytes, int]:
        """(a pcapng file, how many frames are in it): one journey's, or everything that is kept."""
        from ..kernel.capture.pcapng import pcapng
        from ..model.journeys.frame import in_order

        if journey is not None:
            frames = self._find(journey).frames
            return pcapng(frames), len(frames)
        everything = in_order(list(self._frames))
        return pcapng(everything, lost=self._lost), len(everything)

    def _numbered(self, outcome: Outcome) -> Outcome:
        self._sent += 1
        return msgspec.structs.replace(outcome, id=self._sent)

    def _find(self, journey: int) -> Kept:
        kept = self._kept.get(journey)
        if kept is None:
            raise Refusal(f"journey {journey} is not kept: the last {len(self._kept)} are", nearest=tuple(map(str, self._kept))[-3:])
        return kept

    def _told(self, outcome: Outcome, journey: Journey) -> None:
        self._of_outcome[outcome.id] = journey
        while len(self._of_outcome) > KEPT_JOURNEYS:
            self._of_outcome.popitem(last=False)

    def _heard(self, journey: Journey, frames: tuple[Frame, ...], skipped: int) -> None:
        self._on_journey(self._keep(journey, frames), skipped)

    def _keep(self, journey: Journey, frames: tuple[Frame, ...]) -> Journey:
        self._numbers += 1
        numbered = msgspec.structs.replace(journey, id=self._numbers)
        self._kept[self._numbers] = new = Kept(numbered, frames)
        self._frames.extend(frames)
        self._size += new.size
        while len(self._frames) > KEPT_FRAMES or self._size > KEPT_BYTES:
            self._size -= len(self._frames.popleft().data)
        size = sum(kept.size for kept in self._kept.values())
        while len(self._kept) > KEPT_JOURNEYS or (size > KEPT_BYTES and len(self._kept) > 1):
            size -= self._kept.popitem(last=False)[1].size
        return numbered

    def _change_soon(self) -> None:
        self._changes += 1
        if self._changing is None or self._changing.done():
            self._changing = asyncio.get_running_loop().create_task(self._change())

    async def _change(self) -> None:
        """Listen to the nodes there are, once they stay the same for a moment; again when others came while the taps were opened."""
        heeded = 0
        while heeded != self._changes:
            changes = self._changes
            await asyncio.sleep(SETTLE_S)
            if changes == self._changes:
                await persist(self._listen, self._on_failure)
                heeded = changes

    async def _listen(self) -> None:
        if not (self._watched or self._attended):
            return
        with contextlib.suppress(OSError):  # a node that has gone meanwhile
            await self._attend(self._refs.values() if self._watched else ())

    async def _attend(self, refs: Iterable[NodeRef]) -> None:
        """Listen to these nodes, and say when some cannot be listened to."""
        self._attended = True
        await self._lookout.attend(refs)
        taps = self._lookout.taps
        if taps.unheard and not self._unheard_told:
            self._on_unheard(f"{'; '.join(taps.missing)}. Journeys do not show what passes there; everything else goes on.")
        self._unheard_told = bool(taps.unheard)
