"""Whatever is done to a page, reading it ends in a lesson or in problems with lines: never in anything else."""

from __future__ import annotations

import random

import pytest

from helpers.post import FOLDER
from netless_lab.course.folder import read_course
from netless_lab.course.outline import start
from netless_lab.course.parse import parse_lesson
from netless_lab.course.problems import BadLesson
from netless_lab.course.step import World

PAGES = sorted(FOLDER.glob("*.md"))
SPLINTERS = [
    '"',
    "{",
    "}",
    "[",
    "]",
    "+++",
    "\n## ",
    "```",
    "```toml step\n",
    " = ",
    ",",
    "\x00",
    "é",
    "-1",
    "1e999",
    "inf",
    "2020-01-01",
    "'''",
    "true",
    "/",
]


def spoiled(text: str, dice: random.Random) -> str:
    """One to four cuts, swaps or splinters somewhere in the text."""
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(text))
        match dice.randrange(4):
            case 0:
                text = text[:place] + text[place + dice.randint(1, 40) :]
            case 1:
                text = text[:place] + dice.choice(SPLINTERS) + text[place:]
            case 2:
                lines = text.split("\n")
                one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
                lines[one], lines[other] = lines[other], lines[one]
                text = "\n".join(lines)
            case _:
                words = text.split(" ")
                words[dice.randrange(len(words))] = dice.choice(SPLINTERS)
                text = " ".join(words)
        text = text or "x"
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_spoiled_pages(page) -> None:  # type: ignore[no-untyped-def]
    """A hundred and fifty spoiled copies of each shipped page: problems stand at lines that the page has, and have words."""
    dice = random.Random(page.stem)
    text = page.read_text(encoding="utf-8")
    world = start(World(("c1", "c2")))
    for _ in range(150):
        copy = spoiled(text, dice)
        try:
            parse_lesson(copy, page.name, world)
        except BadLesson as error:
            assert error.problems
            for problem in error.problems:
                assert 1 <= problem.line <= copy.count("\n") + 1 and problem.what, copy


def test_spoiled_courses() -> None:
    """The same for course.toml with all its pages."""
    files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    dice = random.Random("course")
    for _ in range(100):
        reading = read_course({**files, "course.toml": spoiled(files["course.toml"], dice)})
        assert reading.course is not None or reading.problems
