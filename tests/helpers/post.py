"""The shipped course of the post, and its steps by id."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from netless_lab.course.files import read_folder
from netless_lab.course.step import Course, Step

FOLDER = Path(__file__).resolve().parents[2] / "lessons" / "container"


@cache
def course() -> Course:
    """The course "container" of this checkout; fails with its problems."""
    reading = read_folder(FOLDER)
    assert reading.course is not None and not reading.problems, "\n".join(map(str, reading.problems))
    return reading.course


def step(path: str) -> Step:
    """``cable/plug`` as a step."""
    lesson, _, name = path.partition("/")
    found = next(own for own in course().lessons if own.id == lesson).step(name)
    assert found is not None, path
    return found


def steps_until(path: str) -> tuple[Step, ...]:
    """Every step of the course up to and with this one."""
    found: list[Step] = []
    for lesson in course().lessons:
        for own in lesson.steps:
            found.append(own)
            if f"{lesson.id}/{own.id}" == path:
                return tuple(found)
    raise AssertionError(path)
