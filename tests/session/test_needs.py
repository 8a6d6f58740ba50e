"""A machine that lacks what a step needs: the learner is told before the step, and nothing is begun that could not end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import checkout
from helpers.pages import course, front, page, step
from helpers.running import Running, running
from netless_lab.client import Refused
from netless_lab.model.needs import Lack
from netless_lab.protocol import Break, GetFaults

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

STEPS = (
    step(id='"one"', do='[{ bridge = "br1" }]', expect='[{ link = "br1" }]'),
    step(id='"two"', do='[{ bridge = "br2" }]', expect='[{ link = "br2" }]', needs='["bridge", "curl"]'),
    step(id='"three"', do='[{ bridge = "br3" }]', expect='[{ link = "br3" }]'),
)
CURL = Lack("curl", "the program curl", "it comes with the package curl", "sudo apt-get install curl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A course whose second step needs a program."""
    for name, text in course(bridges=page(*STEPS, front=front("bridges"))).items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def lab(folder: Path) -> Iterator[Running]:
    """A lab of that course."""
    with running(folder=str(folder)) as own:
        yield own


def hide(lab: Running, program: str) -> None:
    """Have the program be nothing that can be run; a rebuild of the lab takes that away too."""
    lab.sh(f"while found=$(command -v {program}); do mount --bind /dev/null $found; done")


def test_the_learner_is_told_before_the_step(lab: Running) -> None:
    """On the page, and in the answer of what led there: what is lacking, why, and what to do. Not before, and not where all is there."""
    hide(lab, "curl")
    lab.run()
    assert lab.status().page.lacks == ()
    told = lab.next()
    assert told.position.endswith("/two") and lab.status().page.lacks == (CURL,)
    assert all(words in told.text for words in ("cannot be done here", "the program curl", "sudo apt-get install curl"))


def test_what_is_there_again_is_lacking_no_more(lab: Running) -> None:
    """Somebody followed the advice: ``run`` does the step, which it had refused."""
    lab.run()
    hide(lab, "curl")
    lab.next()
    with pytest.raises(Refused, match="the program curl") as refused:
        lab.run()
    assert refused.value.code == 3
    lab.sh("umount $(findmnt -rno TARGET | grep /curl)")
    assert lab.run().verdicts[0].verdict.passed
    assert lab.status().page.lacks == () and "br2" in lab.links()


def test_a_step_that_cannot_be_done_is_not_begun(lab: Running) -> None:
    """``run`` of it, ``goto`` beyond it and ``next`` by force are refused as what this machine cannot, with the reason; the lab stays as it is."""
    lab.run("one")
    hide(lab, "curl")
    lab.next()
    for ask in (lambda: lab.goto("three"), lambda: lab.goto("two", end=True), lambda: lab.next(force=True), lambda: lab.run("two")):
        with pytest.raises(Refused, match="the program curl") as refused:
            ask()
        assert refused.value.code == 3 and lab.status().position.endswith("/two")
        assert {"br1"} == lab.links() & {"br1", "br2", "br3"}


def test_a_step_elsewhere_that_cannot_be_done_moves_nobody(lab: Running) -> None:
    """``run`` of a step whose start would have to be built first, from another step: refused before the learner's place or thing is touched."""
    hide(lab, "curl")
    lab.sh("ip addr add 203.0.113.77/32 dev lo")
    for target in ("two", "three"):
        with pytest.raises(Refused, match="the program curl") as refused:
            lab.run(target)
        assert refused.value.code == 3 and lab.status().position.endswith("/one")
        assert "203.0.113.77" in lab.sh("ip -br addr show lo")


def test_a_step_done_all_the_same_counts(lab: Running) -> None:
    """What the tutor's own way would need is not demanded of the learner."""
    lab.run()
    hide(lab, "curl")
    lab.next()
    lab.sh("ip link add br2 type bridge")
    assert lab.check().verdicts[0].verdict.passed


def test_lint_leaves_out_what_cannot_be_tried_here(folder: Path) -> None:
    """On a machine without curl its step and those after it are skipped, with the reason; the others are proven."""
    hiding = "while found=$(command -v curl); do mount --bind /dev/null $found; done"
    command = ["unshare", "-Urm", "sh", "-ec", f'{hiding}; exec "$0" -m netless --json lint "$1"', sys.executable, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=checkout.environment(), timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    (proof,) = json.loads(done.stdout)["courses"]
    assert proof["problems"] == []
    assert [place.rpartition("/")[2] for place in proof["proven"]] == ["one"]
    assert [place.rpartition("/")[2] for place, _ in proof["skipped"]] == ["two", "three"]
    assert all("the program curl" in why for _, why in proof["skipped"])


def test_a_fault_is_asked_for_what_it_needs_in_the_same_way() -> None:
    """The list of faults and a refused one say what is lacking; the others can be had, and one is never drawn that cannot."""
    with running() as lab:
        hide(lab, "nft")
        lacks = {fault.id: fault.lacks for fault in lab.client.ask(GetFaults())}
        assert lacks["second-firewall"] == lacks["old-flow"] == "the program nft" and lacks["port-down"] == ""
        with pytest.raises(Refused, match="the program nft") as refused:
            lab.client.ask(Break(fault="second-firewall"))
        assert refused.value.code == 3 and lab.status().fault is None
        assert lab.client.ask(Break(fault="port-down")).fault.id == "port-down"
