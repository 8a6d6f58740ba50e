"""Many bridges: the bars stand where looking at every other bar would put them, and what that costs grows as their number does."""

from __future__ import annotations

import random
import sys
from types import FrameType
from typing import Any

import pytest

from helpers.snapshots import bridge, host, lab
from netless_lab.model.scene import lay_out
from netless_lab.model.scene.figure import Part
from netless_lab.model.scene.host_rows import stand
from netless_lab.model.snapshot import Snapshot


def bridges(count: int) -> Snapshot:
    """A lab whose host has so many bridges, each a port of the next, and nothing else."""
    return lab(host(*(bridge(f"br{number}", master=f"br{(number + 1) % count}") for number in range(count))))


def looked_up(given: list[list[int]], inner: int) -> list[tuple[int, int, int]]:
    """Span and column of each bar by comparing it with each other bar."""
    spans: list[tuple[int, int] | None] = [(rows[0], rows[-1]) if rows else None for rows in given]

    def free(row: int) -> bool:
        return 1 <= row <= inner and all(span is None or not span[0] <= row <= span[1] for span in spans)

    bare = spans.count(None)

    def spare(top: int, bottom: int) -> bool:
        return sum(free(row) and not top <= row <= bottom for row in range(1, inner + 1)) > bare

    for index, span in enumerate(spans):
        if span is not None:
            top, bottom = span
            while bottom - top < 2 and spare(top, bottom) and (free(bottom + 1) or free(top - 1)):
                top, bottom = (top, bottom + 1) if free(bottom + 1) else (top - 1, bottom)
            spans[index] = (top, bottom)
    for index, span in enumerate(spans):
        if span is None:
            gaps = [(size, row) for size in (3, 2, 1) for row in range(1, inner + 1) if all(free(row + i) for i in range(size))]
            size, row = gaps[0] if gaps else (1, 1)
            spans[index] = (row, row + size - 1)
    whole = [span for span in spans if span is not None]
    columns: list[list[tuple[int, int]]] = []
    found = [(0, 0, 0)] * len(whole)
    for index in sorted(range(len(whole)), key=lambda index: whole[index]):
        apart = 0 if given[index] else 1
        top, bottom = whole[index][0] - apart, whole[index][1] + apart
        column = next((c for c, here in enumerate(columns) if all(bottom < a or top > z for a, z in here)), len(columns))
        if column == len(columns):
            columns.append([])
        columns[column].append((top, bottom))
        found[index] = (column, *whole[index])
    return found


@pytest.mark.parametrize("seed", range(300))
def test_bars_stand_where_they_did(seed: int) -> None:
    """Each bar has the first column in which it meets no other, and one without ports touches none; its rows are those of its ports, stretched into
    what is free and no bar without ports needs.
    """
    chance = random.Random(seed)
    inner = chance.randint(3, 24)
    given = [sorted(chance.choices(range(1, inner + 1), k=chance.choice((0, 0, 1, 2, 5)))) for _ in range(chance.randint(2, 40))]
    bars = stand([(Part(("host", f"br{n}"), bridge(f"br{n}")), rows) for n, rows in enumerate(given)], inner, set())
    for bar, (column, top, bottom) in zip(bars, looked_up(given, inner), strict=True):
        assert (bar.column, bar.top, bar.bottom) == (column, min(top, bar.row), max(bottom, bar.row))


@pytest.mark.parametrize("size", [(80, 24), (300, 60)])
def test_twice_as_many_bridges_cost_about_twice(size: tuple[int, int]) -> None:
    """Counted in steps of Python's own machine: drawing grows with the number of bridges and not with its square."""
    width, height = size
    few, many = (steps(bridges(count), width, height) for count in (1500, 3000))
    assert many < 2.3 * few, (few, many)


def steps(snapshot: Snapshot, width: int, height: int) -> int:
    """Instructions that drawing this takes."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        lay_out(snapshot, width=width, height=height)
    finally:
        sys.settrace(before)
    return count
