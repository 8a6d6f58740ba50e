"""A check, or a run, that shall wait for a network that is still getting ready, and leaves others their turns meanwhile."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.running import Running
from netless_lab import labs
from netless_lab.client import Client
from netless_lab.course.files import shipped
from netless_lab.course.step import Position
from netless_lab.course.verdict import Item, Verdict
from netless_lab.protocol import Check, Hello, Judged, Judgement, Notice, Run, SetDialect, Subscribe
from netless_lab.session.ripening import ripe

pytestmark = pytest.mark.kernel

SLOW = "ip link set br0 type bridge stp_state 1 forward_delay 300"
"""From now on a port of br0 waits for six seconds until it forwards (bridge(8): listening, then learning)."""


def other(lab: Running) -> Client:
    """Another client of the lab."""
    sock = labs.connect(lab.name)
    assert sock is not None
    return Client(sock, Hello(client="test", lab=lab.name))


def at_a_slow_bridge(lab: Running) -> None:
    """The step that switches the port on, where that takes a while."""
    lab.goto("switch/port-up")
    lab.sh(SLOW)
    lab.snapshot()


def test_run_waits_and_judges_to_the_end(lab: Running) -> None:
    """Without it the step is still waiting; what is waited for is told once."""
    at_a_slow_bridge(lab)
    assert lab.run().verdicts[-1].verdict.result == "waiting"
    lab.client.ask(Subscribe())
    lab.events.clear()
    assert [own.verdict.result for own in lab.client.ask(Check(wait=True)).verdicts] == ["pass"]
    told = [event.text for event in lab.events if isinstance(event, Notice) and "Waiting" in event.text]
    assert len(told) == len(set(told))


def test_all_that_remains_is_done_after_a_step_that_ripens(lab: Running) -> None:
    """``run --all`` goes on behind it, and every step is judged once."""
    lab.goto("neighbour/second-port")
    lab.sh(SLOW)
    lab.snapshot()
    answer = lab.client.ask(Run(rest=True, wait=True))
    lesson = next(own for own in lab.status().course.lessons if own.id == "neighbour")
    steps = [f"container/neighbour/{step.id}" for step in lesson.steps]
    assert [own.position for own in answer.verdicts] == steps[steps.index("container/neighbour/second-port") :]
    assert all(own.verdict.passed for own in answer.verdicts)


def test_others_have_their_turn_meanwhile(lab: Running) -> None:
    """A verb of another client is answered before the one that waits."""
    at_a_slow_bridge(lab)
    answered: list[str] = []
    waiting = threading.Event()

    def run() -> None:
        with other(lab) as client:
            waiting.set()
            found: Judgement = client.ask(Run(wait=True))
            answered.append(found.verdicts[-1].verdict.result)

    with other(lab) as second:
        thread = threading.Thread(target=run)
        thread.start()
        assert waiting.wait(10)
        second.ask(SetDialect("ip"))
        answered.append("dialect")
        thread.join(60)
    assert answered == ["dialect", "pass"]


async def test_nothing_more_is_done_for_one_who_has_hung_up() -> None:
    """``run --all`` waits for a step, and whoever asked goes before the answer comes: the steps behind it are left to the learner."""
    course = next(own for own in shipped() if own.id == "container")
    state = SimpleNamespace(course=course, position=Position("container", "switch", "bridge"))
    asked: list[Run | Check] = []
    connected = [True]

    async def ask(request: Run | Check) -> Judgement:
        asked.append(request)
        connected[0] = len(asked) < 2
        verdict = Verdict("bridge", "waiting" if len(asked) == 1 else "pass", (Item("waiting", "the port forwards"),) * (len(asked) == 1))
        return Judgement((Judged(str(state.position), "", verdict, ""),), "")

    stage: Any = SimpleNamespace(state=state)
    answer = await ripe(stage, Run(rest=True, wait=True), ask, lambda notice: None, lambda: connected[0])
    assert [type(own) for own in asked] == [Run, Check] and answer.verdicts[-1].verdict.passed
