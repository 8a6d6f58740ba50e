"""Lists to choose from, in words alone: what signs and places tell on the screen stands behind a name."""

from __future__ import annotations

from app import story
from netless.desk.reduce import Joined, reduce
from netless.desk.view import View, known_courses
from netless.say import spoken


def view() -> View:
    """Somebody at the second step of a lesson whose first is done."""
    found = View()
    for event in (Joined("default"), *story.opening()):
        found = reduce(found, event)  # type: ignore[arg-type]
    return found


def test_lessons_and_steps_are_told_without_a_sign() -> None:
    """How many steps are done, which are, and where one is; no sign, no bar, and no second number before a name."""
    now = view()
    assert now.status is not None
    position = now.status.position
    rows = [*spoken.lessons(known_courses(now), position.rpartition("/")[0]), *spoken.steps(known_courses(now), position)]
    words = [row.content.plain for row in rows]
    assert all(not row.first and word.isascii() for row, word in zip(rows, words, strict=True)), words
    here = [word for word in words if word.endswith(", you are here")]
    assert here == ["A virtual cable, 1 of 4 steps done, you are here", f"{now.status.page.title}, you are here"]
    assert any(word.endswith(", done") for word in words)
