"""Ticks and places: skipping, repairing, reading ahead and undoing never put a false tick anywhere, nor take a true one away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.hands import accepted, passed, positions
from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.protocol import Hint

pytestmark = pytest.mark.kernel


@pytest.fixture
def lab() -> Iterator[Running]:
    """A lab without any progress."""
    with running() as own:
        yield own


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """One lab for the tests that do not care what was earned before."""
    with running() as own:
        yield own


def earned(lab: Running) -> list[str]:
    """Every tick: ``lesson/step``."""
    return [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps if step.earned]


def test_a_repaired_step_earns_itself_only(lab: Running) -> None:
    """D3: the switch broke and is repaired by hand: that step is ticked, those after it are not, though their state holds as well."""
    lab.goto("switch/port-up")
    lab.sh("ip link set veth2 nomaster")
    lab.goto("switch/port-up")
    assert earned(lab) == []
    lab.goto("switch/port")
    lab.sh("ip addr add 10.0.0.1/24 dev br0; ip link set br0 up; ip link set veth2 up; ip link set veth2 master br0")
    lab.sh("sleep 0.1; true")
    verdict = lab.check().verdicts[0].verdict
    assert verdict.result == "pass" and {item.result for item in verdict.items} == {"pass", "ahead"}
    assert set(earned(lab)) <= {"switch/port"}


def test_two_steps_skipped_in_a_row(lab: Running) -> None:
    """D4: next --yes twice without doing anything: the third step starts from a lab in which the two are done, and neither is ticked."""
    lab.goto("cable/pair")
    for wanted in ("cable/plug", "cable/address"):
        assert "rebuilt" in lab.next(force=True).text
        assert lab.status().position == f"container/{wanted}"
    assert lab.links("c1") == {"lo", "veth1"}
    assert lab.told("ip -j addr show veth1", "c1")[0]["addr_info"] == []
    assert earned(lab) == []
    lab.sh("ip -n c1 addr add 10.0.0.2/24 dev veth1")
    accepted(lab, "the third step, by hand")
    assert earned(lab) == ["cable/address"]


def test_solved_again_after_a_reset(shared: Running) -> None:
    """D5, C18: reset after solving, solve again by hand: the way on is offered again; and the starting state was not solved already."""
    shared.goto("cable/pair")
    for _ in range(2):
        assert not passed(shared)
        assert shared.check().text == ""
        shared.sh("ip link add name veth1 type veth peer name veth2")
        accepted(shared, "by hand")
        assert "container/cable/plug" in shared.check().text
        assert shared.status().position == "container/cable/pair", "nothing advances by itself (D11)"
        shared.reset("step")


def test_no_start_is_solved_already(shared: Running) -> None:
    """C18: no step's state holds at its own start; C8: and its verdict says for every claim what was expected and seen."""
    for place in positions(shared):
        shared.goto(place)
        verdict = shared.check().verdicts[0].verdict
        assert verdict.result in ("fail", "error"), place
        for item in verdict.items:
            if item.result in ("fail", "error"):
                assert item.expected and item.seen and item.look, (place, item)


def test_reading_the_solution_solves_nothing(lab: Running) -> None:
    """D9, D8: every hint opened, the last of them being the command: no tick; the page and its opened hints can be read at any time."""
    lab.goto("cable/pair")
    total = lab.status().page.hints_total
    told = [lab.client.ask(Hint()).text for _ in range(total)]
    assert "ip link add name veth1 type veth peer name veth2" in told[-1]
    assert earned(lab) == [] and not passed(lab)
    lab.goto("netless/name")
    lab.goto("cable/pair")
    page = lab.status().page
    assert page.hints_open == tuple(told) and "two ends" in page.prose


def test_a_result_rightly_undone_stays_ticked(shared: Running) -> None:
    """C7: the decoy is made, then taken away as the next step asks: its tick stays, and it is not shown as broken."""
    shared.reset("lab")
    shared.goto("netless/decoy")
    shared.run()
    shared.run()
    step = next(step for step in shared.status().course.lessons[0].steps if step.id == "decoy")
    assert step.earned and step.live is not False
    assert "decoy" not in shared.sh("ip netns list")
    answers = shared.check("netless").verdicts
    results = {answer.position.rpartition("/")[2]: answer.verdict.result for answer in answers}
    assert results == {"name": "pass", "decoy": "pass", "tidy": "pass", "loopback": "fail"}, "what was rightly undone is past, loopback is to come"


def test_undo_ignores_looks(shared: Running) -> None:
    """D12: after one change and many looks, back takes the change away, not a look."""
    shared.goto("switch/bridge")
    shared.sh("ip link add br9 type bridge")
    assert eventually(lambda: "br9" in str(shared.snapshot()))
    shared.sh("ip addr; ip -n c1 route; bridge fdb; nft list ruleset; ss -ltn; cat /proc/net/arp; ping -c1 -W1 203.0.113.1; ip netns list")
    assert "br9" in shared.back().text
    assert "br9" not in shared.links()
    assert shared.status().position == "container/switch/bridge"
