"""Fault files: whatever is done to one, reading it ends in a fault or in problems with a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from fuzz.mutate import SPLINTERS, mutated
from fuzz.target import Check, Given, Target
from netless_lab.course.files import shipped
from netless_lab.drill.format import read_faults
from netless_lab.drill.library import listed

FOLDER = Path(__file__).resolve().parents[2] / "lessons" / "faults"
FILES = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.toml"))}


def make(dice: Random) -> Given:
    """One file, spoiled."""
    name = dice.choice(tuple(FILES))
    return Given(mutated(FILES[name], dice, SPLINTERS), name)


@contextmanager
def opened() -> Iterator[Check]:
    """With the courses that come along."""
    courses = shipped()

    def check(given: Given) -> None:
        text = given.data.decode(errors="replace")  # what is no UTF-8 at all is refused where files are read (lessons)
        for node in ("c1", "c2"):
            reading = read_faults({given.what: text}, courses, node)
            assert reading.faults or reading.problems
            for problem in reading.problems:
                assert problem.line >= 1 and str(problem)
            listed(reading.faults)

    yield check


TARGET = Target("faults", make, opened)
