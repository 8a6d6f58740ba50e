"""A lab that is used for hours, and a class of labs at once: nothing fails, and nothing grows."""

from __future__ import annotations

import os
import random
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually

pytestmark = pytest.mark.kernel
SHORT, LONG = 60, 3_700
GROWTH_KIB = 12 << 10
"""How much an agent may be larger after a run than it ever was in its first third: what its allocator keeps of the largest jump."""
THREADS = 10 + min(32, (os.cpu_count() or 1) + 4)
"""How many threads an agent may have: its own pools', and asyncio's (loop.run_in_executor). A pool begins one when all that it has are busy, and never ends one
(concurrent.futures), so their number depends on the moment, up to what the pools may have; what is lost with each jump has no such end."""


@dataclass(frozen=True)
class Size:
    """What the machine says of an agent (proc_pid_status(5)); how many files it has is for root alone to see, others see none."""

    resident_kib: int
    files: int
    threads: int


def size(pid: int) -> Size:
    """Of the agent with this number, as the machine numbers it."""
    said = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE))
    return Size(int(said["VmRSS"]), len(os.listdir(f"/proc/{pid}/fd")) if os.geteuid() == 0 else 0, int(said["Threads"]))


def steps(lab: Running) -> list[str]:
    """Where one can go."""
    return [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps]


def one(lab: Running, chance: random.Random, places: list[str]) -> None:
    """Something that a learner or an instructor does to a lab as a whole. Raises client.Refused when it is refused."""
    way = chance.random()
    if way < 0.55:
        lab.goto(chance.choice(places), end=chance.random() < 0.4)
    elif way < 0.85:
        lab.reset(chance.choice(("step", "lesson", "lab")))
    elif way < 0.95 or lab.status().position.endswith(places[0]):  # there is nothing before the beginning
        lab.run()
    else:
        lab.back()


@pytest.mark.parametrize("times", [SHORT, pytest.param(LONG, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_a_lab_that_is_jumped_about_in(times: int) -> None:
    """Jumps, resets, runs and steps back in random order: none is refused, and after them all the agent has no more files and memory than after a third.

    It has no more threads than its pools may begin, which is fewer than the jumps are.
    """
    chance = random.Random(7)
    with running() as lab:
        pid, places = lab.status().agent_pid, steps(lab)
        seen = [size(pid)]
        for number in range(times):
            one(lab, chance, places)
            if number < times / 3:
                seen.append(size(pid))
        lab.reset("lab")
        files = max(own.files for own in seen)
        assert eventually(lambda: size(pid).files <= files and size(pid).threads <= THREADS), (files, size(pid))
        resident = max(own.resident_kib for own in seen)
        assert size(pid).resident_kib < resident + GROWTH_KIB, (resident, size(pid))


@pytest.mark.parametrize("labs", [4, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_a_class_of_labs(labs: int) -> None:
    """As many labs at once on one machine, each somewhere else: each is where its own learner went, and reaches what it should there."""
    chance = random.Random(3)
    with ExitStack() as open_ones:
        room = [open_ones.enter_context(running()) for _ in range(labs)]
        places = steps(room[0])
        at = {lab.name: chance.choice(places) for lab in room}
        for lab in room:
            lab.goto(at[lab.name], end=True)
        for lab in room:
            assert lab.status().position == f"container/{at[lab.name]}"
            assert all(own.verdict.result == "pass" for own in lab.check(at[lab.name]).verdicts), at[lab.name]
        for lab in room:
            lab.goto("internet/masquerade", end=True)
            assert lab.pings("198.51.100.10")
