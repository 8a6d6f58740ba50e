"""What is left of a drill when it is over: what it was, how it ended, how long it took and which help was used, told and kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs
from netless_lab.course.progress import DrillRecord
from netless_lab.model.probe import Ping
from netless_lab.protocol import Break, Explain, GetHistory, Hint, Mend, Mended, Moved

pytestmark = pytest.mark.kernel

FORWARDING = "The host does not forward"


@pytest.fixture(scope="module")
def home() -> str:
    """Where the progress of this file's lab is kept."""
    return os.environ["XDG_STATE_HOME"]


@pytest.fixture(scope="module")
def lab(home: str) -> Iterator[Running]:
    """One lab for this file."""
    with running() as own:
        yield own


@pytest.fixture(autouse=True)
def _mended(lab: Running, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins without a fault, and reads the progress where it is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", home)
    lab.client.ask(Mend())


def broken(lab: Running, **more: Any) -> int:
    """A drill about forwarding; how many drills the progress knew before."""
    known = len(labs.progress_of(lab.name).drills)
    lab.client.ask(Break(fault="forwarding-off", drill=True, **more))
    return known


def newest(lab: Running, known: int) -> DrillRecord:
    """The one drill that was added since, as anybody outside can read it."""
    drills = labs.progress_of(lab.name).drills
    assert len(drills) == known + 1
    return drills[-1]


def repair(lab: Running) -> None:
    """By hand; the lab notices by itself."""
    lab.sh("sysctl -w net.ipv4.ip_forward=1")
    assert eventually(lambda: (fault := lab.status().fault) is not None and fault.healthy)


def test_a_repair_is_told_and_kept(lab: Running) -> None:
    """``check`` says that it is healthy again, what it was, how long it took and the help; the progress has the same as a record."""
    began = time.time()
    known = broken(lab)
    lab.client.ask(Hint())
    lab.client.ask(Explain(probe=Ping("c1", "198.51.100.10")))
    repair(lab)
    answer = lab.check()
    for said in ("healthy again", f"It was: {FORWARDING}", "1 hint and Why once", " s, with"):
        assert said in answer.text
    assert answer.fault is not None and answer.fault.id == "forwarding-off" and answer.fault.healthy
    kept = newest(lab, known)
    assert (kept.fault, kept.result, kept.hints, kept.whys, kept.exam, kept.seed) == ("forwarding-off", "solved", 1, 1, False, None)
    assert began < kept.at < time.time() and 0 < kept.seconds <= time.time() - began


def test_check_itself_tells_when_it_is_the_first_to_see(lab: Running) -> None:
    """Asked at once after the repair, before the lab looked by itself, it says the same."""
    broken(lab)
    lab.sh("sysctl -w net.ipv4.ip_forward=1")
    answer = lab.check()
    assert f"It was: {FORWARDING}" in answer.text + answer.verdicts[0].success


def test_the_news_ends_where_the_learner_goes_on(lab: Running) -> None:
    """It is told where the network was broken; at another step, and after it was put away, ``check`` speaks of the step alone."""
    broken(lab)
    repair(lab)
    assert "healthy again" in lab.check().text
    assert "healthy again" not in lab.check("container/switch").text
    lab.client.ask(Mend())
    assert "healthy again" not in lab.check().text


def test_putting_away_after_a_repair_is_not_giving_up(lab: Running) -> None:
    """``mend`` after the repair takes nothing away and does not say so; what is kept stays solved."""
    known = broken(lab)
    repair(lab)
    told = lab.client.ask(Mend()).text
    assert "taken away" not in told and "healthy again" in told and f"It was: {FORWARDING}" in told
    assert newest(lab, known).result == "solved"


def test_what_a_fault_needed_is_put_away_in_words(lab: Running) -> None:
    """A fault with things of its own: after the repair ``mend`` says that the lab was put back."""
    lab.client.ask(Break(fault="ping-ignored", node="c1", drill=True))
    lab.sh("echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_all", "c1")
    assert eventually(lambda: (fault := lab.status().fault) is not None and fault.healthy)
    assert "put back to the end of container/neighbour/everyone" in lab.client.ask(Mend()).text


@pytest.mark.parametrize(
    "end",
    [
        lambda lab: lab.client.ask(Mend()),
        lambda lab: lab.goto("cable/pair"),
        lambda lab: lab.goto("neighbour", end=True),
        lambda lab: lab.reset("step"),
        lambda lab: lab.reset("lab"),
        lambda lab: lab.back(),
    ],
    ids=["mend", "goto", "goto-end", "reset-step", "reset-lab", "back"],
)
def test_every_way_out_of_an_exam_is_giving_up(lab: Running, end: Callable[[Running], Moved | Mended]) -> None:
    """It is recorded as that, and said, together with what it was."""
    known = broken(lab, exam=True)
    answer = end(lab)
    kept = newest(lab, known)
    assert (kept.fault, kept.result, kept.exam) == ("forwarding-off", "gave up", True)
    if isinstance(answer, Moved):
        assert FORWARDING in answer.ended and "ended the exam" in answer.ended and "given up" in answer.ended
    else:
        assert FORWARDING in answer.text and answer.mended == "forwarding-off"


def test_a_lab_that_ends_takes_no_exam_along() -> None:
    """``down`` in the middle of an exam is giving up as well; progress of an earlier lab of that name is read again by the next."""
    with running() as lab:
        name = lab.name
        broken(lab, exam=True)
        assert labs.progress_of(name).drills == ()
    (kept,) = labs.progress_of(name).drills
    assert (kept.result, kept.exam) == ("gave up", True)
    with running(name) as again:
        known = broken(again)
        assert known == 1
        repair(again)
        assert [drill.result for drill in labs.progress_of(name).drills] == ["gave up", "solved"]


def test_a_drawn_fault_is_kept_with_its_seed(lab: Running) -> None:
    """What draws it again is part of the record."""
    known = len(labs.progress_of(lab.name).drills)
    lab.client.ask(Break(seed=11))
    lab.client.ask(Mend())
    kept = newest(lab, known)
    assert kept.seed == 11 and kept.fault and kept.result == "gave up"


def test_what_was_broken_openly_is_no_drill(lab: Running) -> None:
    """An instructor who shows a fault leaves no mark on the learner's progress; the history has it."""
    known = len(labs.progress_of(lab.name).drills)
    lab.client.ask(Break(fault="forwarding-off"))
    repair(lab)
    lab.client.ask(Mend())
    assert len(labs.progress_of(lab.name).drills) == known


def test_the_history_has_beginning_and_end(lab: Running) -> None:
    """What was noticed when it was broken, without the secret, and how it ended."""
    broken(lab)
    began = [entry.text for entry in lab.client.ask(GetHistory()).entries][-1]
    assert "broken on purpose" in began and FORWARDING not in began
    repair(lab)
    texts = [entry.text for entry in lab.client.ask(GetHistory()).entries]
    assert any("healthy again" in text and FORWARDING in text for text in texts[texts.index(began) :])
