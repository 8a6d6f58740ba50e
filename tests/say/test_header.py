"""The line at the top."""

from __future__ import annotations

import msgspec
import pytest

from app import story
from netless.desk.reduce import Joined, reduce
from netless.desk.view import View
from netless.say.header import header


def at(lesson: str, step: str) -> View:
    """Somebody at the second of four steps, in a lesson and a step of these names."""
    view = View()
    for event in (Joined("default"), *story.opening()):
        view = reduce(view, event)  # type: ignore[arg-type]
    assert view.status is not None
    page = msgspec.structs.replace(view.status.page, lesson_title=lesson, title=step)
    return msgspec.structs.replace(view, status=msgspec.structs.replace(view.status, page=page))


@pytest.mark.parametrize("width", range(60, 130))
def test_how_far_one_is_stays_when_names_go(width: int) -> None:
    """The ticks of the steps are there however long course and lesson are called, as long as the step's own name leaves room for them."""
    for lesson in ("A cable", "A container without a network at all", "A container without a network at all, and what it lacks"):
        line = header(at(lesson, "Give its namespace a name and look"), width).plain
        assert len(line) == width
        assert "●◐○○" in line and "2/4 Give its namespace a name and look" in line
