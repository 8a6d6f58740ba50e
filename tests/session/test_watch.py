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


async def test_commands_that_end_meanwhile_do_not_cut_it_short() -> None:
    """Nor does a row of them keep it from ever coming to an end: it is judged once more after that, at once, for all of them."""
    told: list[int] = []

    async def work() -> None:
        for _ in range(2):  # as who looks again after a pause
            async with judge.turn():
                told.append(len(told) + 1)
                if told == [1]:
                    for _ in range(5):
                        judge.soon(patient=True)
                        await asyncio.sleep(0)
                told.append(len(told) + 1)
            if told[-1] == 4:
                over.set()
            await asyncio.Event().wait()

    judge, over = WatchingJudge(work), asyncio.Event()
    judge.soon()
    await asyncio.wait_for(over.wait(), 10)
    judge.soon(patient=True)
    while told[-1] != 6:
        await asyncio.sleep(0)
    await judge.hold()
    assert told == [1, 2, 3, 4, 5, 6]


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
