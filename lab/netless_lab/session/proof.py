"""Lint's procedure, run in a lab of its own: every step fails before, passes after, fails again after back, in every dialect."""

from __future__ import annotations

from ..course.lint import Answer, Judge, Perform, Proof, Rebuild, Request, Undo, prove
from ..course.step import Position, step_at
from ..errors import Refusal
from ..primitives.base import DIALECTS, Dialect
from ..primitives.namespace import StartContainer
from .pages import bound_actions, commands_of, where_of
from .session import Session


class Prover:
    """Answers what the procedure asks for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def prove(self, places: tuple[Position, ...] | None, dialects: tuple[Dialect, ...]) -> Proof:
        """Drive the whole procedure."""
        trial = prove(self._session.state.course, places, dialects)
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
                    await self._session.set_dialect(DIALECTS[0])
                    await self._session.stand(place)
                    return Answer()
                case Judge():
                    return Answer(await self._session.judge_now(by_tutor=True))
                case Perform(position=place, dialect=dialect):
                    return await self._perform(place, dialect)
                case Undo():
                    await self._session.back()
                    return Answer()
        except (Refusal, self._session.world.apply_failed) as error:
            return Answer(error=str(error))

    async def _perform(self, place: Position, dialect: Dialect | None) -> Answer:
        session = self._session
        step = step_at(session.state.course, place)
        if dialect is None:
            for action in bound_actions(step, session.state):
                await session.moves.apply(action)
            return Answer()
        await session.set_dialect(dialect)
        await session.stand(place)
        for action in bound_actions(step, session.state):
            where = where_of(await session.world.look(), "host")
            lines = commands_of((action,), dialect, where).lines
            problem = await session.world.type_in_host("\n".join(lines), python=dialect == "pyroute2")
            if problem:
                return Answer(error=problem)
            if isinstance(action, StartContainer):
                await self._appears(action.node)
        return Answer()

    async def _appears(self, node: str) -> None:
        """A container started from a shell is there when its host name is: some milliseconds after the prompt is back."""
        for _ in range(100):
            if (await self._session.world.look()).node(node) is not None:
                return
            await self._session.world.changed(0.02)



