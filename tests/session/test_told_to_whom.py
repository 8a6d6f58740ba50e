"""What a verb has to say is said to who asked for it; who narrates his own doings hears of nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import msgspec
import pytest

from helpers import checkout
from helpers.running import Running
from netless_lab import labs
from netless_lab.client import Client
from netless_lab.protocol import ActionEvent, AgentMessage, Break, Check, Goto, Hello, Notice, Run, StatusEvent, Subscribe

pytestmark = pytest.mark.kernel


@contextmanager
def another(lab: Running, *, mine: bool) -> Iterator[tuple[Client, list[AgentMessage]]]:
    """Another client that subscribed, to what is done for it alone or to all; and what it hears."""
    heard: list[AgentMessage] = []
    sock = labs.connect(lab.name)
    assert sock is not None
    with Client(sock, Hello(client="test", lab=lab.name), heard.append) as client:
        client.ask(Subscribe(("actionevent", "notice", "statusevent"), mine=mine))
        heard.clear()
        yield client, heard


def test_who_asked_is_answered_and_nobody_else(lab: Running) -> None:
    """That nothing had to be done, or that the lab was rebuilt first, stands in the answer; other views are not told so in passing."""
    lab.reset("lab")
    with another(lab, mine=False) as (other, heard):
        lab.run("cable/pair")
        again = lab.run("cable/pair").verdicts[0]
        lab.sh("ip addr flush dev lo; ip -n c1 link set lo down")
        lab.goto("switch/port-up")
        lab.sh("ip link delete br0")
        rebuilt = lab.run().verdicts[0]
        other.ask(Check())
        assert "nothing had to be done" in again.besides and "rebuilt first" in rebuilt.besides
        assert not [event for event in heard if isinstance(event, Notice) and event.text in (again.besides, rebuilt.besides)]


def test_who_narrates_hears_of_his_own_doings_alone(lab: Running) -> None:
    """What the tutor does for another client while he waits for his turn is not his; what it does for him is told as it happens."""
    lab.reset("lab")
    lab.goto("cable/pair")
    with another(lab, mine=True) as (client, heard):
        lab.client.ask(Subscribe())
        waits = threading.Thread(target=lambda: lab.client.ask(Run("container/switch", rest=True)))
        waits.start()
        client.ask(Check())
        waits.join()
        client.ask(Check())
        assert not [event for event in heard if isinstance(event, ActionEvent)]
        assert [event for event in lab.events if isinstance(event, ActionEvent)]
        client.ask(Goto("cable/pair"))
        heard.clear()
        client.ask(Run())
        assert {ActionEvent, StatusEvent} <= {type(event) for event in heard}


def test_a_command_says_a_thing_once(lab: Running) -> None:
    """That a network is healthy again is the answer of the ``check`` that finds it so, and is narrated beside it no second time; the same with
    what a run had to do besides.
    """
    lab.reset("lab")
    lab.client.ask(Break("forwarding-off", drill=True))
    checked = checkout.netless("exec", "host", "--", "sysctl", "-qw", "net.ipv4.ip_forward=1", lab=lab.name), checkout.netless("check", lab=lab.name)
    said = checked[1].stdout + checked[1].stderr
    assert said.count("healthy again") == 1, said
    lab.reset("lab")
    checkout.netless("run", lab=lab.name)
    again = checkout.netless("run", lab.status().position, lab=lab.name)
    assert (again.stdout + again.stderr).count("nothing had to be done") == 1


def test_nothing_is_told_twice(lab: Running) -> None:
    """Each status that a view is told while a step is done and judged says something that the one before it does not."""
    lab.reset("lab")
    lab.goto("cable/pair")
    with another(lab, mine=True) as (client, heard):
        client.ask(Run())
        told = [msgspec.structs.replace(event.status, uptime_s=0) for event in heard if isinstance(event, StatusEvent)]
        assert told and [now for before, now in pairwise(told) if before == now] == []


def test_a_step_that_is_run_is_never_shown_as_waiting_for_somebody(lab: Running) -> None:
    """The step before it holds, so the next one is done: from the first that is told of it, it is at work."""
    lab.reset("lab")
    lab.goto("cable/pair", end=True)
    with another(lab, mine=True) as (client, heard):
        client.ask(Run())
        told = [event.status for event in heard if isinstance(event, StatusEvent) and event.status.position == "container/cable/plug"]
        assert told[0].busy and not told[-1].busy
