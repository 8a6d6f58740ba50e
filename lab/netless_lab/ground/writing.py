"""The one way in which anything is written to a ground: planned, written down, done. Whether it came to what was planned, who looks can say."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ApplyError
from ..kernel.apply import Applier, refused
from ..kernel.prompt import type_in, typed_as
from ..kernel.toolbox import Launcher, Resolve
from ..model.snapshot import Snapshot
from ..primitives.base import Action
from ..primitives.run import Run
from .ledger import Begun, Done, Ledger, Refused, TakenBack, agreed, standing
from .plan import Plan, Planned


def check(made: Plan) -> None:
    """Raises ApplyError, as the kernel would refuse it, when an action of a plan cannot be done once those before it are."""
    if made.lacking is not None:
        raise refused(made.lacking.action, made.lacking.why, made.lacking.errno)


class Writer:
    """Carries plans out. Not thread-safe, as the Applier is not: for the one thread that changes the ground."""

    def __init__(self, resolve: Resolve, launcher: Launcher, ledger: Ledger) -> None:
        """``resolve`` gives the way to a node by its name, or raises; ``launcher`` starts and ends containers."""
        self._applier = Applier(resolve, launcher)
        self._ledger = ledger
        self._number = 0

    def warm_up(self) -> None:
        """Make the first action as quick as the others."""
        self._applier.warm_up()

    def close(self) -> None:
        """Let every socket go; in the thread that wrote."""
        self._applier.close()

    @property
    def number(self) -> int:
        """Of the newest line: what comes later was written after now."""
        return self._number

    def write(self, made: Plan) -> None:
        """Do all of a plan, each action written down before it is done. Raises ApplyError: before anything is touched when one is lacking, else
        at the first that the kernel refuses.
        """
        check(made)
        try:
            self._applier.apply_all(self._written_down(made.steps))
        except ApplyError as error:
            self._ledger.write(Refused(self._number, str(error)))
            raise

    def take_back(self, since: int, now: Snapshot) -> None:
        """Undo what was done after the line ``since``, the newest first, as far as ledger and kernel agree. Raises ApplyError."""
        for line in standing(self._ledger.lines()):
            if line.number > since:
                undo: list[Action] = list(agreed(line, now))
                self._applier.apply_all(undo)
                self._ledger.write(TakenBack(line.number))
                for action in undo:
                    now = action.outline(now)

    def type_in(self, text: str, *, python: bool) -> str:
        """Type the lines of a page at a shell prompt of the host, or a program at Python's; what went wrong, in words, or "".

        Of a command line nothing is foretold, and nothing takes it back (``Run``); who has it typed judges what it came to.
        """
        typed = Run(typed_as(text, python=python))
        self._number += 1
        self._ledger.write(Begun(self._number, typed, typed.inverse()))
        problem = type_in(text, python=python)
        self._ledger.write(Refused(self._number, problem) if problem else Done(self._number))
        return problem

    def _written_down(self, steps: tuple[Planned, ...]) -> Iterator[Action]:
        for step in steps:
            self._number += 1
            self._ledger.write(Begun(self._number, step.action, step.undo))
            yield step.action
            self._ledger.write(Done(self._number))
