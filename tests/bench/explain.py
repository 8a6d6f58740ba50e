"""Why, held against every fault: how often the place and the cause are right, separately for the faults its rules were never shown.

Of those only sums are printed: whoever goes on writing rules may read this table.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from os import environ

from bench.row import Row
from drill.explained import Judged, explained
from helpers.running import Running, running
from netless_lab.client import Refused
from netless_lab.course.files import fault_texts, shipped
from netless_lab.drill.format import Fault, read_faults
from netless_lab.protocol import Break, Mend

REACH_MS = "<= 250 ms, root <= 400"


def rows() -> Iterator[Row]:
    """Places and causes in percent, wrong certainties as a count, and the time an explanation takes."""
    with tempfile.TemporaryDirectory() as state:
        environ["XDG_STATE_HOME"] = state
        with running() as lab:
            asked = (_judged(lab, fault) for fault in read_faults(fault_texts(), shipped()).faults)
            every = [judged for judged in asked if judged is not None]
    for name, chosen in (("faults never shown", [j for j in every if j.held_out]), ("other faults", [j for j in every if not j.held_out])):
        number = f"of {len(chosen)}"
        missed = ", ".join(judged.fault.id for judged in chosen if not judged.cause_right)
        note = number + (f"; missed: {missed}" if missed and not chosen[0].held_out else "")
        yield Row(f"why, {name}: place right", _percent(judged.place_right for judged in chosen), ">= 95 %", unit="%", note=number)
        yield Row(f"why, {name}: cause right", _percent(judged.cause_right for judged in chosen), ">= 85 %", unit="%", note=note)
    yield Row("why: wrong causes called certain", sum(judged.wrong_and_certain for judged in every), "0", unit="", note=f"of {len(every)}")
    times = sorted(judged.took_ms for judged in every)
    slow = sum(took > 400 for took in times)
    yield Row("why, the whole call", statistics.median(times), REACH_MS, note=f"slowest {times[-1]:.0f} ms, {slow} above 400 ms")


def _judged(lab: Running, fault: Fault) -> Judged | None:
    """One fault's explanation; None on a kernel that cannot have the fault."""
    try:
        lab.client.ask(Break(fault=fault.id))
    except Refused as refused:
        if refused.code == 3:
            return None
        raise
    try:
        return explained(lab, fault)
    finally:
        lab.client.ask(Mend())


def _percent(right: Iterator[bool]) -> float:
    answers = list(right)
    return 100 * sum(answers) / len(answers) if answers else float("nan")
