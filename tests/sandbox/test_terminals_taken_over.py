"""Terminals that a lab keeps and somebody claims whom they do not belong to: he has them, and their owner nothing more to do with them.

What a program read and printed is the witness of who is at it.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpers.running import Running
from helpers.terminals import Program, collected, ended, forget, hung_up, left, left_in, program, taken_from
from helpers.waiting import becomes
from netless.shell.child import Child
from netless_lab import keeping
from netless_lab.keeping import Kept, News, Over, Taken, TakenOver
from netless_lab.sandbox.leader import number

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

ECHO = "stty -echo; echo one; while read word; do echo got $word; done"


@asynccontextmanager
async def owned(lab: str, script: str, node: str = "host") -> AsyncIterator[tuple[Program, Child, Kept]]:
    """A program that runs on a terminal that is kept, with its owner at it."""
    async with program(script) as (own, child):
        kept = own.kept = keeping.keep(lab, node, b"noted", child.master)
        assert kept is not None
        child.holds = kept.holds
        assert await becomes(lambda: own.said)
        yield own, child, kept


async def listed_as(lab: str, node: str = "host") -> keeping.Listed:
    """The one of this node, as soon as the lab has it."""
    for _ in range(3000):
        for one in await keeping.listed(lab):
            if one.node == node:
                return one
        await asyncio.sleep(0.005)
    raise AssertionError("it is not kept")


async def claimed(lab: str, node: str = "host") -> Taken:
    """The one of this node, from whoever has it."""
    one = await keeping.claim(lab, (await listed_as(lab, node)).number)
    assert isinstance(one, Taken)
    return one


async def test_a_list_says_who_owns_what(lab: Running, tmp_path: Path) -> None:
    """Each with its node, its owner, who leads the session there, and of what is over when that was. To look at it changes nothing."""
    async with owned(lab.name, ECHO) as (_, child, kept), left(lab.name, "echo two; until [ -e %s ]; do sleep 0.01; done" % (tmp_path / "mark"), "c1"):
        host, c1 = await listed_as(lab.name), await listed_as(lab.name, "c1")
        assert (host.owner, host.leader, host.at) == (os.getpid(), child.pid, None)
        assert await becomes_unowned(lab.name, "c1")
        c1 = await listed_as(lab.name, "c1")
        assert c1.owner == 0 and c1.leader and c1.at is None
        (tmp_path / "mark").touch()
        while (c1 := await listed_as(lab.name, "c1")).at is None:
            await asyncio.sleep(0.005)
        assert (c1.owner, c1.leader) == (0, 0)
        assert kept.holds() and not hung_up(kept)
        over = await left_in(lab.name)
        assert isinstance(over, Over) and over.at == c1.at
        kept.end()
    assert await keeping.listed(lab.name) == ()


async def becomes_unowned(lab: str, node: str) -> bool:
    """Whether nobody owns it, as soon as that is so."""
    while (await listed_as(lab, node)).owner:
        await asyncio.sleep(0.005)
    return True


async def test_who_claims_one_has_all_of_it(lab: Running) -> None:
    """Its owner is told by whom and leaves it: nothing that he types or ends reaches it any more, and what the new one types does."""
    async with owned(lab.name, ECHO) as (own, child, kept):
        told: list[News] = []

        def lose(news: News) -> None:
            told.append(news)
            child.leave()
            assert kept.leave()

        kept.attend(lose)
        child.write("hello\n")
        assert await becomes(lambda: b"hello" in own.said)
        before = own.said
        taken = await claimed(lab.name)
        assert told == [TakenOver(os.getpid())]
        assert (taken.node, taken.note, taken.kept.shown()[:2]) == ("host", b"noted", (before, True))
        watch = os.pidfd_open(number(taken.master))
        child.write("not heard\n")
        await child.stop()
        again = Program(taken.kept)
        second = Child.join(taken.master, again.listener)
        second.write("world\n")
        assert await becomes(lambda: b"world" in again.said)
        assert again.said == b"got world\r\n" and own.said == before and not ended(watch)
        taken.kept.end()
        await second.stop()
        assert await becomes(lambda: collected(watch)), "by whose child it was"
        os.close(watch)


async def test_who_hangs_loses_it_all_the_same(lab: Running) -> None:
    """He has heard nothing when he comes to himself; he reads nothing more of it, writes nothing, and ends nothing, whatever he was about to do."""
    async with owned(lab.name, ECHO) as (own, child, kept):
        taken = await claimed(lab.name)
        watch = os.pidfd_open(number(taken.master))
        assert not kept.holds()
        before = own.said
        child.write("not heard\n")
        child.resize((7, 7))
        again = Program(taken.kept)
        second = Child.join(taken.master, again.listener)
        second.write("world\n")
        assert await becomes(lambda: b"world" in again.said)
        assert again.said == b"got world\r\n" and own.said == before
        assert kept.leave(), "somebody has it"
        await child.stop()
        second.write("again\n")
        assert await becomes(lambda: b"again" in again.said)
        assert not ended(watch)
        taken.kept.end()
        await second.stop()
        os.close(watch)


async def test_what_the_owner_did_not_read_is_not_lost(lab: Running, tmp_path: Path) -> None:
    """Nor that the program has ended meanwhile: it is over then, with what it printed last."""
    async with owned(lab.name, f"echo one; until [ -e {shlex.quote(str(tmp_path / 'mark'))} ]; do sleep 0.01; done; echo last") as (own, child, kept):
        child.holds = lambda: False  # it hangs: nothing is read
        watch = os.pidfd_open(child.pid)
        (tmp_path / "mark").touch()
        assert await becomes(lambda: ended(watch))
        one = await keeping.claim(lab.name, (await listed_as(lab.name)).number)
        assert isinstance(one, Over)
        assert one.shown[0] == b"one\r\nlast\r\n" and own.said == b"one\r\n"
        os.close(watch)
        kept.leave()


async def test_one_goes_to_one(lab: Running) -> None:
    """Who claims what changes hands just now, or is no more, has nothing, and whoever has it keeps it."""
    async with owned(lab.name, ECHO) as (_, child, kept):
        own = (await listed_as(lab.name)).number
        found = [one for one in await asyncio.gather(*(keeping.claim(lab.name, own) for _ in range(5))) if one is not None]
        assert len(found) == 1 and isinstance(found[0], Taken)
        child.leave()
        kept.leave()
        forget(found[0])
        assert await keeping.claim(lab.name, own) is None
        assert await keeping.claim(lab.name, 0) is None


async def test_what_its_owner_ends_meanwhile_nobody_has(lab: Running) -> None:
    """Who waits for it hears so."""
    async with owned(lab.name, ECHO) as (_, _child, kept):
        kept.attend(lambda news: kept.end())
        assert await keeping.claim(lab.name, (await listed_as(lab.name)).number) is None


async def test_what_nobody_owns_is_had_at_once(lab: Running) -> None:
    """And there any of them, not the last one alone."""
    async with left(lab.name, "echo one; read word", "host"), left(lab.name, "echo two; read word", "c1"):
        for node in ("host", "c1"):
            assert await becomes_unowned(lab.name, node)
            taken = await claimed(lab.name, node)
            assert taken.node == node
            forget(taken)


async def test_who_claims_and_goes_leaves_it_behind(lab: Running) -> None:
    """The program is read on."""
    async with owned(lab.name, "echo one; read word; echo end") as (_, child, kept):
        own = (await listed_as(lab.name)).number
        claiming = asyncio.create_task(keeping.claim(lab.name, own))
        assert await becomes(lambda: not kept.holds())
        claiming.cancel()
        child.leave()
        assert kept.leave()
        taken = await taken_from(lab.name)
        assert taken.kept.shown()[0] == b"one\r\n"
        forget(taken)
