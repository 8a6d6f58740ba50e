"""Lint's procedure: fails before, passes after, fails after back, every dialect gets there; and what is said when not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.introduced import unintroduced
from helpers.pages import course as files
from helpers.pages import front, page
from helpers.pages import step as text_of
from helpers.post import course
from netless_lab.course.folder import read_course
from netless_lab.course.lint import Answer, Judge, Observe, Perform, Proof, Rebuild, Request, Undo, prove
from netless_lab.course.step import Course, Position
from netless_lab.course.verdict import Item, ItemResult, Verdict
from netless_lab.primitives.base import DIALECTS

PLACE = Position("post", "cable", "pair")
PASS = Verdict("pair", "pass", (Item("pass", "the cable is there"),))
FAIL = Verdict("pair", "fail", (Item("fail", "the cable is there", "state", "a cable", "no cable", "ip link"),))
ERROR = Verdict("pair", "error", (Item("error", "c1 answers", "probe", "an answer", "no raw socket", "id"),))


def small() -> Course:
    """One lesson, one step."""
    found = read_course(files(cable=page())).course
    assert found is not None
    return found


def drive(course: Course, answer: Callable[[Request, bool], Answer]) -> tuple[Proof, list[Request]]:
    """Run the procedure against a lab that is only a flag: done or not done. ``answer`` may lie, as a bad step does."""
    asked: list[Request] = []
    procedure = prove(course)
    done = False
    reply = None
    while True:
        try:
            request = procedure.send(reply) if reply is not None else next(procedure)
        except StopIteration as end:
            return end.value, asked
        asked.append(request)
        if isinstance(request, Rebuild | Undo):
            done = False
        elif isinstance(request, Perform):
            done = True
        reply = answer(request, done)


def honest(request: Request, done: bool) -> Answer:
    """A lab in which the step works."""
    return Answer(PASS if done else FAIL) if isinstance(request, Judge) else Answer()


def test_a_good_step_is_proven_by_every_dialect() -> None:
    """The requests in order: judge, do, judge, undo, judge, and once more from a clean start for each dialect."""
    proof, asked = drive(small(), honest)
    assert proof.problems == () and [str(place) for place in proof.proven] == ["post/cable/pair"]
    kinds = [type(request).__name__ for request in asked]
    assert kinds == ["Rebuild", "Judge", "Perform", "Judge", "Undo", "Judge"] + ["Rebuild", "Perform", "Judge"] * 3
    assert [request.dialect for request in asked if isinstance(request, Perform)] == [None, *DIALECTS]


OBSERVED = '[{ ping = "10.0.0.2", from = "host", silence = "observation", because = "nothing is there", control = { ping = "10.0.0.1", from = "host" } }]'


def observing() -> Course:
    """One lesson, one step, with an observation."""
    found = read_course(files(cable=page(text_of(probe=OBSERVED)))).course
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("pass", "pass", ""),
        ("unknown", "pass", ""),
        ("ahead", "pass", "before anything is done: 10.0.0.2"),
        ("pass", "ahead", "done by its own actions: 10.0.0.2"),
        ("pass", "unknown", "done by its own actions: 10.0.0.2"),
    ],
)
def test_an_observation_is_seen_before_and_after(before: ItemResult, after: ItemResult, said: str) -> None:
    """The packet is lost at the step's start and at its end, there with an answered control; else the page says what is not so."""

    def answer(request: Request, done: bool) -> Answer:
        if isinstance(request, Observe):
            return Answer(Verdict("pair", "pass", (Item(after if done else before, "10.0.0.2 and the host", "probe"),)))
        return honest(request, done)

    proof, asked = drive(observing(), answer)
    assert [type(request).__name__ for request in asked[:6]] == ["Rebuild", "Judge", "Observe", "Perform", "Judge", "Observe"]
    assert len(proof.problems) == bool(said)
    assert all(f"its observation is not to be seen {said}" in problem.what for problem in proof.problems)


def always(verdict: Verdict) -> Callable[[Request, bool], Answer]:
    """A lab whose judge always says the same."""
    return lambda request, done: Answer(verdict) if isinstance(request, Judge) else Answer()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (always(PASS), "its check passes before anything is done"),
        (always(FAIL), "done by its own actions it does not pass: the cable is there (expected a cable; seen no cable)"),
        (always(ERROR), "its check can tell nothing before anything is done"),
        (
            lambda request, done: Answer(error="RTNETLINK: File exists") if isinstance(request, Perform) else honest(request, done),
            "it cannot be done by its own actions: RTNETLINK: File exists",
        ),
        (
            lambda request, done: (
                Answer(error="no brctl") if request == Perform(PLACE, "legacy") else honest(request, done)
            ),
            "it cannot be done by the commands of the dialect legacy: no brctl",
        ),
        (
            lambda request, done: Answer(error="boom") if isinstance(request, Rebuild) else honest(request, done),
            "the steps before it cannot be done: boom",
        ),
        (
            lambda request, done: Answer(error="busy") if isinstance(request, Undo) else honest(request, done),
            "it cannot be taken back: busy",
        ),
        (
            lambda request, done: Answer(error="eth9 is not there. Make it.") if isinstance(request, Undo) else honest(request, done),
            "it cannot be taken back: eth9 is not there. Make it.",
        ),
    ],
)
def test_a_bad_step_is_refused_in_words(answer: Callable[[Request, bool], Answer], what: str) -> None:
    """File, the line of its heading, which step, and what went otherwise."""
    proof, _ = drive(small(), answer)
    assert proof.proven == ()
    assert all(problem.what.endswith(".") and not problem.what.endswith("..") for problem in proof.problems)
    assert any(
        str(problem).startswith('01-cable.md:8: the step "pair" is refused: ') and what in problem.what for problem in proof.problems
    )


def test_a_step_that_stays_solved_after_back_is_refused() -> None:
    """What is left behind by back makes the next try pass by itself."""
    state = {"ever": False}

    def sticky(request: Request, done: bool) -> Answer:
        state["ever"] = state["ever"] or done
        return Answer(PASS if state["ever"] else FAIL) if isinstance(request, Judge) else Answer()

    proof, _ = drive(small(), sticky)
    assert ["after it was taken back" in problem.what for problem in proof.problems] == [True]


def test_what_the_machine_cannot_do_is_skipped_with_its_reason() -> None:
    """No verdict on the step, and the reason is kept."""
    proof, asked = drive(small(), lambda request, done: Answer(skip="this kernel has no vxlan"))
    assert proof.problems == () and proof.proven == () and len(asked) == 1
    assert [reason for _, reason in proof.skipped] == ["this kernel has no vxlan"]


def test_commands_must_have_been_introduced() -> None:
    """A command that no page shows is told with its step; the same word on an earlier page is enough."""
    silent = read_course(files(cable=page())).course
    spoken = read_course(files(words=page(text_of(prose="Say `ip -n c1 link add ...`."), front=front("words")), cable=page())).course
    assert silent is not None and spoken is not None
    (found,) = unintroduced(silent)
    assert str(found).startswith('01-cable.md:8: the step "pair" needs `ip link add`')
    assert unintroduced(spoken) == ()


def test_the_course_of_the_post_introduces_all_it_needs() -> None:
    """No step of the shipped course needs a command that was never shown."""
    assert unintroduced(course()) == ()
