"""Two desks at one real lab: what each knows of it, and what becomes of keys that are pressed at both."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

import pytest

from helpers.running import Running, running
from netless.commands import time
from netless.commands.stage import Stage
from netless.desk.desk import Desk
from netless.desk.view import forbids
from netless_lab import labs, protocol
from netless_lab.model.probe import Ping

pytestmark = pytest.mark.kernel

FAR = Ping("c1", "203.0.113.99")


@asynccontextmanager
async def seated(lab: Running, changed: Callable[[Desk], None] = lambda desk: None, *, past: bool = True) -> AsyncIterator[Desk]:
    """Somebody who has joined and heard all that is told at the beginning; ``changed`` and ``past`` as of a desk."""

    def connect() -> socket.socket:
        sock = labs.connect(lab.name)
        assert sock is not None
        return sock

    joined = asyncio.Event()

    def told() -> None:
        changed(desk)
        if desk.view.courses:
            joined.set()

    desk = Desk(lab.name, connect, told, past=past)
    talk = asyncio.create_task(desk.converse())
    await joined.wait()
    yield desk
    talk.cancel()
    await asyncio.gather(talk, return_exceptions=True)


async def test_who_comes_back_finds_the_log() -> None:
    """What was done and which packets were sent, as one knows them who was there; and the packet that was lost can be explained."""
    with running() as lab:
        async with seated(lab) as there:
            await there.ask(protocol.Run())
            await there.ask(protocol.SendProbe(FAR))
            async with seated(lab) as back:
                assert there.view.entries and back.view.entries == there.view.entries
                assert there.view.packets and back.view.packets == there.view.packets
                assert not forbids(back.view, "why")
            async with seated(lab, past=False) as teller:
                assert teller.view.entries == () and teller.view.packets == (), "who tells each event as it comes would tell it as news"
                assert not forbids(teller.view, "why")
            async with seated(lab) as back:
                told = await back.ask(protocol.Explain())
                assert told is not None and FAR.to in told.seen


async def test_who_comes_back_finds_what_was_given() -> None:
    """The hints of a drill, and that the learner's own packets are followed, whoever asked for it."""
    with running() as lab:
        async with seated(lab) as there:
            await there.ask(protocol.Break("forwarding-off", drill=True))
            hint = await there.ask(protocol.Hint())
            await there.ask(protocol.Follow(True))
            async with seated(lab) as back:
                assert hint is not None and back.view.fault is not None and back.view.fault.hints_open == (hint.text,)
                assert there.view.following and back.view.following
                await back.ask(protocol.Follow(False))
                while there.view.following:
                    await asyncio.sleep(0.01)


async def test_the_same_key_at_both_is_done_once() -> None:
    """Pressed at once, it is done for one; the other is told that the lab has been moved, and nothing is done twice."""
    with running() as lab:
        async with seated(lab) as one, seated(lab) as two:
            for desk in (one, two):
                await desk.ask(protocol.Check())
            where = lab.status().position

            async def run(desk: Desk) -> protocol.Judgement | None:
                return await desk.ask(protocol.Run())

            answers = await asyncio.gather(run(one), run(two))
            assert sorted(answer is None for answer in answers) == [False, True]
            told = (two if answers[1] is None else one).view.sayings
            assert [saying.text for saying in told if "somebody else has moved the lab" in saying.text]
            assert lab.status().position == where
            assert await two.ask(protocol.Next()) is not None, "who has looked since is answered"


async def test_beside_a_busy_one_every_key_says_why_it_waits() -> None:
    """While another desk rebuilds the lab, this one knows with what it is busy, for every act that has to wait; after it they are as before."""
    with running() as lab:
        seen: list[dict[str, str]] = []

        def changed(desk: Desk) -> None:
            if desk.view.status is not None and desk.view.status.busy:
                seen.append({act: forbids(desk.view, act) for act in protocol.ACTS if act not in protocol.BESIDE})

        async with seated(lab) as busy, seated(lab, changed) as idle:
            await busy.ask(protocol.Goto("container/switch", end=True))
            assert seen and all(why.startswith("The lab is busy: rebuilding to container/switch/") for told in seen for why in told.values())
            while idle.view.busy or idle.view.status is None or "switch" not in idle.view.status.position:
                await asyncio.sleep(0.01)
            assert not forbids(idle.view, "run") and not forbids(idle.view, "back")


async def test_what_was_listed_of_another_lab_is_not_reset() -> None:
    """The lab is moved by another desk while this one reads what a reset would take away, and says yes: nothing goes that was not listed."""
    with running() as lab:
        async with seated(lab) as other, seated(lab) as desk:

            class Reads:
                """Somebody who takes his time to choose."""

                async def choose_scope(self) -> protocol.Scope:
                    """Meanwhile the other goes on, and builds something there."""
                    await other.ask(protocol.Goto("container/switch"))
                    lab.sh("ip link add keepme type bridge")
                    while desk.view.status is None or "switch" not in desk.view.status.position:
                        await asyncio.sleep(0.01)
                    return "step"

            await time.reset(desk, cast(Stage, SimpleNamespace(windows=Reads())))
            assert [saying.text for saying in desk.view.sayings if "somebody else has moved the lab" in saying.text]
            assert "keepme" in lab.links()
