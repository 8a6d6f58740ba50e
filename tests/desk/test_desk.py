"""A desk on a scripted lab, without any screen: the truth in the order of the wire, who waits for what, and what is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import pytest

from app import story
from app.driving import COURSES
from app.helpers import Answer, Peer, says
from netless.commands.stage import Stage
from netless.commands.steps import run
from netless.desk.desk import Desk
from netless_lab import protocol


@asynccontextmanager
async def seated(answers: dict[type[protocol.Request[Any]], Answer]) -> AsyncIterator[tuple[Desk, Peer, list[str]]]:
    """Somebody who has joined; the lab's end; and what the lab was busy with at each change of the view."""
    peer = Peer(story.opening(), {**COURSES, **answers})
    seen: list[str] = []
    joined = asyncio.Event()

    def changed() -> None:
        seen.append(desk.view.busy)
        if desk.view.courses:
            joined.set()

    desk = Desk("default", peer.connect, changed)
    talk = asyncio.create_task(desk.converse())
    await joined.wait()
    seen.clear()
    yield desk, peer, seen
    talk.cancel()
    await asyncio.gather(talk, return_exceptions=True)


async def checked(desk: Desk) -> protocol.Judgement | None:
    """Have the step judged."""
    return await desk.ask(protocol.Check(), saying="Checking")


async def test_a_reply_has_its_place_on_the_wire() -> None:
    """Help that comes just before another step belongs to the step before: it is not shown at the new one."""
    elsewhere = msgspec.structs.replace(story.page(), position="container/cable/address")
    moved = protocol.StatusEvent(story.status(position=elsewhere))
    async with seated({protocol.Hint: lambda request: [request.done(protocol.Help(0, "look at veth1", 1)), moved]}) as (desk, _peer, _seen):
        given = await desk.ask(protocol.Hint())
        while desk.view.status is None or desk.view.status.position != "container/cable/address":
            await asyncio.sleep(0)
        assert given is not None and given.text == "look at veth1"
        assert desk.view.hint == ""


async def test_the_lab_is_busy_from_the_question_to_the_answer() -> None:
    """At once when it is asked, before anything was sent; and no longer than it takes."""
    async with seated({}) as (desk, _peer, seen):
        asked = asyncio.create_task(checked(desk))
        await asyncio.sleep(0)
        assert desk.view.busy == "Checking"
        await asked
        assert desk.view.busy == ""
        assert set(seen) == {"Checking", ""}


async def test_what_takes_several_requests_is_busy_all_the_time() -> None:
    """Between two requests of one thing nothing else can begin."""
    async with seated({}) as (desk, _peer, seen):
        with desk.busy("Breaking something"):
            await desk.ask(protocol.Check(), saying="Sending packets")
            await desk.ask(protocol.Hint())
        assert list(dict.fromkeys(seen)) == ["Breaking something", "Sending packets", ""]
        assert seen[-1] == "" and "" not in seen[:-1]


async def test_a_refusal_is_told_with_what_was_perhaps_meant() -> None:
    """It is no answer, ends the busy time, and says the nearest names."""
    refused: Answer = lambda request: [protocol.Failed(request.id, 2, "there is no step plugg", ("plug",))]  # noqa: E731
    async with seated({protocol.Goto: refused}) as (desk, _peer, _seen):
        assert await desk.ask(protocol.Goto("plugg"), saying="Rebuilding the lab") is None
        assert desk.view.busy == ""
        assert (desk.view.sayings[-1].level, desk.view.sayings[-1].text) == ("error", "there is no step plugg Did you mean plug?")


async def test_a_lab_that_goes_answers_nothing() -> None:
    """Who waits is told None, and the view says that the lab is gone; a desk that begins anew joins the next one with what it had learnt."""
    async with seated({}) as (desk, peer, _seen):
        peer.hold(protocol.Check)
        asked = asyncio.create_task(checked(desk))
        while "Check" not in peer.kinds():
            await asyncio.sleep(0.01)
        peer.die()
        assert await asked is None
        while not desk.view.ended:
            await asyncio.sleep(0.01)
        assert not desk.view.joined and desk.view.busy == ""
        courses = desk.view.courses
        desk.begin_anew()
        assert desk.view.ended == "" and desk.view.courses == courses


async def test_many_desks_are_a_board() -> None:
    """Each has a lab and a view of its own; what is told at one is not told at another."""
    async with seated({}) as (one, _, _), seated({}) as (two, _, _):
        one.tell("info", "only here")
        assert one.view.sayings[-1].text == "only here"
        assert all(saying.text != "only here" for saying in two.view.sayings)


async def test_nothing_is_said_before_one_is_ready() -> None:
    """A screen that has yet to show itself is connected, and has said nothing; then the conversation begins."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    asked, ready = asyncio.Event(), asyncio.Event()

    async def until_ready() -> None:
        asked.set()
        await ready.wait()

    desk = Desk("default", lambda: near)
    talk = asyncio.create_task(desk.converse(until_ready))
    with far:
        await asked.wait()
        with pytest.raises(BlockingIOError):
            far.recv(1, socket.MSG_DONTWAIT)
        ready.set()
        assert b"hello" in await asyncio.to_thread(far.recv, 4096)
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)


async def test_who_leaves_before_being_ready_hangs_up() -> None:
    """A screen that is put away before it was ever shown leaves no connection behind."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    asked = asyncio.Event()

    async def never() -> None:
        asked.set()
        await asyncio.Event().wait()

    talk = asyncio.create_task(Desk("default", lambda: near).converse(never))
    with far:
        await asked.wait()
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        assert await asyncio.to_thread(far.recv, 1) == b""


async def test_who_is_told_to_leave_again_and_again_hangs_up() -> None:
    """A loop that ends ends whatever still goes on, also what is about to hang up: no connection stays open."""
    peer, joined = Peer(story.opening(), COURSES), asyncio.Event()
    desk = Desk("default", peer.connect, lambda: joined.set() if desk.view.courses else None)
    talk = asyncio.create_task(desk.converse())
    await joined.wait()
    while not talk.done():
        talk.cancel()
        await asyncio.sleep(0)
    assert await asyncio.to_thread(peer.hung_up.wait, 20)


async def test_what_a_run_had_to_do_besides_is_told_here() -> None:
    """It is an answer: whoever else looks at the lab is not told."""
    besides = "it is done already: nothing had to be done."
    judged = protocol.Judged("container/cable/plug", "Plug", story.PASSED, "", besides)
    async with seated({protocol.Run: says(protocol.Judgement((judged,), ""))}) as (desk, _peer, _seen):
        await run(desk, cast(Stage, None))
        assert [saying.text for saying in desk.view.sayings] == [besides]


async def test_a_lab_that_was_ending_makes_room_for_the_next() -> None:
    """Who is hung up on instead of greeted has come upon a lab that ends: the next one of its name is joined, and nothing is told of it."""
    ending, far = socket.socketpair()
    far.close()
    ways = iter((lambda: ending, Peer(story.opening(), COURSES).connect))
    joined = asyncio.Event()
    desk = Desk("default", lambda: next(ways)(), lambda: joined.set() if desk.view.courses or desk.view.ended else None)
    talk = asyncio.create_task(desk.converse())
    await joined.wait()
    assert desk.view.joined and not desk.view.ended
    talk.cancel()
    await asyncio.gather(talk, return_exceptions=True)
