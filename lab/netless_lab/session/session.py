"""What a lab answers: each request to the function that answers it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator

from .. import protocol
from ..course.step import positions
from ..errors import Refusal
from ..primitives.base import DIALECTS
from . import looking, losses, moving
from .stage import Stage

Answering = Callable[[Stage, protocol.Asked], Awaitable[protocol.Done | None]]
"""A room that answers some requests, and None to all others. What it raises of Refusal is told to who asked."""


class Session:
    """Hands requests on. Nothing is remembered here: what is true of a lab is in its stage."""

    def __init__(self, stage: Stage, *others: Answering) -> None:
        """``others``: rooms that the session knows nothing of, and that answer what it does not."""
        self.stage = stage
        self._rooms = (looks, moves, *others)

    async def begin(self) -> None:
        """Before the first request: take stock."""
        await moving.begin(self.stage)

    def close(self) -> None:
        """The lab is about to end: write down what is unfinished."""
        self.stage.mode.close()

    def command_ended(self) -> None:
        """A command of somebody's has ended in the lab: of much that it may have done the kernel tells nobody."""
        self.stage.unseen.soon()
        self.stage.mode.on_command()

    def introduction(self, *, past: bool = False) -> tuple[protocol.Message, ...]:
        """What a new view needs to paint itself; with the ``past`` also what happened before it came."""
        return looking.introduction(self.stage, past=past)

    async def answer(self, request: protocol.Asked) -> protocol.Done:
        """Answer it; a verb only in its turn. Raises Refusal."""
        with self.stage.verb() if isinstance(request, protocol.Verb) else contextlib.nullcontext():
            if isinstance(request, protocol.Move):
                with self._move(request.seen):
                    return await self._done(request)
            return await self._done(request)

    async def _done(self, request: protocol.Asked) -> protocol.Done:
        for room in self._rooms:
            done = await room(self.stage, request)
            if done is not None:
                return done
        raise Refusal(f"no such request: {type(request).__name__}")

    @contextlib.contextmanager
    def _move(self, seen: int | None) -> Iterator[None]:
        """What moves the lab is counted, and every view is told before who asked has the answer. Raises Refusal (1) when the lab is not what was
        ``seen`` any more: two who press the same key at once would have it done twice.
        """
        stage = self.stage
        if seen not in (None, stage.moved):
            raise Refusal(f"not done: somebody else has moved the lab meanwhile, and it stands at {stage.state.position} now. Look at it, and ask again", code=1)
        moved, written, done = stage.moved, stage.world.written, False
        try:
            yield
            done = True
        finally:
            if stage.moved == moved and (done or stage.world.written != written):
                stage.moved += 1
            stage.views.tell_what_is_offered()


async def looks(stage: Stage, request: protocol.Asked) -> protocol.Done | None:
    """What changes nothing."""
    match request:
        case protocol.GetStatus():
            return request.done(stage.views.status())
        case protocol.GetSnapshot():
            return request.done(await looking.snapshot(stage))
        case protocol.GetCourses():
            return request.done(looking.every_course(stage))
        case protocol.GetProgress():
            return request.done(stage.state.progress)
        case protocol.GetHistory():
            return request.done(await looking.account(stage))
        case protocol.GetJourneys():
            return request.done(stage.world.following.journeys())
        case protocol.GetPacket():
            return request.done(looking.packet(stage, request.journey, request.hop))
        case protocol.GetCapture():
            return request.done(looking.capture(stage, request.journey))
        case protocol.Enter():
            return request.done(looking.enterable(stage, request.node))
        case protocol.Follow():
            return request.done(await looking.follow(stage, request.on))
        case _:
            return None


async def moves(stage: Stage, request: protocol.Asked) -> protocol.Done | None:
    """What goes through a course, judges it, or sends a packet."""
    match request:
        case protocol.Run():
            return request.done(await moving.run(stage, request.target, rest=request.rest))
        case protocol.Check():
            await stage.hold_judging()
            return request.done(await stage.mode.check(request.target))
        case protocol.Back():
            from .undo import back  # no lab needs it to be ready

            return request.done(await back(stage, force=request.force))
        case protocol.Goto():
            return request.done(await moving.goto(stage, request.target, end=request.end))
        case protocol.Reset():
            return request.done(await moving.reset(stage, request.scope))
        case protocol.WhatGoes():
            return request.done(await losses.what_goes(stage, request.scope))
        case protocol.WhatLeaves():
            return request.done(protocol.Parting(going=await losses.what_is_lost(stage)))
        case protocol.Next():
            return request.done(await moving.advance(stage, force=request.force))
        case protocol.Hint():
            return request.done(stage.mode.hint(request.rung))
        case protocol.Play():
            return request.done(await moving.play(stage, request.on, force=request.force))
        case protocol.SetDialect():
            return request.done(await moving.set_dialect(stage, request.dialect))
        case protocol.SendProbe():
            return request.done(await looking.send_probe(stage, request.probe, request.must_reply))
        case protocol.Explain():
            return request.done(await looking.explain(stage, request.probe, named=request.named))
        case protocol.Prove():
            return request.done(await _proven(stage, request.lessons))
        case _:
            return None


async def _proven(stage: Stage, lessons: tuple[str, ...]) -> protocol.Proven:
    from .proof import Prover  # only the lab of a lint needs it

    places = tuple(place for place in positions(stage.state.course) if not lessons or place.lesson in lessons)
    proof = await Prover(stage).prove(places, DIALECTS)
    return protocol.Proven(
        tuple(map(str, proof.problems)), tuple(map(str, proof.proven)), tuple((str(place), why) for place, why in proof.skipped)
    )
