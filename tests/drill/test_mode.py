"""What a drill does while it judges: help that is asked for meanwhile takes nothing away from a repair, and a drill that is left was given up once."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from netless_lab.course.catalog import Library
from netless_lab.course.files import fault_texts, shipped
from netless_lab.course.progress import Progress
from netless_lab.course.step import positions
from netless_lab.course.verdict import Verdict
from netless_lab.drill import mode
from netless_lab.drill.broken import Broken, Wanted
from netless_lab.drill.format import read_faults
from netless_lab.drill.library import named
from netless_lab.drill.mode import Drill, Recovered
from netless_lab.model.snapshot import Snapshot
from netless_lab.protocol import Message
from netless_lab.session.history import History
from netless_lab.session.state import State
from netless_lab.session.watch import WatchingJudge


async def nothing(*args: Any) -> None:
    """Nothing is judged by itself here, and nothing has to get ready."""


@pytest.fixture
def drill(monkeypatch: pytest.MonkeyPatch) -> Drill:
    """A drill that has begun, on a stage that only keeps what it is told."""
    courses = shipped()
    fault = named(read_faults(fault_texts(), courses).faults, "forwarding-off")
    place = positions(courses[0])[-1]
    told: list[Message] = []
    stage: Any = SimpleNamespace(
        state=State(courses[0], place, Progress()),
        library=Library(courses),
        judge=WatchingJudge(nothing),
        world=SimpleNamespace(look=nothing),
        live=SimpleNamespace(last=Snapshot()),
        history=History(),
        lesson=None,
        enter=lambda entered: setattr(stage, "mode", entered),
        remember=lambda progress: setattr(stage, "state", msgspec.structs.replace(stage.state, progress=progress)),
        tell=told.append,
        views=SimpleNamespace(tell_status=lambda: None),
    )
    monkeypatch.setattr(mode, "settle", nothing)
    begun = Drill(stage, Broken(fault, place, Wanted(drill=True), time.time(), time.monotonic(), place))
    begun.begin()
    stage.enter(begun)
    return begun


async def test_a_repair_counts_though_a_hint_was_asked_for_while_it_was_judged(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probes of a fault are under way, the learner opens a hint, and all of them are answered: the drill is over, with one hint used."""

    async def health(*args: Any, **fields: Any) -> Verdict:
        drill.hint(None)
        return Verdict("fault", "pass", ())

    monkeypatch.setattr(mode, "health", health)
    await asyncio.wait_for(drill.judge(), 10)
    stage = drill._stage
    assert isinstance(stage.mode, Recovered)
    (record,) = stage.state.progress.drills
    assert (record.fault, record.result, record.hints) == ("forwarding-off", "solved", 1)
    assert drill.broken.told_well() in stage.history.entries[-1].text


def test_a_hint_names_the_step_that_explains_it_in_whatever_course(drill: Drill) -> None:
    """What the fault's own course does not teach, another may: the hint says the title and the place of that step."""
    stage = drill._stage
    stage.library = Library((*shipped(), msgspec.structs.replace(shipped()[0], id="other")))
    drill.broken = msgspec.structs.replace(drill.broken, fault=msgspec.structs.replace(drill.broken.fault, teaches="other/internet/forwarding"))
    drill.hint(None)
    assert drill.hint(None).text == 'It has to do with "Let the host forward" (other/internet/forwarding).'


async def test_a_drill_that_is_left_while_it_is_judged_was_given_up_once(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild takes the fault out while probes are under way, and so they are answered: that is no repair of the learner's. Nor does a lab that
    ends before the rebuild has write it down again.
    """
    leaving: list[asyncio.Task[Any]] = []
    taken_out = asyncio.Event()

    async def health(*args: Any, **fields: Any) -> Verdict:
        leaving.append(asyncio.create_task(drill.left()))
        await taken_out.wait()
        return Verdict("fault", "pass", ())

    async def clear(*args: Any) -> None:
        taken_out.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(mode, "health", health)
    monkeypatch.setattr(mode, "clear", clear)
    await asyncio.wait_for(drill.judge(), 10)
    drill.close()
    (task,) = leaving
    task.cancel()
    assert [own.result for own in drill._stage.state.progress.drills] == ["gave up"]
