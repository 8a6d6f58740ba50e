"""Each target of ``./tests/run fuzz`` holds for the same few hundred cases every time; what a campaign finds is small and can be repeated."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from fuzz.campaign import Finding, broken_by, numbered, smallest
from fuzz.every import TARGETS
from fuzz.target import Given, Target, steady
from helpers.checkout import CHECKOUT

CASES = {"lessons": 150, "protocol": 300, "terminal": 150}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.kernel) if name == "protocol" else name for name in TARGETS])
def test_nothing_but_the_declared_errors(name: str) -> None:
    """Every case ends as its target's contract says."""
    found = [finding for finding in numbered(TARGETS[name], iter(range(CASES.get(name, 400)))) if finding is not None]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("name", TARGETS)
def test_the_same_number_makes_the_same_case(name: str) -> None:
    """A case is its number, in any process."""
    program = f"from random import Random; from fuzz.every import TARGETS; print(repr(TARGETS[{name!r}].make(Random(4711))))"
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(TARGETS[name].make(Random(4711)))


def _breaks(given: Given) -> None:
    if b"x" in given.data and given.data.count(b"y") > 1:
        raise KeyError("both")


def test_what_is_found_is_made_small() -> None:
    """Of a long input that breaks only what breaks it is left, and the report names the command that repeats it."""
    given = Given(b"a" * 500 + b"y" + b"b" * 300 + b"xcccy" + b"d" * 900)
    error = broken_by(_breaks, given)
    assert error is not None
    small = smallest(_breaks, given, error)
    assert sorted(small.data) == sorted(b"xyy")
    target = Target("sample", lambda dice: given, steady(_breaks))
    (finding,) = (found for found in numbered(target, iter(range(5))) if found is not None)
    assert isinstance(finding, Finding)
    assert "./tests/run fuzz sample --case 0" in str(finding) and "KeyError" in str(finding)


def test_the_command_tries_one_case() -> None:
    """``--case`` tries that one, and says how many were tried and what was found; an unknown name is refused with the known ones."""
    command = [sys.executable, str(CHECKOUT / "tests" / "fuzz")]
    done = subprocess.run([*command, "dns", "--case", "5"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "dns: 1 cases from 5 on, 0 findings\n"), done.stderr
    refused = subprocess.run([*command, "dsn"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "dsn" in refused.stderr and "packets" in refused.stderr
