"""What a picture, signs and places tell, in words alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app import story
from helpers.snapshots import lab, node
from netless.desk.reduce import reduce
from netless.desk.view import View
from netless.say.counted import listed
from netless.say.plain import rows
from netless.say.shells import built_anew
from netless.say.spoken import conditions, picture, place, step
from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict
from netless_lab.protocol import FaultStatus

HOLDS = Verdict("plug", "pass", (Item("pass", "veth1 is in `c1`"),))
LOST = Verdict("", "fail", (Item("fail", "c1 answers the host"),))
FAULT = FaultStatus("c1 does not answer the host.", drill=True, seconds=7.0, hints=1, hints_open=("Which links are up?",), verdict=LOST)


def at(status: protocol.Status) -> View:
    """What is known of a lab that stands so."""
    return reduce(View(joined=True), protocol.StatusEvent(status))


@pytest.mark.parametrize(("words", "told"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")])
def test_several_things_are_a_list(words: tuple[str, ...], told: str) -> None:
    """With one and."""
    assert listed(words) == told


def test_while_something_is_broken_that_is_where_one_is() -> None:
    """The step is not told, nor judged: what is noticed, how long it has been so, the help there was, and what the judge says of it."""
    view = at(replace(story.status(), verdict=HOLDS, fault=FAULT))
    told = "A drill, for 7 s, with 1 hint so far: c1 does not answer the host."
    assert place(view) == told
    assert [row.plain for row in rows(step(view, 60))] == [told, "Hint 1: Which links are up?"]
    assert [row.plain for row in rows(conditions(view.judged))] == ["Conditions that hold: 0 of 1.", "Not yet: c1 answers the host"]
    whole = at(replace(story.status(), verdict=HOLDS))
    assert place(whole).startswith("Step ") and next(row.plain for row in rows(conditions(whole.judged))) == "Conditions that hold: 1 of 1."


def test_a_broken_network_is_judged_for_itself() -> None:
    """Not by the step that was judged before it."""
    assert at(replace(story.status(), verdict=HOLDS, fault=FAULT)).judged is LOST
    assert at(replace(story.status(), verdict=HOLDS)).judged is HOLDS


def test_a_node_that_was_built_anew() -> None:
    """The host is called by what it is, a container by its name."""
    assert [built_anew(node) for node in ("host", "internet", "c1")] == [
        "The host was built anew", "The internet was built anew", "c1 was built anew",
    ]  # fmt: skip


def test_a_namespace_that_no_lesson_made_is_told_as_one() -> None:
    """And a container as a container."""
    told = [row.plain for row in rows(tuple(picture(lab(node("c1", "container"), node("decoy", "unknown")))))]
    assert [row for row in told if row.endswith(":")] == ["c1, a container:", "decoy, a namespace of its own:"]
