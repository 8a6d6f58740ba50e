"""What is looked at is looked at once: a snapshot goes all the way from the change to the verdict on it."""

from __future__ import annotations

import time

import pytest

from helpers.counted import counted, looks
from netless_lab.protocol import VerdictEvent

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]


def test_a_change_that_is_judged_is_looked_at_once() -> None:
    """The look that follows a learner's command is what is told, what is judged, and what the tick is earned by, where no packet has to decide."""
    with counted() as lab:
        lab.goto("cable/pair")
        lab.status()
        lab.events.clear()
        begin = time.monotonic_ns()
        lab.sh("ip link add veth1 type veth peer name veth2")
        while not any(isinstance(event, VerdictEvent) and event.verdict.passed for event in lab.events):
            lab.status()
        assert looks(lab, begin, time.monotonic_ns()) == 1
