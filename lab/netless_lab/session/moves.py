"""Moving in time: bring the kernel to the state that belongs to a step's start or end, from wherever it is now."""

from __future__ import annotations

import msgspec

from ..course.bindings import Bindings, apply
from ..course.outline import outline
from ..course.places import COURSE_FILE
from ..course.step import Course, Position, step_at
from ..errors import ApplyError
from ..model.clearing import Clearing, Things
from ..model.likeness import unlike
from ..model.snapshot import Snapshot
from ..primitives.base import Action, Dialect, Where
from ..primitives.cable import CreateVeth
from ..primitives.doors import AcceptIn, UnacceptIn, in_dialect
from ..primitives.forward import ForwardAccept, ForwardPolicy
from ..primitives.fuse import beside, fuse
from ..primitives.masquerade import Masquerade
from ..primitives.namespace import StartContainer
from ..primitives.registry import FIREWALL
from ..primitives.run import Run
from ..protocol import Notice
from ..sandbox.room_files import Repaired
from ..watching.live import Live
from .judging import settle
from .state import actions_before
from .world import World

ATTEMPTS = 3
"""How often a rebuild is tried when what it has just taken away is there again (somebody in the lab makes it in a loop), or a container has just ended."""


class Moves:
    """Rebuild by purge and replay: never step by step backwards, so that any mess ends in the same clean state."""

    def __init__(self, world: World, live: Live) -> None:
        self._world = world
        self._live = live

    async def set_up(self, course: Course) -> None:
        """Have the world of this course; the one that stands is ended for it when it is another, and mended where it is not whole.

        Raises OSError with the kernel's reason.
        """
        if self._world.stands(course.world):
            return
        async with self._live.tutor_at_work():
            self.told(await self._world.become(course.world))
            await self._live.refresh()

    async def have(self, course: Course) -> str:
        """Make what the nodes have in a world that was just begun; why not, in words, or ""."""
        try:
            await self._world.have(fuse(course.world.do))
        except ApplyError as error:
            return f"The world of the course {course.id} could not be made whole. {error} See `do` in the [world] of {course.path}/{COURSE_FILE}."
        return ""

    async def rebuild(self, course: Course, position: Position, bindings: Bindings, dialect: Dialect, *, end: bool = False, anew: bool = False) -> Snapshot:
        """Throw away what is not of the world's beginning, with ``anew`` the containers too, then do everything up to the step (or with it)."""
        actions = self._wanted(course, position, bindings, end)
        keep = _kept(course, actions)
        async with self._live.tutor_at_work():
            for attempt in range(1, ATTEMPTS + 1):
                await self._clean(keep, anew=anew)
                try:
                    await self._world.have(fuse(course.world.do))
                    self._missed(await self._world.write(spoken(fuse(actions), dialect), onto=self._world.baseline))
                    break
                except ApplyError as error:
                    if attempt == ATTEMPTS or not (error.errno == "EEXIST" or self._world.lacks(keep)):
                        raise
            await settle(self._world)
            return self._live.show()

    def actions(self, course: Course, position: Position, bindings: Bindings, dialect: Dialect, *, end: bool = False) -> tuple[Action, ...]:
        """What a rebuild does to a fresh lab."""
        return spoken(fuse(self._wanted(course, position, bindings, end)), dialect)

    def fitting(self, course: Course, position: Position, bindings: Bindings, *, end: bool) -> Bindings:
        """The learner's words without those that a link of the world bears where a cable's end would be born.

        Inside a container it may be called like the host's uplink, but on the host it cannot be, nor be spoken of so.
        """
        ends = (
            place
            for action in fuse(_in_words(course, position, bindings, end))
            if isinstance(action, CreateVeth)
            for place in ((action.node, action.name), (action.peer_node or action.node, action.peer))
        )
        taken = {name for where, name in ends if (node := self._world.baseline.node(where)) is not None and node.link(name) is not None}
        return msgspec.structs.replace(bindings, links={text: own for text, own in bindings.links.items() if own not in taken})

    def _wanted(self, course: Course, position: Position, bindings: Bindings, end: bool) -> tuple[Action, ...]:
        return _in_words(course, position, self.fitting(course, position, bindings, end=end), end)

    async def _clean(self, keep: tuple[str, ...], *, anew: bool) -> None:
        self.told(await self._world.purge(keep, anew=anew))

    def told(self, repaired: Repaired) -> str:
        """What of the lab itself had to be put back, and what could not, in words, told to every view too; "" when nothing."""
        texts = []
        if repaired.there:
            texts.append(f"Files of the lab itself were missing ({_listed(repaired.there)}): they were put back.")
        if repaired.problems:
            texts.append(f"Not all could be put back: {_listed(repaired.problems)}. A new lab has it right: `netless down` ends this one.")
        for text in texts:
            self._live.tell(Notice("warning", text))
        return " ".join(texts)

    def check(self, actions: tuple[Action, ...], dialect: Dialect) -> None:
        """Raises ApplyError when one of these, one after the other, cannot be done, though the first can: nothing is touched."""
        self._world.check(spoken(actions, dialect))

    def _missed(self, words: tuple[str, ...]) -> None:
        """Tell every view what was done and has not come to what it should."""
        if words:
            self._live.tell(Notice("warning", f"Not all of it is there: what should have been: {_listed(words)}. Somebody else may be at work."))

    async def apply(self, action: Action, dialect: Dialect = "ip") -> None:
        """One action of the tutor, exactly as a learner would see it done: with all that the command shown in this dialect does."""
        async with self._live.tutor_at_work():
            self._missed(await self._world.write(spoken((action, *beside(action, dialect)), dialect)))
            self._live.show()

    def clearing(self, course: Course, position: Position, bindings: Bindings, *, end: bool = False) -> Clearing:
        """What a rebuild to this step's start, or its ``end``, would change of what the picture shows, in words; ``World.unseen`` has the rest."""
        clean = outline(self._world.baseline, self._wanted(course, position, bindings, end))
        return unlike(self._live.last, clean) + Clearing(coming=self._live.births.given(self._live.last, clean))

    async def ending(self, course: Course, position: Position, bindings: Bindings, *, anew: bool, end: bool = False) -> Things:
        """The programs that a rebuild to this step's start, or its ``end``, stops, and the files that it clears, in words."""
        return await self._world.ending(_kept(course, self._wanted(course, position, bindings, end)), anew=anew)


