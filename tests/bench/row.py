"""One line of the benchmark table, and small helpers to measure it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured: our median, what it should reach, and the reference measured in the same run.

    Times are in milliseconds; a row of another ``unit`` (MiB, %) holds its numbers in the same two fields. ``reach`` is text, such as
    "<= 120 ms". A reference that could not be measured here has no number, and ``note`` says why.
    """

    what: str
    ours_ms: float
    reach: str
    reference: str = ""
    reference_ms: float | None = None
    note: str = ""
    unit: str = "ms"


def median_ms(work: Callable[[], object], times: int = 15, before: Callable[[], object] = lambda: None) -> float:
    """The median time of ``work`` in milliseconds; ``before`` prepares each round and is not counted."""
    taken = []
    for _ in range(times):
        before()
        with stopwatch() as elapsed:
            work()
        taken.append(elapsed[0])
    return statistics.median(taken)


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """A list whose one number is, after the block, the milliseconds it took."""
    elapsed = [0.0]
    start = time.perf_counter()
    try:
        yield elapsed
    finally:
        elapsed[0] = (time.perf_counter() - start) * 1000
