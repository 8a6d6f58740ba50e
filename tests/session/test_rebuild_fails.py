"""A lab that was taken apart and could not be built: nothing is said of it that was true before. ip is the witness."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.pages import course, front, page, step
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.client import Refused
from netless_lab.protocol import Check

pytestmark = pytest.mark.kernel

STEPS = (
    step(id='"made"', do='[{ veth = "veth1", peer = "veth2" }]', expect='[{ pair = "veth1", peer = "veth2" }]'),
    step(id='"risky"', do='[{ up = "veth1" }, { run = "test ! -e /tmp/refuse" }, { up = "veth2" }]', expect='[{ up = "veth1" }, { up = "veth2" }]'),
    step(id='"last"', do='[{ bridge = "br0" }]', expect='[{ bridge = "br0" }]'),
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Running]:
    """A lab of a course whose second step cannot be done once there is a file; it stands at the end of all, with a change of the learner's."""
    for name, text in course(cables=page(*STEPS, front=front("cables"))).items():
        (tmp_path / name).write_text(text)
    with running(folder=str(tmp_path)) as own:
        own.goto("cables/last", end=True)
        own.sh("ip link add mine type bridge; touch /tmp/refuse")
        assert eventually(lambda: "mine" in str(own.status().verdict))
        yield own


def ticks(lab: Running) -> dict[str, bool | None]:
    """Whether each step holds now, as a list shows it."""
    return {step.id: step.live for lesson in lab.status().course.lessons for step in lesson.steps}


def fails(lab: Running, verb: str) -> None:
    """The rebuild that this verb needs is begun, and fails."""
    with pytest.raises(Refused, match="could not be rebuilt") as refused:
        lab.reset() if verb == "reset" else lab.back() if verb == "back" else lab.goto("cables/last")
    assert refused.value.code == 4
    assert {"veth1", "veth2"} <= lab.links() and not {"mine", "br0"} & lab.links()


@pytest.mark.parametrize("verb", ["goto", "reset"])
def test_no_tick_stands_over_a_lab_that_was_not_built(lab: Running, verb: str) -> None:
    """The step had passed; its verdict and the live ticks are those of what is left, told without being asked."""
    fails(lab, verb)
    status = lab.status()
    assert status.verdict is None or not status.verdict.passed
    assert eventually(lambda: (verdict := lab.status().verdict) is not None and verdict.result == "fail")
    assert ticks(lab) == {"made": True, "risky": False, "last": False}
    assert not lab.client.ask(Check()).verdicts[0].verdict.passed


def test_what_went_with_the_lab_is_not_taken_back(lab: Running) -> None:
    """The learner's changes are gone with the lab: ``back`` is at the steps, not at what nobody sees any more."""
    fails(lab, "goto")
    lab.sh("rm /tmp/refuse")
    assert "cables/risky" in lab.back().position


def test_the_history_tells_what_is_there(lab: Running) -> None:
    """The script makes of a fresh lab what is left, in the order of what happened, and nothing of what was before."""
    fails(lab, "goto")
    account = lab.history()
    assert any("could not be rebuilt" in entry.text or "could not be" in entry.text for entry in account.entries if entry.anew)
    assert "br0" not in account.script and "mine" not in account.script
    before = lab.told("ip -j link show veth1")[0]["flags"], lab.links()
    lab.sh("rm /tmp/refuse")
    lab.reset("lab")
    lab.sh(account.script)
    assert (lab.told("ip -j link show veth1")[0]["flags"], lab.links()) == before


def test_a_step_that_fails_its_own_check_says_what_was_seen(tmp_path: Path) -> None:
    """Whoever goes to its end reads of each line what was expected and what came instead, and of no line that holds."""
    do, probe = '[{ veth = "veth1", peer = "veth2" }]', '[{ ping = "203.0.113.77", from = "host" }]'
    lone = step(id='"lone"', do=do, expect='[{ pair = "veth1", peer = "veth2" }]', probe=probe)
    for name, text in course(cables=page(lone, front=front("cables"))).items():
        (tmp_path / name).write_text(text)
    with running(folder=str(tmp_path)) as own, pytest.raises(Refused) as refused:
        own.goto("cables/lone", end=True)
    assert "does not pass there: 203.0.113.77 answers the host (expected " in str(refused.value), refused.value
    assert "; seen " in str(refused.value) and "veth1" not in str(refused.value)
