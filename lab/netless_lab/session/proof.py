"""Lint's procedure, run in a lab of its own: every step fails before, passes after, fails again after back, in every dialect."""

from __future__ import annotations

from ..course.lint import Answer, Judge, Observe, Perform, Proof, Rebuild, Request, Undo, prove
from ..course.step import Position, step_at
from ..errors import ApplyError, Refusal
from ..primitives.base import DIALECTS, Dialect
from ..primitives.namespace import StartContainer
from .case import case_at
from .judging import observe
from .moving import set_dialect, stand
from .pages import bound_actions, commands_of, where_of
from .stage import Stage
from .state import before
from .undo import back


class Prover:
    """Answers what the procedure asks for."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def prove(self, places: tuple[Position, ...] | None, dialects: tuple[Dialect, ...]) -> Proof:
        """Drive the whole procedure."""
        trial = prove(self._stage.state.course, places, dialects)
        request = next(trial)
        while True:
            try:
                request = trial.send(await self._answer(request))
            except StopIteration as end:
                proof: Proof = end.value
                return proof

    async def _answer(self, request: Request) -> Answer:
        try:
            match request:
                case Rebuild(position=place):
                    if lacks := await self._lacks(place):
                        return Answer(skip=lacks)
                    await set_dialect(self._stage, DIALECTS[0])
                    await stand(self._stage, place)
                    return Answer()
                case Judge():
                    return Answer(await self._stage.mode.judge(by_tutor=True))
                case Observe(position=place):
                    return Answer(await observe(self._stage.world, case_at(self._stage, place)))
                case Perform(position=place, dialect=dialect):
                    return await self._perform(place, dialect)
                case Undo():
                    await back(self._stage, force=True)
                    return Answer()
        except (Refusal, ApplyError) as error:
            return Answer(error=str(error))

    async def _lacks(self, place: Position) -> str:
        """What the machine lacks for this step and those before it, in words; "" when nothing."""
        course = self._stage.state.course
        needs = (need for own in (*before(course, place), place) for need in step_at(course, own).needs)
        return "; ".join(map(str, await self._stage.world.lacking(needs)))

    async def _perform(self, place: Position, dialect: Dialect | None) -> Answer:
        stage = self._stage
        step = step_at(stage.state.course, place)
        if dialect is None:
            for action in bound_actions(step, stage.state, await stage.world.look()):
                await stage.moves.apply(action)
            return Answer()
        await set_dialect(stage, dialect)
        await stand(stage, place)
        for action in bound_actions(step, stage.state, await stage.world.look()):
            where = where_of(await stage.world.look(), "host")
            lines = commands_of((action,), dialect, where).lines
            problem = await stage.world.type_in_host("\n".join(lines), python=dialect == "pyroute2")
            if problem:
                return Answer(error=problem)
            if isinstance(action, StartContainer):
                await self._appears(action.node)
        return Answer()

    async def _appears(self, node: str) -> None:
        """A container started from a shell is there when its host name is: some milliseconds after the prompt is back."""
        for _ in range(100):
            if (await self._stage.world.look()).node(node) is not None:
                return
            await self._stage.world.changed(0.02)
