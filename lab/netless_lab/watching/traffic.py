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

from ..kernel.evidence.lookout import Lookout, Watching
from ..model.journey import Journey
from ..model.journeys.assemble import Followed, traffic
from ..model.journeys.converse import Conversation, Question, Sorter, belonging, questions
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
_TALKS_KEPT: Final = 4096
_OWN_KEPT: Final = 256
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
        self._muted: dict[Tuple, int] = {}
        self._own: deque[Tuple] = deque(maxlen=_OWN_KEPT)
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
            self._sorter, self._pending, self._skipped, self._holes = Sorter(), [], 0, 0
            self._watching = self._lookout.watch()
            self._next_turn()

    def stop(self) -> None:
        """Follow no more; what has not fallen silent yet is forgotten."""
        watching, self._watching = self._watching, None
        if self._turn is not None:
            self._turn.cancel()
        if watching is not None:
            watching.stop()
        self._pending.clear()
        self._waiting.clear()

    def leave_out(self, conversations: Iterable[Conversation]) -> None:
        """These are the lab's own probes: they are told elsewhere."""
        for conversation in conversations:
            for sight in conversation.sights:
                talk = sight.packet.subject.talk
                if talk not in self._own:
                    self._own.append(talk)

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
        if self._pending:
            # what was left out is later than what was not: of nobody is it known that he has been silent since
            self._look(self._pending[-1][0].at_ns if holes else now)
        else:
            self._holes = 0
            if len(self._muted) > _TALKS_KEPT:
                self._muted.clear()
                self._sorter = Sorter()
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
        done = [own for own in found.conversations if _is_over(own, now)]
        going = [own for own in found.conversations if not _is_over(own, now)]
        asked, ground = questions(found.neighbours), Ground.of(self._snapshot())
        waiting = {id(question) for own in going for question in belonging(own, asked, ground)}
        waiting |= {id(question) for question in asked if now - question.sights[-1].frame.at_ns < QUIET_NS}
        wanted = [own for own in done if self._is_wanted(own, now)]
        unwanted = {id(question) for own in done if own not in wanted for question in belonging(own, asked, ground)}
        ready = [question for question in asked if id(question) not in waiting | unwanted and not question.is_check]
        made = traffic(wanted, ready, ground, self._holes, self._deaf)
        self._pending = _rest(going, [question for question in asked if id(question) in waiting])
        room = WAITING - len(self._waiting)
        self._waiting.extend(made[:room])
        self._skipped += sum(len(followed.sights) for followed in made[room:])

    def _is_wanted(self, conversation: Conversation, now: int) -> bool:
        """Not the lab's own, no housekeeping of IPv6, and not the rest of one that was told already because it never ends."""
        packet = conversation.first.packet.subject
        talk = packet.talk
        if talk in self._own or talk.reverse in self._own or _is_housekeeping(packet):
            return False
        first, last = conversation.sights[0].frame.at_ns, conversation.sights[-1].frame.at_ns
        ends = min(talk, talk.reverse)  # what is left over may begin with a packet of either
        if first - self._muted.get(ends, 0) < LONGEST_NS:
            self._muted[ends] = last
            self._skipped += len(conversation.sights)
            return False
        if now - last < QUIET_NS:
            self._muted[ends] = last
        return True


def _is_over(conversation: Conversation, now: int) -> bool:
    first, last = conversation.sights[0].frame.at_ns, conversation.sights[-1].frame.at_ns
    return now - last >= QUIET_NS or now - first >= LONGEST_NS


def _is_housekeeping(packet: Packet) -> bool:
    """What every node says to groups by itself when a link comes up: membership reports (IGMP, MLD), questions for routers."""
    return packet.proto == _IGMP or (packet.dst.startswith("ff") and ":" in packet.dst and packet.kind == "icmp")


def _rest(conversations: Iterable[Conversation], asked: Iterable[Question]) -> list[tuple[Frame, Packet]]:
    """The packets of what goes on, in true order again."""
    sights = [sight for own in conversations for sight in own.sights] + [sight for question in asked for sight in question.sights]
    return [(sight.frame, sight.packet) for sight in sorted(sights, key=lambda sight: sight.frame.at_ns)]


