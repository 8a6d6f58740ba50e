"""What a page of a step costs: it is told anew with every status."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from helpers.post import course
from helpers.snapshots import forward_drop, lab_with
from netless_lab.course.outline import placed
from netless_lab.course.progress import Progress
from netless_lab.course.step import Position
from netless_lab.model.snapshot import Snapshot
from netless_lab.primitives.base import Action
from netless_lab.session import pages
from netless_lab.session.state import State


def test_where_its_rules_have_to_stand_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sentences, commands and hints are of the same actions, and to place them every rule on the way is asked."""
    asked: list[Snapshot] = []

    def once(actions: Iterable[Action], now: Snapshot) -> tuple[Action, ...]:
        asked.append(now)
        return placed(actions, now)

    monkeypatch.setattr(pages, "placed", once)
    own = course()
    page = pages.step_page(State(own, Position("container", "internet", "door-out"), Progress()), lab_with(2, firewall=forward_drop('iifname "br0"')))
    assert len(asked) == 1 and page.sentences and page.commands[0].lines and page.hints_total > 1
