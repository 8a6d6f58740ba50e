"""Ticks say who earned them: the learner, the tutor, or both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.course.progress import StepRecord

pytestmark = pytest.mark.kernel


@pytest.fixture
def lab() -> Iterator[Running]:
    """A lab without any progress."""
    with running() as own:
        yield own


def record(lab: Running, place: str) -> StepRecord:
    """What the progress has of a step, as anybody outside can read it."""
    return labs.progress_of(lab.name).step(place, "container")


def passed(lab: Running) -> bool:
    """Whether the watching judge says that the current step holds."""
    verdict = lab.status().verdict
    return verdict is not None and verdict.passed


def test_what_the_tutor_did_and_the_learner_did_again(lab: Running) -> None:
    """A step that the tutor ran, done again by hand after a reset, is earned by both; the time of the first pass stays."""
    lab.goto("cable/pair")
    lab.run()
    first = record(lab, "cable/pair")
    assert first.earned is not None and (first.by_tutor, first.by_hand) == (1, 0)
    lab.reset("step")
    lab.sh("ip link add veth1 type veth peer name veth2")
    assert eventually(lambda: record(lab, "cable/pair").by_hand == 1)
    assert record(lab, "cable/pair").earned == first.earned
    assert record(lab, "cable/pair").by_tutor == 1


@pytest.mark.parametrize("how", ["run", "goto"])
def test_something_else_by_hand_makes_no_tick_ones_own(lab: Running, how: str) -> None:
    """The tutor did the step (``run``, ``goto --end``); a change beside it is judged again, and the tick stays the tutor's."""
    lab.goto("cable/pair")
    if how == "run":
        lab.run()
    else:
        lab.goto("cable/pair", end=True)
    lab.sh("ip link add beside type vxlan id 7 dstport 4789")
    assert eventually(lambda: (verdict := lab.status().verdict) is not None and "beside" in str(verdict.extras))
    assert passed(lab)
    assert (record(lab, "cable/pair").by_tutor, record(lab, "cable/pair").by_hand) == (1, 0)


def test_a_step_that_ripens_after_run_is_the_tutors(lab: Running) -> None:
    """Its packets have to wait for a bridge with STP: the watching judge passes it later, and it is not called the learner's."""
    lab.goto("switch/port-up")
    lab.sh("ip link set br0 type bridge stp_state 1 forward_delay 400")
    answer = lab.run()
    assert eventually(lambda: passed(lab), 60), answer
    assert (record(lab, "switch/port-up").by_tutor, record(lab, "switch/port-up").by_hand) == (1, 0), answer
