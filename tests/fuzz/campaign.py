"""Runs a target: so many cases, or for so long; what breaks is made small and told with the command that repeats it."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from types import FrameType
from typing import Final

from fuzz.target import Check, Given, Target

HANG_S: Final = 60.0
"""After so long a case is taken to hang: what works takes milliseconds, and a loaded machine may be slow."""
_SHRINK_S: Final = 20.0
_SHOWN: Final = 2000


class Hangs(BaseException):
    """A case that did not end; no check can take it for an error of its own."""


@dataclass(frozen=True)
class Finding:
    """A case that broke the contract, and the smallest input found that breaks it in the same way."""

    target: str
    case: int
    given: Given
    error: BaseException

    def __str__(self) -> str:
        shown = repr(self.given.data)
        shown = shown if len(shown) < _SHOWN else f"{shown[:_SHOWN]}... ({len(self.given.data)} bytes)"
        about = f" ({self.given.what})" if self.given.what else ""
        return (
            f"{self.target}, case {self.case}: {type(self.error).__name__}: {str(self.error)[:500]}\n"
            f"  at {_place(self.error)}\n  smallest input found{about}: {shown}\n"
            f"  again: ./tests/run fuzz {self.target} --case {self.case}"
        )


def numbered(target: Target, cases: Iterator[int]) -> Iterator[Finding | None]:
    """The finding of each case, None for one that holds. One that breaks in a way that was found before is None too."""
    known: set[str] = set()
    with target.opened() as check:
        for case in cases:
            given = target.make(Random(case))
            error = broken_by(check, given)
            kind = "" if error is None else f"{type(error).__name__} {_place(error)}"
            if error is None or kind in known:
                yield None
                continue
            known.add(kind)
            yield Finding(target.name, case, smallest(check, given, error), error)


def for_minutes(target: Target, minutes: float, first: int) -> tuple[int, tuple[Finding, ...]]:
    """How many cases were tried from the number ``first`` on, and what was found."""
    end = time.monotonic() + minutes * 60
    found: list[Finding] = []
    tried = 0
    for finding in numbered(target, itertools.takewhile(lambda _: time.monotonic() < end, itertools.count(first))):
        tried += 1
        if finding is not None:
            found.append(finding)
    return tried, tuple(found)


def broken_by(check: Check, given: Given) -> BaseException | None:
    """What the check raises, a hang included; None when the contract holds. An interrupt from the keyboard goes on up."""
    try:
        with _patience():
            check(given)
    except (Exception, Hangs) as error:
        return error
    return None


def smallest(check: Check, given: Given, error: BaseException) -> Given:
    """A smaller input that breaks in the same place: pieces are left out, half of it first, then less and less, for a bounded time."""
    if isinstance(error, Hangs):
        return given
    end = time.monotonic() + _SHRINK_S
    size = len(given.data) // 2
    while size:
        at = 0
        while at < len(given.data):
            less = replace(given, data=given.data[:at] + given.data[at + size :])
            if time.monotonic() > end:
                return given
            other = broken_by(check, less)
            if other is not None and type(other) is type(error) and _place(other) == _place(error):
                given = less
            else:
                at += size
        size //= 2
    return given


def _place(error: BaseException) -> str:
    """The innermost line of the traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "nowhere"


@contextmanager
def _patience() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise Hangs(f"did not end within {HANG_S:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
