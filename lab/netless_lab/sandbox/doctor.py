"""What this machine can: a real room is made, everything the lessons use is tried in it, and what fails is explained.

Nothing is judged by what is installed or by version numbers where it can be tried; the room is gone when the report is there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from ..model.needs import NEEDS, Need
from ..room import PROGRAM_PATH
from .explain import explain_need, explain_start, lacks_program
from .facts import Facts, gather
from .limits import Limits
from .start import Boot, StartError
from .status import Failure, Stage
from .trial import Outcome, Told

CheckStatus = Literal["ok", "missing", "failed"]
"""``failed``: nothing works without it. ``missing``: the rest works without it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing this machine can or cannot do, and for what it is needed."""

    name: str
    status: CheckStatus
    detail: str = ""
    why: str = ""
    do: str = ""
    needed_for: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was tried, in order."""

    checks: tuple[Check, ...]
    usable: bool
    summary: str

    @property
    def missing(self) -> tuple[Check, ...]:
        """What is not there but can be done without."""
        return tuple(check for check in self.checks if check.status == "missing")


_STAGES: Final[dict[Stage, str]] = {
    "user namespace": "user namespace",
    "uid map": "being root inside",
    "namespaces": "network, pid, mount, uts and ipc namespaces",
    "mounts": "private directories over a read-only root",
    "proc and sys": "a /proc and /sys of its own",
    "system calls": "refusing needless system calls",
    "locked mounts": "mounts that cannot be undone inside",
    "agent": "starting the agent",
}
_ROOM: Final = {
    "read-only root": Need("the machine's files are safe", "every lab", essential=True),
    "machine's settings out of reach": Need("the machine's settings are safe", "every lab", essential=True),
    "filtered system calls": Need("needless system calls refused", "running what strangers wrote"),
    "writable /etc": Need("an /etc that can be changed", "steps about name resolution", "overlay", essential=True),
}
"""What a lab promises beside all that pages may need."""


def examine() -> Report:
    """Try everything; about 0.1 s. Never raises for what this machine cannot: that is in the report."""
    facts = gather()
    failure, told = _try_room()
    checks = (
        *room_checks(failure, facts),
        *(need_checks(told.outcomes, facts) if told else ()),
        *(limit_checks(told.limits, told.notes) if told else ()),
        *tool_checks(),
    )
    return conclude(checks)


def conclude(checks: tuple[Check, ...]) -> Report:
    """The report with its last sentence."""
    failed = [check for check in checks if check.status == "failed"]
    missing = [check for check in checks if check.status == "missing"]
    if failed:
        return Report(
            checks, False, f"netless cannot run a lab here: {failed[0].name}. " + (failed[0].do or failed[0].why or failed[0].detail)
        )
    if missing:
        names = ", ".join(check.name for check in missing)
        return Report(checks, True, f"netless works here. Not available: {names}.")
    return Report(checks, True, "netless works here, with everything.")


def room_checks(failure: Failure | None, facts: Facts) -> tuple[Check, ...]:
    """One check for each stage on the way into a room: good up to the one that failed, untried after it."""
    return tuple(_stage_checks(failure, facts))


def _stage_checks(failure: Failure | None, facts: Facts) -> Iterator[Check]:
    ended = False
    for stage, title in _STAGES.items():
        if failure is None or (failure.stage != stage and not ended and failure.stage in _STAGES):
            yield Check(title, "ok")
        elif not ended:
            ended = True
            advice = explain_start(failure, facts)
            yield Check(title, "failed", failure.text, advice.why, advice.do, "every lab")


def need_checks(outcomes: Iterable[Outcome], facts: Facts) -> tuple[Check, ...]:
    """What was tried inside the room. What a program had to try that is not there is told with the programs."""
    every = {**_ROOM, **NEEDS}
    return tuple(_need_check(every[outcome.name], outcome, facts) for outcome in outcomes if outcome.errno != errno.ENOENT or not every[outcome.name].program)


def _need_check(need: Need, outcome: Outcome, facts: Facts) -> Check:
    if not outcome.errno:
        return Check(need.title, "ok", outcome.text)
    advice = explain_need(need, outcome.errno, facts)
    return Check(need.title, "failed" if need.essential else "missing", outcome.text, advice.why, advice.do, need.used_for)


def limit_checks(limits: Limits, notes: tuple[str, ...]) -> tuple[Check, ...]:
    """What bounds a room, and what it had to do without."""
    bounded = Check("a limit against fork bombs", "ok" if limits.processes else "missing", str(limits))
    return (bounded, *(Check("a complete room", "missing", note) for note in notes))


def tool_checks(path: str | None = None) -> tuple[Check, ...]:
    """The programs that somebody types. None of them is needed by the tutor itself."""
    where = path if path is not None else f"{os.environ.get('PATH', '')}:{PROGRAM_PATH}"
    return tuple(_tool_check(need, shutil.which(need.program, path=where)) for need in NEEDS.values() if not need.of_kernel)


def _tool_check(need: Need, found: str | None) -> Check:
    if found:
        return Check(need.title, "ok", found)
    advice = lacks_program(need)
    return Check(need.title, "missing", "not installed", advice.why, advice.do, need.used_for)


def _try_room() -> tuple[Failure | None, Told | None]:
    """Make a room, run ``trial`` in it: why it could not be made, or what was told from inside."""
    reading, writing = os.pipe()
    try:
        with Boot(f"doctor-{os.getpid()}") as boot:
            starting = boot.become("netless_lab.sandbox.trial:main", pass_fds=(writing,))
    finally:
        os.close(writing)
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(open(reading, "rb"))
        try:
            starting.wait().close()
        except StartError as error:
            return error.failure, None
        return None, msgspec.json.decode(out.read(), type=Told)
