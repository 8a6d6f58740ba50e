"""Lint is proof: every step is tried in a throwaway lab, and one whose check cannot fail is refused.

The procedure is a generator that asks for one thing at a time (``Rebuild``, ``Judge``, ``Observe``, ``Perform``, ``Undo``) and is sent the
answer; whoever owns a lab runs it. Nothing here touches a kernel.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

import msgspec

from ..primitives.base import DIALECTS, Dialect
from .problems import Problem
from .step import Course, Position, Step, positions, step_at
from .verdict import Item, Verdict


class Rebuild(msgspec.Struct, frozen=True):
    """Bring the lab to the clean start of a step. Answer: ``Answer``; ``skip`` when this machine lacks what the step needs."""

    position: Position


class Judge(msgspec.Struct, frozen=True):
    """Judge the step as things are, probes included. Answer: ``Answer`` with the verdict."""

    position: Position


class Observe(msgspec.Struct, frozen=True):
    """Send the step's observations as things are, whatever its state. Answer: ``Answer`` with a verdict of just these."""

    position: Position


class Perform(msgspec.Struct, frozen=True):
    """Do the step: by the kernel half of its actions, or by typing its commands in one dialect. Answer: ``Answer``."""

    position: Position
    dialect: Dialect | None = None


class Undo(msgspec.Struct, frozen=True):
    """Take the step back, as ``netless back`` does. Answer: ``Answer``."""

    position: Position


Request = Rebuild | Judge | Observe | Perform | Undo


class Answer(msgspec.Struct, frozen=True):
    """What came of a request: a verdict for ``Judge``; ``error`` when it failed, ``skip`` when it cannot be tried here, in words."""

    verdict: Verdict | None = None
    error: str = ""
    skip: str = ""


class Proof(msgspec.Struct, frozen=True):
    """The result: what is wrong, which steps were proven, and which were left out and why."""

    problems: tuple[Problem, ...]
    proven: tuple[Position, ...]
    skipped: tuple[tuple[Position, str], ...] = ()


def prove(
    course: Course, places: Iterable[Position] | None = None, dialects: tuple[Dialect, ...] = DIALECTS
) -> Generator[Request, Answer, Proof]:
    """Prove steps (all of them, unless ``places`` says which). Drive it with ``send``; its return value is the proof."""
    problems: list[Problem] = []
    proven: list[Position] = []
    skipped: list[tuple[Position, str]] = []
    for place in positions(course) if places is None else places:
        trial = _Trial(course, place)
        reason = yield from trial.run(dialects)
        if reason:
            skipped.append((place, reason))
        elif trial.problems:
            problems.extend(trial.problems)
        else:
            proven.append(place)
    return Proof(tuple(problems), tuple(proven), tuple(skipped))


class _Trial:
    """The proof of one step."""

    def __init__(self, course: Course, place: Position) -> None:
        self.place = place
        self.step: Step = step_at(course, place)
        lesson = course.lesson(place.lesson)
        self.file = lesson.path if lesson else place.lesson
        self.problems: list[Problem] = []

    def run(self, dialects: tuple[Dialect, ...]) -> Generator[Request, Answer, str]:
        """Fails before, passes after, fails again after back, and every dialect gets there. Returns a reason to skip, or ""."""
        start = yield Rebuild(self.place)
        if start.skip:
            return start.skip
        if start.error:
            self._refuse(f"the steps before it cannot be done: {start.error}", "Mend those first.")
            return ""
        yield from self._must_fail("before anything is done")
        yield from self._must_be_seen("before anything is done", with_control=False)
        if not (yield from self._must_pass(None)):
            return ""
        yield from self._must_be_seen("done by its own actions", with_control=True)
        undone = yield Undo(self.place)
        if undone.error:
            self._refuse(f"it cannot be taken back: {undone.error}", "")
            return ""
        yield from self._must_fail("after it was taken back")
        for dialect in dialects:
            again = yield Rebuild(self.place)
            if again.error:
                self._refuse(f"its start cannot be rebuilt: {again.error}", "")
                return ""
            yield from self._must_pass(dialect)
        return ""

    def _must_fail(self, when: str) -> Generator[Request, Answer, None]:
        answer = yield Judge(self.place)
        verdict = answer.verdict
        if verdict is None:
            self._refuse(f"its check could not run {when}: {answer.error}", "")
        elif verdict.passed:
            advice = "A check that cannot fail teaches nothing: expect something that only this step brings about."
            self._refuse(f"its check passes {when}", advice)
        elif verdict.result == "error":
            advice = "Expect a state, or probe from a node that exists."
            self._refuse(f"its check can tell nothing {when}: {_first(verdict, 'error')}", advice)

    def _must_be_seen(self, when: str, *, with_control: bool) -> Generator[Request, Answer, None]:
        """What the page has the learner observe is so; before the step its control may still be lost, for the step may bring it."""
        if not any(check.demand == "observation" for check in self.step.probes):
            return
        answer = yield Observe(self.place)
        results = ("ahead", "error", "unknown") if with_control else ("ahead", "error")
        if answer.verdict is None:
            self._refuse(f"its observation could not be made {when}: {answer.error}", "")
        elif any(item.result in results for item in answer.verdict.items):
            advice = 'An observation shows why a step is needed: observe what stays silent until a later step, or write silence = "guard".'
            self._refuse(f"its observation is not to be seen {when}: {_first(answer.verdict, *results)}", advice)

    def _must_pass(self, dialect: Dialect | None) -> Generator[Request, Answer, bool]:
        how = f"by the commands of the dialect {dialect}" if dialect else "by its own actions"
        did = yield Perform(self.place, dialect)
        if did.error:
            self._refuse(f"it cannot be done {how}: {did.error}", "")
            return False
        answer = yield Judge(self.place)
        if answer.verdict is not None and answer.verdict.passed:
            return True
        told = _first(answer.verdict, "fail", "error", "waiting") if answer.verdict else answer.error
        self._refuse(f"done {how} it does not pass: {told}", "")
        return False

    def _refuse(self, what: str, advice: str) -> None:
        """``what`` may end in somebody else's sentence, with its full stop or without."""
        sentence = f'the step "{self.step.id}" is refused: {what.rstrip(" .")}.'
        self.problems.append(Problem(self.file, self.step.line, sentence, advice))


def _first(verdict: Verdict, *results: str) -> str:
    """The first item of these results, in words."""
    item: Item | None = next((item for item in verdict.items if item.result in results), None)
    return verdict.result if item is None else item.words
