"""The learner's own packets as journeys: heard in every node, sorted into conversations, told when they have fallen silent, throttled.

A flood is sampled twice: the taps read a bounded number of frames, and of those only so many are looked into each turn; what is left
out is counted and told.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from ..kernel.evidence.lookout import Lookout, Watching
from ..model.journey import Journey
from ..model.journeys.assemble import MOST_HOPS, Followed, traffic
from ..model.journeys.converse import Asked, Conversation, Question, Sight, Sorter, belonging, questions
from ..model.journeys.decode import decode
from ..model.journeys.frame import Frame, Ground
from ..model.journeys.packet import Packet, Tuple
from ..model.snapshot import Snapshot

TURN_S: Final = 0.1
QUIET_NS: Final = 150_000_000
"""A conversation that has been silent for so long is told."""
LONGEST_NS: Final = 1_500_000_000
"""One that never falls silent is told after so long; what follows of it is only counted."""
FRAMES_A_TURN: Final = 600
JOURNEYS_A_TURN: Final = 2
"""So at most twenty a second."""
WAITING: Final = 8
"""Journeys that may wait for their turn; more at once are counted and left out."""
_OWN_KEPT: Final = 512
_IGMP: Final = 2

OnFollowed = Callable[[Journey, tuple[Frame, ...], int], None]


class Traffic:
    """``start`` and ``stop`` it; off at first. ``snapshot`` answers the ground that packets travel on now.

    ``on_journey`` gets each journey, the frames of its hops, and how many frames were left out since the last one.
    """

    def __init__(self, lookout: Lookout, snapshot: Callable[[], Snapshot], on_journey: OnFollowed) -> None:
        self._snapshot = snapshot
        self._lookout = lookout
        self._on_journey = on_journey
        self._watching: Watching | None = None
        self._turn: asyncio.TimerHandle | None = None
        self._sorter = Sorter()
        self._pending: list[tuple[Frame, Packet]] = []
        self._muted: dict[Tuple | Asked, int] = {}
        self._own: dict[Tuple, None] = {}
        self._waiting: deque[Followed] = deque()
        self._deaf: frozenset[str] = frozenset()
        self._holes = 0
        self._skipped = 0

    @property
    def on(self) -> bool:
        """Whether the learner's traffic is followed now."""
        return self._watching is not None

    def start(self) -> None:
        """Follow from now on."""
        if self._watching is None:
            self._skipped = self._holes = 0
            self._watching = self._lookout.watch()
            self._next_turn()

    def stop(self) -> None:
        """Follow no more; what has not fallen silent yet is forgotten."""
        watching, self._watching = self._watching, None
        if self._turn is not None:
            self._turn.cancel()
        if watching is not None:
            watching.stop()
        self._sorter, self._pending = Sorter(), []
        self._muted.clear()
        self._waiting.clear()

    def leave_out(self, conversations: Iterable[Conversation]) -> None:
        """These are the lab's own probes: they are told elsewhere."""
        self._own |= dict.fromkeys(talk for conversation in conversations for talk in conversation.talks)
        for talk in tuple(self._own)[:-_OWN_KEPT]:
            del self._own[talk]

    def _next_turn(self) -> None:
        self._turn = asyncio.get_running_loop().call_later(TURN_S, self._take_turn)

    def _take_turn(self) -> None:
        if self._watching is None:
            return
        self._next_turn()  # first: a frame that cannot be understood must not be the last one
        now = time.time_ns()  # before they are taken: what passes after that is not known yet, however long this turn may be held up
        seen = self._watching.take()
        for flow in seen.flows:
            self._sorter.groups.learn(flow)
        frames, self._deaf = seen.recording.frames, seen.recording.unheard
        holes = seen.recording.lost + seen.recording.left_out + max(0, len(frames) - FRAMES_A_TURN)
        self._holes += holes
        self._skipped += holes
        self._pending += [(frame, decode(frame.data)) for frame in frames[:FRAMES_A_TURN]]
        # what was left out is later than what was not: of nobody is it known that he has been silent since
        self._look(self._pending[-1][0].at_ns if holes and self._pending else now)
        coming = self._pending[0][0].at_ns if self._pending else now
        self._muted = {name: last for name, last in self._muted.items() if coming - last < LONGEST_NS}
        self._tell()

    def _tell(self) -> None:
        """As many journeys as a turn may have."""
        for _ in range(min(JOURNEYS_A_TURN, len(self._waiting))):
            followed = self._waiting.popleft()
            skipped, self._skipped = self._skipped, 0
            self._on_journey(followed.journey, tuple(sight.frame for sight in followed.sights), skipped)

    def _look(self, now: int) -> None:
        """Make journeys of what has fallen silent, and keep the rest for the next turn."""
        found = self._sorter.sort(self._pending)
        if not self._pending:
            self._holes = 0
            return
        done = [own for own in found.conversations if _is_over(own, now)]
        going = [own for own in found.conversations if not _is_over(own, now)]
        asked, ground = questions(found.neighbours), Ground.of(self._snapshot())
        wanted = [own for own in done if not self._is_none_of_theirs(own) and not self._is_rest(own.talks, own, now)]
        taken = {id(own) for own in wanted}
        waiting, caused, unwanted = (
            {id(question) for own in conversations for question in belonging(own, asked, ground)}
            for conversations in (going, wanted, [own for own in done if id(own) not in taken])
        )
        waiting |= {id(question) for question in asked if not _is_over(question, now)}
        ready = [own for own in asked if id(own) not in waiting | unwanted and not own.is_check]
        rest = {id(own) for own in ready if self._is_rest((own.key,), own, now)} - caused
        made = traffic(wanted, [own for own in ready if id(own) not in rest], ground, self._holes, self._deaf)
        self._pending = _rest(going, [own for own in asked if id(own) in waiting], now - LONGEST_NS)
        room = WAITING - len(self._waiting)
        self._waiting.extend(made[:room])
        self._skipped += sum(len(followed.sights) for followed in made[room:])

    def _is_none_of_theirs(self, conversation: Conversation) -> bool:
        """The lab's own, or housekeeping of IPv6."""
        return not self._own.keys().isdisjoint(conversation.talks) or _is_housekeeping(conversation.first.packet.subject)

    def _is_rest(self, names: Iterable[Tuple | Asked], own: Conversation | Question, now: int) -> bool:
        """Whether it was told already because it never ends; this is counted. What is left may begin anywhere on its way, by any of its ``names``."""
        first, last = own.sights[0].frame.at_ns, own.sights[-1].frame.at_ns
        is_rest = first - max(self._muted.get(name, 0) for name in names) < LONGEST_NS
        if is_rest or now - last < QUIET_NS:
            self._muted |= dict.fromkeys(names, last)
        if is_rest:
            self._skipped += len(own.sights)
        return is_rest


