"""The journal of progress: the newest whole line counts, whatever a crash tore."""

from __future__ import annotations

from netless_lab.course.journal import damaged, last, line
from netless_lab.course.progress import Progress

ONE = Progress().earn("container", "cable/pair", 1.0)
TWO = ONE.earn("container", "cable/plug", 2.0)


def test_the_newest_entry_counts() -> None:
    """Two changes were written: the second is the progress."""
    assert last(line(ONE) + line(TWO)) == TWO


def test_a_torn_entry_costs_itself_only() -> None:
    """Cut anywhere in the last entry, the one before it holds; an entry written after a torn one is whole again."""
    whole = line(ONE) + line(TWO)
    for cut in range(len(line(ONE)), len(whole) - 2):
        assert last(whole[:cut]) == ONE, cut
    assert last(line(ONE) + line(TWO)[:20] + line(TWO)) == TWO


def test_nothing_written_is_nothing() -> None:
    """An empty journal, or one of rubbish, holds no progress."""
    assert last(b"") is None and last(b"\n\nrubbish\n") is None


def test_damage_is_told_from_a_torn_end() -> None:
    """A line torn by a crash is no damage; rubbish in between, or nothing but rubbish, is."""
    whole = line(ONE) + line(TWO)
    assert not damaged(b"") and not damaged(whole) and not damaged(whole[:-40])
    assert damaged(line(ONE) + b"rubbish\n" + line(TWO)) and damaged(b"\x00\xff rubbish")
    assert damaged(line(ONE) + b"\nrubbish\n"), "a whole last line is no torn end"
