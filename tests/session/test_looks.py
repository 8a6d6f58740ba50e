"""What is looked at is looked at once: a snapshot goes all the way from the change to the verdict on it."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from helpers.counted import counted, happened
from helpers.running import Running
from netless_lab.protocol import VerdictEvent

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]


ROUNDS, ENOUGH = 20, 3


MASQUERADE = "nft 'add table ip m; add chain ip m p { type nat hook postrouting priority 100; }; add rule ip m p ip saddr 10.0.0.0/24 oifname != br0 masquerade'"


@pytest.mark.parametrize(
    ("step", "command", "undo"),
    [
        ("cable/pair", "ip link add veth1 type veth peer name veth2", "ip link del veth1"),
        ("internet/masquerade", MASQUERADE, "nft delete table ip m"),
        ("switch/port-up", "ip link set veth2 up", "ip link set veth2 down"),
    ],
)
def test_a_change_that_is_judged_is_looked_at_once(step: str, command: str, undo: str) -> None:
    """The look that follows a learner's command is what is told, what is judged, and what the tick is earned by, packets or not.

    The kernel may tell of one command in parts, and what it tells after the look is looked at again: never without that. Some of the rounds are
    not so.
    """
    with counted() as lab:
        lab.goto(step)
        at_once = 0
        for _ in range(ROUNDS):
            lab.sh("ip neigh flush all")  # so that the judge's packets teach something
            lab.snapshot()  # which is seen before: of two commands each has a look, when whoever types them is slow
            begin = judged_after(lab, command, passed=True)
            did = happened(lab, begin, time.monotonic_ns())
            first, *more = (number for number, what in enumerate(did) if what == "look")
            reasons = [did[one:other].count("heard") for one, other in pairwise((first, *more))]
            assert all(reasons), did
            at_once += "heard" not in did[first:]
            if at_once == ENOUGH:
                break
            judged_after(lab, undo, passed=False)
        assert at_once


def judged_after(lab: Running, command: str, *, passed: bool) -> int:
    """The time of ``time.monotonic_ns`` at which a command was begun, once what it came to was judged."""
    lab.status()
    lab.events.clear()
    begin = time.monotonic_ns()
    lab.sh(command)
    while not any(isinstance(event, VerdictEvent) and event.verdict.passed is passed for event in lab.events):
        lab.status()
    return begin


def test_a_step_that_is_run_is_looked_at_once_before_and_once_after() -> None:
    """Whether the last step holds still, and what the next one lacks, is asked of one look: nothing is there in between that could have changed it."""
    with counted() as lab:
        rounds = []
        for _ in range(ROUNDS):
            lab.goto("cable/pair", end=True)
            lab.status()
            begin = time.monotonic_ns()
            assert lab.run().verdicts[0].position == "container/cable/plug"
            rounds.append(happened(lab, begin, time.monotonic_ns()))
            if rounds[-1].count("look") == 2:
                break
        assert rounds[-1].count("look") == 2, rounds