def _is_over(own: Conversation | Question, now: int) -> bool:
    first, last = own.sights[0].frame.at_ns, own.sights[-1].frame.at_ns
    return now - last >= QUIET_NS or now - first >= LONGEST_NS


def _is_housekeeping(packet: Packet) -> bool:
    """What every node says to groups by itself when a link comes up: membership reports (IGMP, MLD), questions for routers."""
    return packet.proto == _IGMP or (packet.dst.startswith("ff") and ":" in packet.dst and packet.kind == "icmp")


def _rest(conversations: Iterable[Conversation], asked: Iterable[Question], since: int) -> list[tuple[Frame, Packet]]:
    """The packets of what goes on, in true order again; of a question that never ends those ``since`` then: no conversation is older."""
    sights = [sight for own in conversations for sight in (*own.sights[:MOST_HOPS], *map(_counted, own.sights[MOST_HOPS:]))]
    sights += [sight for question in asked for sight in question.sights if sight.frame.at_ns > since]
    return [(sight.frame, sight.packet) for sight in sorted(sights, key=lambda sight: sight.frame.at_ns)]


def _counted(sight: Sight) -> Sight:
    """Without the bytes: no journey will show it, it tells only how its conversation ended."""
    if not sight.frame.data:
        return sight
    return sight._replace(frame=replace(sight.frame, data=b""), packet=_without_payload(sight.packet))


def _without_payload(packet: Packet) -> Packet:
    return replace(packet, payload=b"", inner=_without_payload(packet.inner) if packet.inner is not None else None)
