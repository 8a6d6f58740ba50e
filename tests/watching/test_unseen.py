"""What no snapshot holds is looked at by one task, as long as somebody watches, however many verdicts are found meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from netless_lab.model.clearing import Things
from netless_lab.model.snapshot import Snapshot
from netless_lab.watching.unseen import Unseen


class Slow:
    """A lab that takes its time: what it says comes when it is let."""

    def __init__(self) -> None:
        self.looking, self.most, self.looks, self.written = 0, 0, 0, 0
        self.let = asyncio.Event()
        self.lines: tuple[str, ...] = ()
        self.seen = Snapshot()

    async def latest(self) -> Snapshot:
        """As a lab does."""
        return self.seen

    async def unseen(self) -> Things:
        """As a lab does."""
        self.looking, self.looks = self.looking + 1, self.looks + 1
        self.most = max(self.most, self.looking)
        try:
            await self.let.wait()
            return Things(self.lines)
        finally:
            self.looking -= 1


async def turns() -> None:
    """Let all that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_verdicts_do_not_pile_up_looks() -> None:
    """A lab cannot be looked at, and is judged again and again: one look waits for it, and none is left when it can and nobody watches any more."""
    lab, before = Slow(), len(asyncio.all_tasks())
    unseen = Unseen(lab, lambda came, went: None, lambda error: None)
    unseen.attend(True)
    for _ in range(5):
        await turns()
        unseen.soon()
    await turns()
    assert lab.most == 1
    unseen.attend(False)
    await turns()
    assert lab.most == 1
    lab.let.set()
    await turns()
    assert lab.looking == 0 and len(asyncio.all_tasks()) == before


async def test_a_verb_right_after_a_verdict_leaves_one_task_at_work() -> None:
    """A verdict asks for a look and a verb begins at once, again and again: there is one task that looks, not one for each of them."""
    lab = Slow()
    lab.let.set()
    unseen = Unseen(lab, lambda came, went: None, lambda error: None)
    before = len(asyncio.all_tasks())
    unseen.attend(True)
    for _ in range(5):
        await turns()
        unseen.soon()
        await asyncio.sleep(0)
        unseen.hold()
    await turns()
    looks = lab.looks
    unseen.soon()
    await turns()
    assert lab.looks == looks + 1
    unseen.attend(False)
    await turns()
    assert len(asyncio.all_tasks()) == before


async def test_what_the_tutor_has_written_is_no_news() -> None:
    """What differs at the first look after the tutor wrote is the tutor's doing; what comes later is told, verdict or not."""
    lab, told = Slow(), list[tuple[str, ...]]()
    lab.let.set()
    unseen = Unseen(lab, lambda came, went: told.append(came), lambda error: None)
    unseen.attend(True)
    await turns()
    for change in ("first", "second"):
        lab.lines, lab.written = (change,), lab.written + 1
        looks = lab.looks
        unseen.soon()
        await turns()
        assert lab.looks == looks + 1
    assert not told
    lab.lines = ("third",)
    unseen.soon()
    await turns()
    assert told == [("third",)]
    lab.lines = ("fourth",)
    while len(told) == 1:
        await asyncio.sleep(0.01)
    assert told[1:] == [("fourth",)]
    unseen.attend(False)


async def test_whoever_changes_the_lab_waits_for_no_look() -> None:
    """A look that is under way when a verb begins ends there, and another comes with the verdict; what it was compared with is remembered."""
    lab, told = Slow(), list[tuple[str, ...]]()
    unseen = Unseen(lab, lambda came, went: told.append(came), lambda error: None)
    unseen.hold()
    unseen.attend(True)
    await turns()
    assert lab.looking == 1
    unseen.hold()
    await turns()
    assert (lab.looking, lab.looks) == (0, 1)
    unseen.soon()
    await turns()
    assert (lab.looking, lab.looks) == (1, 2)
    lab.let.set()
    await turns()
    lab.lines = ("later",)
    while not told:
        await asyncio.sleep(0.01)
    assert told == [("later",)]
    unseen.attend(False)


async def test_what_came_while_nobody_watched_is_told_when_somebody_does() -> None:
    """Somebody comes, changes something and leaves before the next look; a program that he has left behind changes something else later."""
    lab, told = Slow(), list[tuple[str, ...]]()
    lab.let.set()
    unseen = Unseen(lab, lambda came, went: told.append(came), lambda error: None)
    unseen.attend(True)
    await turns()
    lab.lines = ("his",)
    unseen.attend(False)
    await turns()
    assert told == [("his",)]
    lab.lines = ("his", "left")
    await turns()
    assert told == [("his",)]
    unseen.attend(True)
    await turns()
    assert told == [("his",), ("left",)]
    unseen.attend(False)


async def test_whoever_comes_in_is_told_from_the_tutor() -> None:
    """The tutor has written, and somebody enters before that was looked at: what he changes is his."""
    lab, told = Slow(), list[tuple[str, ...]]()
    lab.let.set()
    unseen = Unseen(lab, lambda came, went: told.append(came), lambda error: None)
    lab.lines, lab.written = ("the tutor's",), 1
    await unseen.known()
    looks = lab.looks
    await unseen.known()
    assert (lab.looks, told) == (looks, [])
    lab.lines = ("the tutor's", "his")
    unseen.attend(True)
    await turns()
    assert told == [("his",)]
    unseen.attend(False)


@pytest.mark.parametrize("error", [OSError("no file to spare"), RuntimeError("can't start new thread")], ids=lambda error: type(error).__name__)
async def test_whoever_comes_in_does_not_wait_for_a_lab_that_cannot_be_looked_at(error: Exception) -> None:
    """He may come to make room for that."""
    lab = Slow()
    lab.written = 1

    async def fails() -> Things:
        lab.looks += 1
        raise error

    lab.unseen = fails  # type: ignore[method-assign]
    await Unseen(lab, lambda came, went: None, lambda error: None).known()
    assert lab.looks


async def test_what_a_picture_shows_by_now_is_no_news() -> None:
    """Something changes while it is looked, and the picture shows it a moment later: neither that it came nor that it is unseen no longer is told."""
    lab, told = Slow(), list[tuple[str, ...]]()
    lab.let.set()
    unseen = Unseen(lab, lambda came, went: told.extend((came, went)), lambda error: None)
    unseen.attend(True)
    await turns()
    lab.let.clear()
    unseen.soon()
    await turns()
    assert lab.looking == 1
    lab.lines, lab.seen = ("the table bridge guard",), Snapshot()
    lab.let.set()
    await turns()
    lab.lines, looks = (), lab.looks
    unseen.soon()
    await turns()
    assert (lab.looks, told) == (looks + 1, [])
    lab.lines = ("unseen",)
    unseen.soon()
    await turns()
    assert told == [("unseen",), ()]
    unseen.attend(False)
