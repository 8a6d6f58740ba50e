"""Every fault file proves itself in a real lab: healthy before, its symptom after, the rest goes on, healthy again after its mend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from faults.explained import Judged, explained
from faults.witness import answered
from helpers.running import Running, running
from netless_lab.client import Refused
from netless_lab.course.faults import Fault, read_faults
from netless_lab.course.files import fault_texts, shipped
from netless_lab.course.step import ProbeCheck
from netless_lab.model.probe import Outcome
from netless_lab.protocol import Call, SendProbe

pytestmark = pytest.mark.kernel

FAULTS = {node: {fault.id: fault for fault in read_faults(fault_texts(), shipped(), node).faults} for node in ("c1", "c2")}
TWICE = ("port-down", "duplicate-address", "service-on-loopback")
"""Once more after the mend, in the same lab."""
ELSEWHERE = ("default-route-missing", "port-unplugged", "arp-off", "prefix-32")
"""In the other container too."""

JUDGED: dict[str, Judged] = {}
"""What Why said of each fault while it was on."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for all faults; each leaves it healthy, or the next begins with a rebuild."""
    with running() as own:
        yield own


@pytest.fixture(autouse=True)
def _mended(lab: Running) -> Iterator[None]:
    """A test that fails does not take the next one with it."""
    yield
    lab.client.ask(Call, name="mend")


def outcome(lab: Running, check: ProbeCheck, *, patient: bool) -> Outcome:
    """What the lab's own probe finds."""
    return msgspec.convert(lab.client.ask(SendProbe, probe=check.probe, must_reply=patient), Outcome)


def as_in_health(found: Outcome, check: ProbeCheck) -> bool:
    """Whether an outcome is what a healthy network gives."""
    if (found.result == "answered") != check.reply:
        return False
    return check.seen_as in (None, found.seen_as) and check.answer in (None, found.answer)


def broken(lab: Running, fault: Fault) -> dict[str, Any]:
    """Break the lab; a kernel without what the fault needs skips the test."""
    try:
        answer: dict[str, Any] = lab.client.ask(Call, name="break", args={"fault": fault.id, "node": fault.node})
    except Refused as refused:
        if refused.code == 3:
            pytest.skip(f"this kernel has no means for it: {refused}")
        raise
    return answer


def prove(lab: Running, fault: Fault) -> None:
    """The whole life of a fault, by the lab's probes and by iputils, curl and getent; meanwhile Why says what it sees."""
    answer = broken(lab, fault)
    assert answer["text"] == fault.tells
    for check in fault.symptom:
        found = outcome(lab, check, patient=False)
        assert found.result != "error", (check, found)
        assert not as_in_health(found, check), (check, found)
    if fault.symptom[0].seen_as is None:
        assert answered(lab, fault.symptom[0].probe) is not fault.symptom[0].reply, fault.symptom[0]
    for check in fault.still:
        assert as_in_health(outcome(lab, check, patient=True), check), check
    judged = JUDGED[fault.id] = explained(lab, fault)
    assert not judged.told.answered and judged.told.seen.endswith(".")
    told = lab.client.ask(Call, name="mend")
    assert told["mended"] == fault.id and told["fault"] is None
    if not fault.setup:
        for check in (*fault.symptom, *fault.still):
            assert as_in_health(outcome(lab, check, patient=True), check), check
        assert answered(lab, fault.symptom[0].probe) is fault.symptom[0].reply


@pytest.mark.parametrize("fault_id", sorted(FAULTS["c1"]))
def test_a_fault_breaks_shows_and_mends(lab: Running, fault_id: str) -> None:
    """Symptoms fail (and never by an error of the probe) while it is on, its other probes go on, and after the mend all is well."""
    prove(lab, FAULTS["c1"][fault_id])


@pytest.mark.parametrize("fault_id", TWICE)
def test_a_mended_lab_breaks_again(lab: Running, fault_id: str) -> None:
    """Once more in the same lab, with nothing left over from the first time."""
    prove(lab, FAULTS["c1"][fault_id])


@pytest.mark.parametrize("fault_id", ELSEWHERE)
def test_a_fault_in_the_other_container(lab: Running, fault_id: str) -> None:
    """``--node c2`` breaks c2 and leaves c1 alone."""
    prove(lab, FAULTS["c2"][fault_id])


def test_no_wrong_cause_is_called_certain(lab: Running) -> None:
    """Whatever Why says of a fault, it never calls a cause certain that is none. (How often it is right is for the benchmarks.)"""
    for fault in FAULTS["c1"].values():
        if fault.id not in JUDGED:
            try:
                broken(lab, fault)
            except pytest.skip.Exception:
                continue
            JUDGED[fault.id] = explained(lab, fault)
            lab.client.ask(Call, name="mend")
    assert not {judged.fault.id: judged.told.cause for judged in JUDGED.values() if judged.wrong_and_certain}
