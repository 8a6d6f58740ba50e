"""What is fuzzed: a way to make inputs from a number, and what must hold for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Given:
    """One input; ``what`` says what it stands for where a target has several kinds (the file that is spoiled, the side that speaks)."""

    data: bytes
    what: str = ""


Check = Callable[[Given], None]
"""Raises for an input that breaks the contract. What the contract declares (a parser's own error) is caught in it."""


@dataclass(frozen=True)
class Target:
    """``make`` an input from a seeded source of numbers alone; ``opened`` is what checks it, with whatever that needs while it is open."""

    name: str
    make: Callable[[Random], Given]
    opened: Callable[[], AbstractContextManager[Check]]


def steady(check: Check) -> Callable[[], AbstractContextManager[Check]]:
    """For a check that needs nothing to be opened."""

    @contextmanager
    def opened() -> Iterator[Check]:
        yield check

    return opened
