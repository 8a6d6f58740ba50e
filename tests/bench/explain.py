"""Why, held against every fault: how often the place and the cause are right, separately for the faults its rules were never shown.

Of those only sums are printed: whoever goes on writing rules may read this table. And how long a name or a page that fails takes to explain.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from os import environ

from bench.row import Row, median_ms
from drill.explained import Judged, explained
from helpers.running import Running, running
from netless_lab.client import Refused
from netless_lab.course.files import fault_texts, shipped
from netless_lab.drill.format import Fault, read_faults
from netless_lab.model.probe import Fetch, Lookup, Probe
from netless_lab.protocol import Break, Explain, Mend

REACH_MS = "<= 250 ms, root <= 400"
NAME, PAGE = "timeout 1 getent ahosts example.test", "curl -sm1 http://{}/"
LOST: tuple[tuple[str, str, Probe, str], ...] = (
    ("a name, its question dropped", "nft insert rule ip lab forward udp dport 53 drop", Lookup("c1", "example.test"), NAME),
    ("a name, its server nobody's", "true", Lookup("c1", "example.test", server="10.0.0.77"), PAGE.format("10.0.0.77")),
    ("a name, no way back", "nft flush chain ip lab postrouting", Lookup("c1", "example.test"), NAME),
    ("a page, its connection dropped", "nft insert rule ip lab forward tcp dport 80 drop", Fetch("c1", "http://example.test/"), PAGE.format("example.test")),
    ("a page, its host nobody's", "true", Fetch("c1", "http://10.0.0.77/"), PAGE.format("10.0.0.77")),
)
"""What fails, the rule that it fails by, and what a person would type to see no more than that it fails."""


def rows() -> Iterator[Row]:
    """Places and causes in percent, wrong certainties as a count, and the time an explanation takes."""
    with tempfile.TemporaryDirectory() as state:
        environ["XDG_STATE_HOME"] = state
        with running() as lab:
            yield from _lost(lab)
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


def _lost(lab: Running) -> Iterator[Row]:
    """Names and pages that fail: the silence that proves it is part of the time."""
    for title, rule, probe, typed in LOST:
        lab.goto("container/internet", end=True)
        lab.sh(rule)

        def explain(probe: Probe = probe) -> None:
            lab.client.ask(Explain(probe))

        def type_it(typed: str = typed) -> None:
            lab.sh(f"{typed} || true", "c1")

        yield Row(f"why: {title}", median_ms(explain), "<= 250 ms", typed, median_ms(type_it, 3))


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
