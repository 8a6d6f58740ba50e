"""Labs far larger than a lesson's: what a learner's loop may make by mistake. Each beside what the kernel itself takes for it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.row import Row, stopwatch
from helpers.running import Running, running

TIMES = 3
VETHS = 5000
NAMESPACES = 150
MAKE_VETHS = f"for i in $(seq {VETHS}); do echo link add q$i group 77 type veth peer name p$i; done | ip -batch -"
MAKE_NAMESPACES = f"for i in $(seq {NAMESPACES}); do echo netns add n$i; done | ip -batch -"
TIMED = "start=$(date +%s%N); {}; echo TOOK $(( ($(date +%s%N) - start) / 1000 ))"


def rows() -> Iterator[Row]:
    """One lab for all rows. A status is asked for at the moment in which the last object was made."""
    with running() as lab:
        yield from _measured(lab, f"{VETHS:,} veths", MAKE_VETHS, "ip -j link, and ip link del group", "ip -j link >/dev/null", "ip link del group 77")
        delete = f"for i in $(seq {NAMESPACES}); do echo netns del n$i; done | ip -batch -"
        yield from _measured(lab, f"{NAMESPACES} namespaces", MAKE_NAMESPACES, "ip netns, and ip netns del of each", "ip netns >/dev/null", delete)


def _measured(lab: Running, what: str, make: str, reference: str, look: str, undo: str) -> Iterator[Row]:
    status, reset, looked, undone = [], [], [], []
    for _ in range(TIMES):
        lab.sh(make)
        with stopwatch() as elapsed:
            lab.status()
        status.append(elapsed[0])
        with stopwatch() as elapsed:
            lab.reset("lab")
        reset.append(elapsed[0])
        lab.sh(make)
        lab.status()
        looked.append(_took(lab, look))
        undone.append(_took(lab, undo))
        lab.reset("lab")
        lab.events.clear()
    one, other = reference.split(", and ")
    yield Row(f"status with {what}", statistics.median(status), "<= 3 s", one, statistics.median(looked))
    yield Row(f"reset with {what}", statistics.median(reset), "<= 3 s", other, statistics.median(undone))


def _took(lab: Running, command: str) -> float:
    return int(lab.sh(TIMED.format(command)).rsplit("TOOK", 1)[1]) / 1000
