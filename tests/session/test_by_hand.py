"""Typing counts as much as running: steps done from another terminal, with names and a subnet of one's own, and mistakes on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.running import Running, eventually, running
from netless_lab.protocol import VerdictEvent

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for this file; every test begins with its own goto or reset."""
    with running() as own:
        yield own


def passed(lab: Running) -> bool:
    """Whether the watching judge has passed the current step, without being asked."""
    verdict = lab.status().verdict
    return verdict is not None and verdict.passed


def test_typed_step_passes_without_being_asked(lab: Running) -> None:
    """A step typed in another terminal is judged by itself, its tick is earned, and nothing advances."""
    lab.reset("lab")
    lab.goto("cable/pair")
    lab.events.clear()
    lab.sh("ip link add veth1 type veth peer name veth2")
    assert eventually(lambda: passed(lab))
    status = lab.status()
    assert status.position == "container/cable/pair"
    step = next(step for lesson in status.course.lessons if lesson.id == "cable" for step in lesson.steps if step.id == "pair")
    assert step.earned
    assert any(isinstance(event, VerdictEvent) and event.completed for event in lab.events)


def test_own_names_and_subnet(lab: Running) -> None:
    """Names and a subnet of the learner's own choice pass, and later steps speak of them."""
    lab.reset("lab")
    lab.goto("cable/pair")
    lab.sh("ip link add left type veth peer name right")
    assert eventually(lambda: passed(lab))
    lab.next()
    lab.sh("ip link set left netns c1")
    assert eventually(lambda: passed(lab))
    lab.next()
    lab.sh("ip -n c1 addr add 192.168.7.2/24 dev left")
    assert eventually(lambda: passed(lab))
    lab.next()
    lab.sh("ip -n c1 link set left up")
    assert eventually(lambda: passed(lab))
    for command in ("brctl addbr sw0", "brctl addif sw0 right", "ip addr add 192.168.7.1/24 dev sw0", "ip link set sw0 up", "ip link set right up"):
        lab.next()
        lines = " ".join(line for commands in lab.status().page.commands for line in commands.lines)
        assert "veth1" not in lines and "10.0.0." not in lines, lines
        lab.sh(command)
        assert eventually(lambda: passed(lab)), (command, lab.check())
    assert lab.pings("192.168.7.1")
    assert lab.status().bindings


def test_extra_objects_are_mentioned_not_punished(lab: Running) -> None:
    """A typo that made something else first does not fail the step; the verdict mentions it."""
    lab.reset("lab")
    lab.goto("cable/pair")
    lab.sh("ip link add veht1 type veth peer name veht2; ip netns add oops; ip link add veth1 type veth peer name veth2")
    assert eventually(lambda: passed(lab))
    verdict = lab.check()["verdicts"][0]["verdict"]
    assert verdict["result"] == "pass"
    assert any("oops" in extra for extra in verdict["extras"])


def test_address_before_the_move_is_explained(lab: Running) -> None:
    """An address set before the move is wiped by it; the verdict of the address step says so (C15)."""
    lab.reset("lab")
    lab.goto("cable/plug")
    lab.sh("ip addr add 10.0.0.2/24 dev veth1; ip link set veth1 netns c1")
    assert eventually(lambda: passed(lab))
    lab.next()
    items = lab.check()["verdicts"][0]["verdict"]["items"]
    assert any("mov" in item["near"] for item in items if item["result"] == "fail"), items


def test_a_broken_earlier_step_shows_and_its_tick_stays(lab: Running) -> None:
    """A link taken down by hand turns the earlier step's live mark off at once; the earned tick stays (C12)."""
    lab.reset("lab")
    lab.goto("switch", end=True)
    lab.next()
    lab.sh("ip link set veth2 down")

    def step() -> tuple[bool, bool | None]:
        lessons = lab.status().course.lessons
        found = next(step for lesson in lessons if lesson.id == "switch" for step in lesson.steps if step.id == "port-up")
        return found.earned, found.live

    assert eventually(lambda: step() == (True, False)), step()


def test_back_undoes_own_changes_first(lab: Running) -> None:
    """``back`` first takes away what the learner changed since the step began, then the step before it."""
    lab.goto("switch/port")
    lab.sh("ip link add stray type bridge; ip link set br0 mtu 1400")
    assert eventually(lambda: "stray" in str(lab.snapshot()))
    lab.back()
    assert "stray" not in lab.links()
    assert lab.told("ip -j link show br0")[0]["mtu"] == 1500
    lab.back()
    assert lab.status().position == "container/switch/bridge"
    assert "br0" not in lab.links()