def _in_words(course: Course, position: Position, bindings: Bindings, end: bool) -> tuple[Action, ...]:
    wanted = (*actions_before(course, position), *(step_at(course, position).do if end else ()))
    return tuple(apply(action, bindings) for action in wanted)


def _kept(course: Course, actions: tuple[Action, ...]) -> tuple[str, ...]:
    """The containers that run before any of these actions, or are started by one, in the order they are drawn in."""
    return tuple(dict.fromkeys((*course.world.containers, *(action.node for action in actions if isinstance(action, StartContainer)))))


def _listed(paths: tuple[str, ...]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def spoken(actions: tuple[Action, ...], dialect: Dialect) -> tuple[Action, ...]:
    """The same actions, but firewall rules in the tool of the dialect.

    For everything else all dialects end in the same state. The iptables of the legacy dialect keeps its rules in tables of its own: a
    rule it adds cannot open a chain that nft closed, so one who speaks it must find its rules where it looks. A chain that is there already
    is spoken to in its own tool, whatever the dialect.
    """
    if dialect != "legacy" or not _iptables():
        dialect = "ip"  # what is typed here is typed at a shell
    told: list[Action] = []
    for action in actions:
        if isinstance(action, AcceptIn | UnacceptIn):
            told += (own for door in action.doors for own in _spoken_door(msgspec.structs.replace(action, doors=(door,)), dialect))
        elif dialect == "legacy" and isinstance(action, FIREWALL):
            told += _typed(action, dialect)
        else:
            told.append(action)
    return tuple(told)


def _spoken_door(action: AcceptIn | UnacceptIn, dialect: Dialect) -> tuple[Action, ...]:
    return (action,) if in_dialect(action.doors, dialect)[0].tool == "nft" else _typed(action, dialect)


def _typed(action: AcceptIn | UnacceptIn | Masquerade | ForwardPolicy | ForwardAccept, dialect: Dialect) -> tuple[Action, ...]:
    return tuple(Run(line, action.node) for line in action.commands(dialect, Where(action.node)))


def _iptables() -> bool:
    """Whether the machine has it."""
    import shutil  # no lab needs it to be ready

    return shutil.which("iptables") is not None
