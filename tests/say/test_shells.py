"""What is said of shells that a lab keeps: whose they are, what became of them, and what to do."""

from __future__ import annotations

import time

import pytest

from netless.desk.shells import Owner, Shell
from netless.say import shells

OTHER, THIRD = Owner(7, "pts/3"), Owner(9)
NOW = time.mktime((2024, 5, 6, 14, 3, 0, 0, 0, -1))

@pytest.mark.parametrize(
    ("found", "told"),
    [
        ((), ""),
        ((Shell(1, "host", OTHER),), "S takes over the shell of the host from another tutor (process 7 on pts/3)."),
        (
            (Shell(1, "host", OTHER), Shell(2, "c1", OTHER), Shell(3, "c1", THIRD), Shell(4, "c1")),
            "S takes over the shells of c1 and the host from another tutor (process 7 on pts/3) and the shell of c1 from another tutor (process 9).",
        ),
        ((Shell(4, "c1"),), "S lists 1 more shell left from before, to go on with it."),
        ((Shell(4, "c1"), Shell(5, "c1", at=NOW)), "S lists 2 more shells left from before, to go on with them."),
    ],
)
def test_who_comes_is_told_of_what_is_elsewhere(found: tuple[Shell, ...], told: str) -> None:
    """By the key that has it; what somebody is at comes first, for that is what he misses."""
    assert shells.elsewhere(found, "S") == told

def test_a_new_shell_beside_another_says_so() -> None:
    """Only of one in the same node, and of none that is over."""
    found = (Shell(1, "host", OTHER), Shell(2, "c1"), Shell(3, "c2", at=NOW))
    assert "another tutor (process 7 on pts/3) has a shell of the host too: S, pressed outside" in shells.also_here(found, "host", "S")
    assert "another shell of c1 is left from before: S" in shells.also_here(found, "c1", "S")
    assert shells.also_here(found, "c2", "S") == shells.also_here(found, "c3", "S") == ""

@pytest.mark.parametrize(
    ("at", "code", "told"),
    [
        (NOW, None, "ended at 14:03, while nobody was at it"),
        (NOW, 0, "ended at 14:03 with exit code 0, while nobody was at it"),
        (NOW, -9, "ended at 14:03, killed by signal 9, while nobody was at it"),
        (NOW - 86400, 1, "ended at 14:03 on 2024-05-05 with exit code 1, while nobody was at it"),
    ],
)
def test_when_and_how_one_ended(at: float, code: int | None, told: str) -> None:
    """As far as it is known; the day where it was another."""
    assert shells.ended_alone(at, NOW + 60, code) == told

def test_a_list_says_whose_each_is_and_what_runs_there() -> None:
    """Each owner's together, then those that nobody is at, then those that are over; each is chosen by its number."""
    found = (Shell(5, "c1", at=NOW, code=3), Shell(4, "c1"), Shell(2, "host", OTHER, ("sleep 9", "ping ::1")), Shell(3, "c1", OTHER))
    listed = shells.rows_of(found)
    assert [row.value for row in listed if row.value] == ["3", "2", "4", "5"]
    text = [line.plain for row in listed for line in row.lines(200)]
    assert text[0] == "Another tutor (process 7 on pts/3) has these, and is told when you take one:"
    assert [line.split() for line in text[1:3]] == [["c1", "no", "program", "runs", "in", "it"], ["host", "runs", "sleep", "9,", "ping", "::1"]]
    assert text[3] == "Nobody is at these:" and "14:03" in text[6]

