"""The hops to choose from, as a list. Pure."""

from __future__ import annotations

from app import journeys
from netless.say.cells import cells
from netless.say.hops import hops_of


def test_hops_stand_in_columns() -> None:
    """What a hop says begins in one column, whatever its node and interface are called."""
    rows = [row for row in hops_of([journeys.HOME], "") if row.value]
    assert len(rows) == len(journeys.HOME.hops)
    assert len({len(f"{hop.node} {hop.link}") for hop in journeys.HOME.hops}) > 1
    assert len({cells(row.first.plain) for row in rows}) == 1
