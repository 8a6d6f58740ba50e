"""The judge that watches: what it has begun comes to an end, one judgement at a time, and the newest is the one that stays."""

from __future__ import annotations

import asyncio

from netless_lab.session.watch import WatchingJudge


async def test_what_the_work_itself_asks_for_does_not_cut_it_short() -> None:
    """A judgement looks at the end, sees a change that the learner has just made, and asks for another: it is told all the same, then the other."""
    told: list[int] = []

    async def work() -> None:
        number = len(told) + 1
        if number < 4:
            judge.soon()
        await asyncio.sleep(0)
        told.append(number)
        if number == 4:
            over.set()

    judge, over = WatchingJudge(work), asyncio.Event()
    judge.soon()
    await asyncio.wait_for(over.wait(), 10)
    assert told == [1, 2, 3, 4]


async def test_what_changes_meanwhile_cuts_it_short() -> None:
    """A judgement waits for an answer that never comes; the learner repairs something, and it begins anew at once."""
    begun: list[asyncio.Event] = []
    over = asyncio.Event()

    async def work() -> None:
        begun.append(asyncio.Event())
        if len(begun) == 1:
            first.set()
            await begun[0].wait()
        over.set()

    judge, first = WatchingJudge(work), asyncio.Event()
    judge.soon()
    await asyncio.wait_for(first.wait(), 10)
    judge.soon()
    await asyncio.wait_for(over.wait(), 10)
    assert len(begun) == 2


async def test_a_verb_stops_it() -> None:
    """When ``hold`` returns nothing is judged any more, and nothing will be until it is asked for again."""
    ended: list[str] = []

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.append("stopped")

    judge, begun = WatchingJudge(work), asyncio.Event()
    judge.soon()
    await asyncio.wait_for(begun.wait(), 10)
    await judge.hold()
    assert ended == ["stopped"]
    assert judge.due
    await judge.hold()
    begun.clear()
    judge.soon()
    assert not judge.due
    await asyncio.wait_for(begun.wait(), 10)
    await judge.hold()
    async with judge.turn():
        assert judge.due
    assert not judge.due
