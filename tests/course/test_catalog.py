"""Naming a step: in full, by any unique end, and with the nearest names when it is none."""

from __future__ import annotations

import pytest

from netless_lab.course.catalog import resolve
from netless_lab.course.step import Course, Lesson, Position, Step
from netless_lab.errors import Refusal


def lesson(name: str, *steps: str) -> Lesson:
    """A lesson of bare steps."""
    return Lesson(name, name, "", tuple(Step(own, own, "", (), ()) for own in steps))


COURSES = (
    Course("container", "", "", (lesson("cable", "pair", "plug"), lesson("switch", "bridge", "port", "switch"), lesson("empty"))),
    Course("ports", "", "", (lesson("publish", "pair", "dnat"), lesson("switch", "dnat"))),
)
HERE = Position("container", "cable", "pair")


@pytest.mark.parametrize(
    ("text", "wanted", "count"),
    [
        ("container", "container", 5),
        ("container/cable", "container/cable", 2),
        ("container/cable/plug", "container/cable/plug", 1),
        ("cable/plug", "container/cable/plug", 1),
        ("plug", "container/cable/plug", 1),
        ("cable", "container/cable", 2),
        ("publish/pair", "ports/publish/pair", 1),
        (" plug/ ", "container/cable/plug", 1),
        ("container/switch", "container/switch", 3),
    ],
)
def test_a_place_has_many_names(text: str, wanted: str, count: int) -> None:
    """Courses, lessons and steps, in full or by a unique end; the target knows its steps in order."""
    target = resolve(COURSES, text)
    assert str(target) == wanted and len(target.positions) == count


def test_what_is_near_wins() -> None:
    """"pair" is in two courses: where one stands decides, the lesson before the course."""
    assert str(resolve(COURSES, "pair", HERE)) == "container/cable/pair"
    assert str(resolve(COURSES, "pair", Position("ports", "publish", "dnat"))) == "ports/publish/pair"
    assert str(resolve(COURSES, "dnat", Position("ports", "switch", "dnat"))) == "ports/switch/dnat"
    assert str(resolve(COURSES, "switch", Position("ports", "publish", "dnat"))) == "ports/switch"


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("plgu", ("container/cable/plug",)),
        ("contaner", ("container",)),
        ("container/cabel", ("container/cable",)),
        ("container/cable/plag", ("container/cable/plug",)),
        ("cabel/plug", ("container/cable/plug",)),
    ],
)
def test_a_slip_gets_the_nearest_names(text: str, nearest: tuple[str, ...]) -> None:
    """Exit code 2, the names that were probably meant, and a sentence that says so."""
    with pytest.raises(Refusal) as caught:
        resolve(COURSES, text)
    assert caught.value.code == 2 and caught.value.nearest[: len(nearest)] == nearest
    assert f'no lesson or step "{text}". Did you mean "{nearest[0]}"' in str(caught.value)


def test_an_end_that_fits_several_places_lists_them() -> None:
    """Without a place to stand at, both are named."""
    with pytest.raises(Refusal, match="say which") as caught:
        resolve(COURSES, "pair")
    assert caught.value.nearest == ("container/cable/pair", "ports/publish/pair")
    with pytest.raises(Refusal, match="say which"):
        resolve(COURSES, "container/switch/switch/x".removesuffix("container/switch/switch/x") + "switch", HERE)


@pytest.mark.parametrize("text", ["", "/", "   "])
def test_nothing_is_no_name(text: str) -> None:
    """An empty name is refused in words."""
    with pytest.raises(Refusal, match="no step was named"):
        resolve(COURSES, text)


def test_a_name_like_none() -> None:
    """When nothing is near, nothing is offered."""
    with pytest.raises(Refusal) as caught:
        resolve(COURSES, "zzzzzz")
    assert caught.value.nearest == ()


def test_a_lesson_without_steps_cannot_be_gone_to() -> None:
    """It is named, but there is nowhere to stand."""
    with pytest.raises(Refusal, match="has no steps"):
        resolve(COURSES, "empty")
