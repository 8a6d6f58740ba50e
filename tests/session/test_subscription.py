"""Who subscribes hears of the kinds of events that were asked for, and of nothing else; a summary tells where a learner stands."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.client import Client
from netless_lab.protocol import (
    DETAILS,
    AgentMessage,
    Break,
    GetStatus,
    Hello,
    Mend,
    SnapshotEvent,
    StatusEvent,
    Subscribe,
    Summary,
    VerdictEvent,
    encode,
)
from netless_lab.sandbox import find

pytestmark = pytest.mark.kernel


@pytest.fixture
def lab() -> Iterator[Running]:
    """A lab in which somebody works."""
    with running(f"heard-{uuid.uuid4().hex[:10]}", keep_progress=False) as own:
        yield own


@contextmanager
def onlooker(lab: Running) -> Iterator[tuple[Client, list[AgentMessage]]]:
    """Another client, and what it hears."""
    heard: list[AgentMessage] = []
    with Client(find.connect(lab.name), Hello(client="board", lab=lab.name), heard.append) as client:
        yield client, heard


def summaries(client: Client, heard: list[AgentMessage]) -> list[Summary]:
    """What was heard until now, all of which must be summaries."""
    client.ask(GetStatus())
    assert {type(message).__name__ for message in heard} == {"Summary"}
    return [message for message in heard if isinstance(message, Summary)]


def test_a_rebuild_is_told_when_it_begins_and_when_it_is_done(lab: Running) -> None:
    """A whole status each, and nothing in between: it would tell of a place that nobody has come to yet, or of marks of the place before."""
    lab.goto("container/switch/bridge")
    lab.events.clear()
    lab.reset("lab")
    statuses = [event.status for event in lab.events if isinstance(event, StatusEvent)]
    told = statuses[[bool(status.busy) for status in statuses].index(True) :]
    assert [status.position for status in told[:2]] == ["container/switch/bridge", "container/netless/name"]
    assert all(step.live is not None for lesson in told[1].course.lessons for step in lesson.steps)
    assert not any(status.busy for status in told[1:])


def test_that_a_step_is_done_is_one_piece_of_news(lab: Running) -> None:
    """The verdict, the tick, the marks of the steps and that the tutor is at work no more are one verdict and one status, told before the answer."""
    lab.goto("container/cable/pair")
    lab.events.clear()
    lab.run()
    told = [event for event in lab.events if isinstance(event, VerdictEvent | StatusEvent)]
    begun, found, done = told[-3:]
    assert isinstance(begun, StatusEvent) and begun.status.busy
    assert isinstance(found, VerdictEvent) and found.verdict.passed and found.completed
    assert isinstance(done, StatusEvent) and not done.status.busy and done.status.verdict == found.verdict
    here = next(step for lesson in done.status.course.lessons for step in lesson.steps if step.title == done.status.page.title)
    assert here.live and here.earned


def test_who_asks_for_summaries_gets_nothing_else(lab: Running) -> None:
    """At once, and whenever something in them changes: where the learner is, what is being done, and how each claim stands."""
    with onlooker(lab) as (client, heard):
        client.ask(Subscribe(("summary",)))
        (first,) = summaries(client, heard)
        assert (first.lab, first.position, first.passed, first.earned) == (lab.name, lab.status().position, False, 0)
        lab.goto("cable", end=True)
        told = summaries(client, heard)
        assert any(one.busy.startswith("rebuilding to container/cable/") for one in told)
        last, status = told[-1], lab.status()
        assert (last.position, last.title, last.busy) == (status.position, status.page.title, "") and last.passed
        assert status.verdict is not None and last.results == tuple(item.result for item in status.verdict.items)
        steps = [step for lesson in status.course.lessons for step in lesson.steps]
        assert (last.earned, last.steps) == (sum(step.earned for step in steps), len(steps)) and last.earned > 0
        assert [one.at for one in told] == sorted(one.at for one in told)
        assert not [(one, two) for one, two in pairwise(told) if one == two]
        assert max(len(encode(one)) for one in told) < 1000


def test_a_summary_keeps_the_secret_of_a_drill(lab: Running) -> None:
    """It says that something is broken, how it shows, which help was used and when it is over; what it was is not in it."""
    with onlooker(lab) as (client, heard):
        client.ask(Subscribe(("summary",)))
        lab.client.ask(Break("forwarding-off", drill=True))
        lab.check()
        broken = summaries(client, heard)[-1]
        assert broken.fault is not None and broken.fault.drill and not broken.fault.healthy and not broken.passed
        assert "fail" in broken.results
        assert not any(b"forwarding-off" in encode(one) for one in heard)
        lab.sh("sysctl -qw net.ipv4.ip_forward=1")
        assert eventually(lambda: any(one.fault is not None and one.fault.healthy for one in summaries(client, heard)))
        lab.client.ask(Mend())
        assert eventually(lambda: summaries(client, heard)[-1].fault is None)


def test_the_last_subscription_counts(lab: Running) -> None:
    """Two kinds, with what is so now; then none at all. Who asks for all that a screen shows gets no summary beside it."""
    with onlooker(lab) as (client, heard):
        client.ask(Subscribe(("verdictevent", "statusevent")))
        lab.goto("cable", end=True)
        client.ask(GetStatus())
        assert isinstance(heard[0], StatusEvent) and {type(message) for message in heard} == {StatusEvent, VerdictEvent}
        client.ask(Subscribe(()))
        heard.clear()
        lab.goto("cable")
        client.ask(GetStatus())
        assert heard == []
        client.ask(Subscribe(DETAILS))
        lab.run()
        client.ask(GetStatus())
        assert {StatusEvent, SnapshotEvent, VerdictEvent} <= {type(message) for message in heard}
        assert not any(isinstance(message, Summary) for message in heard)
