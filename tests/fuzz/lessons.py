"""Courses: whatever is done to a file of one, reading its folder ends in lessons or in problems with a file and a line."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from fuzz.mutate import SPLINTERS, mutated
from fuzz.target import Check, Given, Target
from netless_lab.course.files import read_folder
from netless_lab.course.hints import offer
from netless_lab.course.outline import lesson_actions, outline, start
from netless_lab.course.step import Course
from netless_lab.primitives.base import DIALECTS, Where

FOLDER = Path(__file__).resolve().parents[2] / "lessons" / "container"
FILES = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in (".md", ".toml")}
MARKS = (
    b"\n+++\n", b"\n```toml step\n", b"\n```\n", b"\n## ", b"do = [{ run = 5 }]", b"do = [{}]", b"expect = [[]]", b"probe = [{ ping = [] }]",
    b"id = []", b"[table]\n", b"a.b.c.d = 1\n", b"[[do]]\n", b'undoes = ["x"]', b'probe = [{ ping = "", from = "" }]',
)  # fmt: skip


def make(dice: Random) -> Given:
    """One file of the course, spoiled."""
    name = dice.choice(tuple(FILES))
    return Given(mutated(FILES[name], dice, (*SPLINTERS, *MARKS)), name)


@contextmanager
def opened() -> Iterator[Check]:
    """With a copy of the course."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "container"
        shutil.copytree(FOLDER, folder)

        def check(given: Given) -> None:
            (folder / given.what).write_bytes(given.data)
            try:
                reading = read_folder(folder)
            finally:
                (folder / given.what).write_bytes(FILES[given.what])
            assert reading.course is not None or reading.problems
            for problem in reading.problems:
                assert problem.file and problem.line >= 1 and str(problem)
            if reading.course is not None:
                _use(reading.course)

        yield check


def _use(course: Course) -> None:
    """What a lab does with a course that was read."""
    for lesson in course.lessons:
        outline(start(course.world), lesson_actions(course, lesson.id))
        for step in lesson.steps:
            offer(step, None, set(), ("the command",))
            for action in step.do:
                assert action.sentence()
                for dialect in DIALECTS:
                    action.commands(dialect, Where("host"))


TARGET = Target("lessons", make, opened)
