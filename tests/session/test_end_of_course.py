"""At the end of the course every way on says which of its steps were never done, and where they are."""

from __future__ import annotations

import pytest

from helpers.running import Running
from netless_lab import protocol
from netless_lab.course.ending import not_done

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(
    ("titles", "told"),
    [
        ((), ""),
        (("A",), "Not done yet: 'A'. `goto c/l/A` goes there."),
        (("A", "B"), "Not done yet: 'A' and 'B'. `goto c/l/A` goes to the first of them."),
        (("A", "B", "C"), "Not done yet: 'A', 'B' and 'C'. `goto c/l/A` goes to the first of them."),
        (("A", "B", "C", "D"), "Not done yet: 'A', 'B', 'C' and 1 more. `goto c/l/A` goes to the first of them."),
        (("A", "B", "C", "D", "E"), "Not done yet: 'A', 'B', 'C' and 2 more. `goto c/l/A` goes to the first of them."),
    ],
)
def test_the_first_of_them_are_named(titles: tuple[str, ...], told: str) -> None:
    """And how many more there are; nothing is said when there are none."""
    assert not_done([(f"c/l/{title}", title) for title in titles]) == told


def test_the_end_names_what_was_never_done(lab: Running) -> None:
    """Whoever asks for the next step, or has the last one judged or done, is told; so is every screen that offers it. What was done is not named."""
    lab.reset("lab")
    lab.run("container/cable/pair")
    last = lab.status().course.lessons[-1]
    lab.goto(f"container/{last.id}/{last.steps[-1].id}", end=True)
    open_ = [(f"container/{own.id}/{step.id}", step.title) for own in lab.status().course.lessons for step in own.steps if not step.earned]
    assert len(open_) > 3 and "container/cable/pair" not in dict(open_)
    told = not_done(open_)
    for text in (lab.status().offers["next"], lab.client.ask(protocol.Next()).text, lab.client.ask(protocol.Check()).text):
        assert text == f"This was the last step of the course. {told}"
