"""Verdicts that are reached at the same time: the one that is told last is the one that was begun last."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from netless_lab.course.bindings import Bindings
from netless_lab.course.files import shipped
from netless_lab.course.progress import Progress
from netless_lab.course.step import positions
from netless_lab.course.verdict import Verdict
from netless_lab.model.snapshot import Snapshot
from netless_lab.protocol import Message, VerdictEvent
from netless_lab.session import lesson
from netless_lab.session.lesson import Lesson
from netless_lab.session.state import State
from netless_lab.session.watch import WatchingJudge


async def test_a_check_does_not_overwrite_what_was_judged_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """``check`` waits for a packet that was sent into a broken network. Meanwhile the learner repairs it, and that is judged: it passes, and
    what ``check`` has found in the old network is not told after it.
    """
    course = shipped()[0]
    place = positions(course)[0]
    told: list[Message] = []
    lost, repaired = asyncio.Event(), asyncio.Event()
    results = iter(("fail", "pass"))

    async def judge_step(*args: Any) -> tuple[Verdict, Bindings]:
        result: Any = next(results)
        if result == "fail":
            repaired.set()
            await lost.wait()
        return Verdict(place.step, result, ()), Bindings()

    async def nothing() -> None:
        """The watching judge is not at work here."""

    stage: Any = SimpleNamespace(
        state=State(course, place, Progress()),
        judge=WatchingJudge(nothing),
        world=None,
        live=SimpleNamespace(show=Snapshot),
        unseen=SimpleNamespace(soon=lambda: None),
        views=SimpleNamespace(tell_probe=None, tell_status=lambda: None, held=nullcontext),
        relive=lambda: None,
        remember=lambda progress: setattr(stage, "state", msgspec.structs.replace(stage.state, progress=progress)),
        refresh_goal=lambda: None,
        tell=told.append,
    )
    monkeypatch.setattr(lesson, "judge_step", judge_step)
    monkeypatch.setattr(lesson, "case_at", lambda stage, place: None)
    mode = Lesson(stage)
    check = asyncio.create_task(mode.judge())
    await asyncio.wait_for(repaired.wait(), 10)
    again = asyncio.create_task(mode.judge())
    await asyncio.sleep(0)
    lost.set()
    await asyncio.wait_for(asyncio.gather(check, again), 10)
    assert [message.verdict.result for message in told if isinstance(message, VerdictEvent)] == ["fail", "pass"]
    assert stage.state.passed
