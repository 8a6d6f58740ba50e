"""A drill takes the learner somewhere else: nothing is earned by that, and the way back leads to where he was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.protocol import Break, Goto, Mend, Mended

pytestmark = pytest.mark.kernel


@pytest.fixture
def lab() -> Iterator[Running]:
    """A lab without any progress."""
    with running() as own:
        yield own


def ticks(lab: Running) -> set[str]:
    """The steps that are earned."""
    course = lab.status().course
    return {f"{course.id}/{lesson.id}/{step.id}" for lesson in course.lessons for step in lesson.steps if step.earned}


def go_back(lab: Running, told: Mended) -> None:
    """The way that is told."""
    lab.client.ask(Goto(told.came_from, told.came_done))


def test_a_drill_that_is_given_up_earns_nothing(lab: Running) -> None:
    """The step at whose end it was holds, also when it is checked and when something is changed; nobody has done it."""
    before = ticks(lab)
    lab.client.ask(Break("forwarding-off", drill=True))
    lab.client.ask(Mend())
    assert lab.check().verdicts[0].verdict.passed
    lab.sh("ip link add mine type bridge")
    assert eventually(lambda: "mine" in str(lab.snapshot()))
    assert lab.check().verdicts[0].verdict.passed
    assert ticks(lab) == before


def test_nor_does_one_that_a_rebuild_ends(lab: Running) -> None:
    """``back`` brings the lab to the end of the step as it was before it was broken."""
    before = ticks(lab)
    lab.client.ask(Break("forwarding-off", drill=True))
    lab.back()
    assert lab.check().verdicts[0].verdict.passed and ticks(lab) == before


def test_what_is_taken_away_and_done_again_is_earned(lab: Running) -> None:
    """From then on it is the learner's own doing."""
    lab.client.ask(Break("forwarding-off", drill=True))
    lab.client.ask(Mend())
    here = lab.status().position
    assert here not in ticks(lab)
    lab.reset("step")
    lab.run()
    assert here in ticks(lab)


def test_the_way_back_leads_to_the_start_of_a_step(lab: Running) -> None:
    """Where the step was not done yet, it is not done afterwards."""
    lab.goto("cable/plug")
    lab.client.ask(Break("forwarding-off", drill=True))
    told = lab.client.ask(Mend())
    assert (told.came_from, told.came_done) == ("container/cable/plug", False)
    go_back(lab, told)
    assert lab.status().position == "container/cable/plug" and not lab.check().verdicts[0].verdict.passed


def test_the_way_back_leads_to_the_end_of_a_step_that_was_done(lab: Running) -> None:
    """What was built there is there again."""
    lab.run("cable/pair")
    lab.client.ask(Break("forwarding-off", drill=True))
    told = lab.client.ask(Mend())
    assert (told.came_from, told.came_done) == ("container/cable/pair", True)
    go_back(lab, told)
    assert lab.status().position == "container/cable/pair" and {"veth1", "veth2"} <= lab.links()


def test_the_way_back_from_the_same_step(lab: Running) -> None:
    """Who was at the start of the very step at whose end the drill is has a way back too; who was at its end is there already."""
    lab.client.ask(Break("forwarding-off", drill=True))
    here = lab.client.ask(Mend()).position
    lab.goto(here)
    lab.client.ask(Break("forwarding-off", drill=True))
    told = lab.client.ask(Mend())
    assert (told.came_from, told.came_done) == (here, False)
    lab.goto(here, end=True)
    lab.client.ask(Break("forwarding-off", drill=True))
    assert lab.client.ask(Mend()).came_from == ""


def test_one_drill_after_another_leads_back_to_the_lesson(lab: Running) -> None:
    """A drill that begins when another is solved was not come to from there."""
    lab.goto("cable/plug")
    lab.client.ask(Break("forwarding-off", drill=True))
    lab.sh("sysctl -w net.ipv4.ip_forward=1")
    assert eventually(lambda: (fault := lab.status().fault) is not None and fault.healthy)
    lab.client.ask(Break("port-down", node="c2", drill=True))
    assert lab.client.ask(Mend()).came_from == "container/cable/plug"


def solved(lab: Running) -> bool:
    """Whether the network is known to be healthy again."""
    return (fault := lab.status().fault) is not None and fault.healthy


def test_nor_does_one_that_is_solved(lab: Running) -> None:
    """What was repaired is the fault; the step at whose end it was nobody has done, and the way back does not do it either."""
    lab.goto("cable/plug")
    before = ticks(lab)
    lab.client.ask(Break("forwarding-off", drill=True))
    lab.sh("sysctl -w net.ipv4.ip_forward=1")
    assert eventually(lambda: solved(lab))
    assert lab.check().verdicts[0].verdict.passed and ticks(lab) == before
    lab.client.ask(Mend())
    assert lab.check().verdicts[0].verdict.passed and ticks(lab) == before
