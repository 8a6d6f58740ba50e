"""Lesson pages and courses as text, for tests of their reader: a sound page that each test spoils in one place.

    page(step(id="plug", do='[{ move = "veth1", to = "c1" }]'))      one page
    course(cable=page(...), switch=page(...))                        the files of a course
"""

from __future__ import annotations

import pytest

from netless_lab.course.outline import start
from netless_lab.course.parse import parse_lesson
from netless_lab.course.problems import BadLesson
from netless_lab.course.step import World

WORLD = start(World(("c1",)))
FRONT = '+++\nformat = 1\nid = "cable"\ntitle = "A cable"\n+++'
SOUND = {
    "id": '"pair"',
    "do": '[{ veth = "veth1", peer = "veth2" }]',
    "expect": '[{ pair = "veth1", peer = "veth2" }]',
    "hint": '["Both ends are made at once."]',
}


def step(heading: str = "Make the cable", prose: str = "A cable has two ends.", **keys: str | None) -> str:
    """One step: the sound one with keys replaced by TOML text, or left out when None. Its block begins on the step's line 6."""
    block = "\n".join(f"{key} = {value}" for key, value in {**SOUND, **keys}.items() if value is not None)
    return f"## {heading}\n\n{prose}\n\n```toml step\n{block}\n```"


def page(*steps: str, front: str = FRONT, intro: str = "Words.") -> str:
    """A page: front matter on lines 1 to 5, the introduction on 6, the first heading on 8, its block's first key on 13."""
    return "\n\n".join((f"{front}\n{intro}", *(steps or (step(),)))) + "\n"


def front(lesson: str) -> str:
    """Front matter of a lesson with this id."""
    return FRONT.replace('"cable"', f'"{lesson}"')


def course(head: str | None = None, **pages: str) -> dict[str, str]:
    """The files of a course: ``course.toml`` and ``01-first.md`` ... in the given order."""
    lessons = ", ".join(f'"{name}"' for name in pages)
    text = f'format = 1\nid = "post"\ntitle = "The post"\nabout = "It."\nlessons = [{lessons}]\n\n[world]\ncontainers = ["c1"]\n'
    files = {f"{number:02d}-{name}.md": body for number, (name, body) in enumerate(pages.items(), 1)}
    return {"course.toml": head if head is not None else text, **files}


def refused(text: str, line: int, what: str, advice: str) -> None:
    """Assert that a page is refused by a problem at this line with these words, and that it and every other says what to do."""
    with pytest.raises(BadLesson) as caught:
        parse_lesson(text, "02-cable.md", WORLD)
    matching = [problem for problem in caught.value.problems if what in problem.what]
    assert matching, str(caught.value)
    assert matching[0].line == line, str(caught.value)
    assert advice in matching[0].advice, str(caught.value)
    assert str(matching[0]).startswith(f"02-cable.md:{line}: ")
    for problem in caught.value.problems:
        assert problem.advice or problem.what.startswith('"exact"'), str(problem)
