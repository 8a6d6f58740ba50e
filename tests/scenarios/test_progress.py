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
def fresh() -> Iterator[Running]:
    """A lab without any progress."""
    with running() as own:
        yield own


def earned(lab: Running) -> list[str]:
    """Every tick: ``lesson/step``."""
    return [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps if step.earned]


def test_a_repaired_step_earns_itself_only(fresh: Running) -> None:
    """D3: the switch broke and is repaired by hand: that step is ticked, those after it are not, though their state holds as well."""
    fresh.goto("switch/port-up")
    fresh.sh("ip link set veth2 nomaster")
    fresh.goto("switch/port-up")
    assert earned(fresh) == []
    fresh.goto("switch/port")
    fresh.sh("ip addr add 10.0.0.1/24 dev br0; ip link set br0 up; ip link set veth2 up; ip link set veth2 master br0")
    fresh.sh("sleep 0.1; true")
    verdict = fresh.check().verdicts[0].verdict
    assert verdict.result == "pass" and {item.result for item in verdict.items} == {"pass", "ahead"}
    assert set(earned(fresh)) <= {"switch/port"}


def test_two_steps_skipped_in_a_row(fresh: Running) -> None:
    """D4: next --yes twice without doing anything: the third step starts from a lab in which the two are done, and neither is ticked."""
    fresh.goto("cable/pair")
    for wanted in ("cable/plug", "cable/address"):
        assert "rebuilt" in fresh.next(force=True).text
        assert fresh.status().position == f"container/{wanted}"
    assert fresh.links("c1") == {"lo", "veth1"}
    assert fresh.told("ip -j addr show veth1", "c1")[0]["addr_info"] == []
    assert earned(fresh) == []
    fresh.sh("ip -n c1 addr add 10.0.0.2/24 dev veth1")
    accepted(fresh, "the third step, by hand")
    assert earned(fresh) == ["cable/address"]


def test_solved_again_after_a_reset(lab: Running) -> None:
    """D5, C18: reset after solving, solve again by hand: the way on is offered again; and the starting state was not solved already."""
    lab.goto("cable/pair")
    for _ in range(2):
        assert not passed(lab)
        assert lab.check().text == ""
        lab.sh("ip link add name veth1 type veth peer name veth2")
        accepted(lab, "by hand")
        assert "container/cable/plug" in lab.check().text
        assert lab.status().position == "container/cable/pair", "nothing advances by itself (D11)"
        lab.reset("step")


def test_no_start_is_solved_already(lab: Running) -> None:
    """C18: no step's state holds at its own start; C8: and its verdict says for every claim what was expected and seen."""
    for place in positions(lab):
        lab.goto(place)
        verdict = lab.check().verdicts[0].verdict
        assert verdict.result in ("fail", "error"), place
        for item in verdict.items:
            if item.result in ("fail", "error"):
                assert item.expected and item.seen and item.look, (place, item)


def test_reading_the_solution_solves_nothing(fresh: Running) -> None:
    """D9, D8: every hint opened, the last of them being the command: no tick; the page and its opened hints can be read at any time."""
    fresh.goto("cable/pair")
    total = fresh.status().page.hints_total
    told = [fresh.client.ask(Hint()).text for _ in range(total)]
    assert "ip link add name veth1 type veth peer name veth2" in told[-1]
    assert earned(fresh) == [] and not passed(fresh)
    fresh.goto("netless/name")
    fresh.goto("cable/pair")
    page = fresh.status().page
    assert page.hints_open == tuple(told) and "two ends" in page.prose


def test_a_result_rightly_undone_stays_ticked(lab: Running) -> None:
    """C7: the decoy is made, then taken away as the next step asks: its tick stays, and it is not shown as broken."""
    lab.reset("lab")
    lab.goto("netless/decoy")
    lab.run()
    lab.run()
    step = next(step for step in lab.status().course.lessons[0].steps if step.id == "decoy")
    assert step.earned and step.live is not False
    assert "decoy" not in lab.sh("ip netns list")
    answers = lab.check("netless").verdicts
    results = {answer.position.rpartition("/")[2]: answer.verdict.result for answer in answers}
    assert results == {"name": "pass", "decoy": "pass", "tidy": "pass", "loopback": "fail"}, "what was rightly undone is past, loopback is to come"


def test_undo_ignores_looks(lab: Running) -> None:
    """D12: after one change and many looks, back takes the change away, not a look."""
    lab.goto("switch/bridge")
    lab.sh("ip link add br9 type bridge")
    assert eventually(lambda: "br9" in str(lab.snapshot()))
    lab.sh("ip addr; ip -n c1 route; bridge fdb; nft list ruleset; ss -ltn; cat /proc/net/arp; ping -c1 -W1 203.0.113.1; ip netns list")
    assert "br9" in lab.back().text
    assert "br9" not in lab.links()
    assert lab.status().position == "container/switch/bridge"
