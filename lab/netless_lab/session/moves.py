"""Moving in time: bring the kernel to the state that belongs to a step's start or end, from wherever it is now."""

from __future__ import annotations

import shutil

from ..course.bindings import Bindings
from ..course.judge import state_holds
from ..course.outline import outline
from ..course.step import Course, Position, Step, step_at
from ..course.substitute import apply
from ..model.snapshot import Snapshot
from ..primitives.base import Action, Dialect, Where
from ..primitives.forward import ForwardAccept, ForwardPolicy
from ..primitives.fuse import fuse
from ..primitives.masquerade import Masquerade
from ..primitives.namespace import StartContainer
from ..primitives.run import Run
from ..protocol import Notice
from .judging import settle
from .likeness import unlike
from .live import Live
from .state import actions_before, before, undone
from .world import World

ATTEMPTS = 3
"""How often a rebuild is tried when what it has just taken away is there again: somebody in the lab makes it in a loop."""
FIREWALL = (Masquerade, ForwardPolicy, ForwardAccept)


class Moves:
    """Rebuild by purge and replay: never step by step backwards, so that any mess ends in the same clean state."""

    def __init__(self, world: World, live: Live) -> None:
        self._world = world
        self._live = live

    async def rebuild(self, course: Course, position: Position, bindings: Bindings, dialect: Dialect, *, end: bool = False) -> Snapshot:
        """Throw away what is not of the world's beginning, then do everything up to the step (or with it)."""
        step = step_at(course, position)
        wanted = (*actions_before(course, position), *(step.do if end else ()))
        actions = tuple(apply(action, bindings) for action in wanted)
        keep = (*course.world.containers, *(action.node for action in actions if isinstance(action, StartContainer)))
        with self._live.tutor_at_work():
            for attempt in range(1, ATTEMPTS + 1):
                await self._clean(frozenset(keep))
                try:
                    await self._world.apply_all(spoken(fuse(actions), dialect))
                    break
                except self._world.apply_failed as error:
                    if attempt == ATTEMPTS or error.errno != "EEXIST":
                        await self._live.refresh()
                        raise
            await settle(self._world)
            return await self._live.refresh()

    async def _clean(self, keep: frozenset[str]) -> None:
        cleaned = await self._world.purge(keep)
        self.repaired(cleaned.lost)
        if cleaned.problems:
            text = f"Not all could be put back: {_listed(cleaned.problems)}. A new lab has it right: `netless down` ends this one."
            self._live.tell(Notice("warning", text))

    def repaired(self, paths: tuple[str, ...]) -> str:
        """What was put back of the lab itself, in words, told to every view too; "" when nothing was."""
        if not paths:
            return ""
        text = f"Files of the lab itself were missing ({_listed(paths)}): they were put back."
        self._live.tell(Notice("warning", text))
        return text

    async def apply(self, action: Action, dialect: Dialect = "ip") -> None:
        """One action of the tutor, exactly as a learner would see it done."""
        with self._live.tutor_at_work():
            await self._world.apply_all(spoken((action,), dialect))
            await self._live.refresh()

    def going(self, course: Course, position: Position, bindings: Bindings) -> tuple[str, ...]:
        """What a rebuild to this step's start would change of what the picture shows, in words; ``World.unseen`` has the rest."""
        clean = outline(self._world.baseline, (apply(action, bindings) for action in actions_before(course, position)))
        return unlike(self._live.last, clean)


def _listed(paths: tuple[str, ...]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def spoken(actions: tuple[Action, ...], dialect: Dialect) -> tuple[Action, ...]:
    """The same actions, but firewall rules in the tool of the dialect.

    For everything else all dialects end in the same state. The iptables of the legacy dialect keeps its rules in tables of its own: a
    rule it adds cannot open a chain that nft closed, so one who speaks it must find its rules where it looks.
    """
    if dialect != "legacy" or shutil.which("iptables") is None:
        return actions
    told: list[Action] = []
    for action in actions:
        if isinstance(action, FIREWALL):
            told += [Run(line, action.node) for line in action.commands(dialect, Where(action.node))]
        else:
            told.append(action)
    return tuple(told)


def missing(course: Course, position: Position, snapshot: Snapshot, bindings: Bindings) -> tuple[Step, ...]:
    """Steps ahead of this position whose result is not there now, though no later step took it away."""
    gone = undone(course, position)
    found = []
    for place in before(course, position):
        step = step_at(course, place)
        if f"{place.lesson}/{place.step}" not in gone and not state_holds(step, snapshot, bindings):
            found.append(step)
    return tuple(found)
