"""The shipped lessons as documents: they read without a problem, keep to the rules of a good page, and hold no code."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from netless_lab.course.folder import read_course
from netless_lab.course.step import Course, Step
from netless_lab.primitives.base import DIALECTS, Where
from netless_lab.sandbox.rootfs import EMPTY_RESOLV_CONF

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
COURSES = sorted(path.parent for path in LESSONS.glob("*/course.toml"))
EVERYDAY = frozenset({"ping", "echo"})
WORDS_OF_THE_CURIOUS = re.compile(r"\b(simply|obviously|just|trivial(ly)?|of course)\b", re.IGNORECASE)


def read(folder: Path) -> Course:
    """The course in a folder; fails with every problem of it."""
    reading = read_course({path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}, str(folder))
    assert not reading.problems, "\n".join(str(problem) for problem in reading.problems)
    assert reading.course is not None
    return reading.course


def steps(course: Course) -> list[tuple[str, Step]]:
    """Every step with its path, ``cable/plug``."""
    return [(f"{lesson.id}/{step.id}", step) for lesson in course.lessons for step in lesson.steps]


@pytest.fixture(scope="module", params=COURSES, ids=lambda path: path.name)
def course(request: pytest.FixtureRequest) -> Course:
    """Each shipped course in turn."""
    return read(request.param)


def test_there_are_courses() -> None:
    """The checkout ships at least the course of the post, with its five lessons in order."""
    assert "container" in {folder.name for folder in COURSES}
    assert [lesson.id for lesson in read(LESSONS / "container").lessons] == ["netless", "cable", "switch", "internet", "neighbour"]


def test_ids_are_unique_in_the_whole_course(course: Course) -> None:
    """A step can be named by its last word alone: ``netless goto plug``."""
    ids = [path.partition("/")[2] for path, _ in steps(course)]
    assert sorted(ids) == sorted(set(ids))


def test_every_step_says_enough(course: Course) -> None:
    """Prose of a screenful at most, one to three hints, a word of success."""
    for path, step in steps(course):
        words = len(re.sub(r"\n {4}.*", "", step.prose).split())
        assert 30 <= words <= 160, f"{path} has {words} words of prose"
        assert 1 <= len(step.hints) <= 3, f"{path} has {len(step.hints)} hints"
        assert step.success, f"{path} says nothing when it passes"


def test_no_step_only_waits_for_silence(course: Course) -> None:
    """A step always asks for something that is there; silence alone may be there before anything is done."""
    for path, step in steps(course):
        assert step.expect, path


def test_every_silence_is_answered_for(course: Course) -> None:
    """A probe that must not be answered says why, without a full stop: it is put into a sentence."""
    for path, step in steps(course):
        for check in step.probes:
            assert check.reply or (check.because and not check.because.endswith(".")), path


def test_the_next_to_last_rung_does_not_leave_the_learner_alone(course: Course) -> None:
    """The last written hint names a command or a rule in backticks."""
    for path, step in steps(course):
        assert "`" in step.hints[-1], path


def test_commands_are_introduced_before_they_are_needed(course: Course) -> None:
    """Every tool that a step's own solution uses stands in the prose of this or an earlier step (or its hints)."""
    where = Where(names={"c1": "c1", "c2": "c2"}, pids={"c1": 7, "c2": 8})
    told = " ".join(lesson.intro for lesson in course.lessons)
    for path, step in steps(course):
        told += f" {step.prose} {' '.join(step.hints)}"
        for action in step.do:
            for line in action.commands("ip", where):
                tool = line.split()[0]
                assert re.search(rf"\b{re.escape(tool)}\b", told) or tool in EVERYDAY, f"{path} needs {tool}, never spoken of"


def test_every_action_speaks_every_dialect(course: Course) -> None:
    """Each action of each step has at least one line in each dialect."""
    for path, step in steps(course):
        for action in step.do:
            for dialect in DIALECTS:
                assert all(action.commands(dialect, Where())), f"{path}: {action.sentence()} in {dialect}"


def test_nobody_is_talked_down_to(course: Course) -> None:
    """No word that makes a learner feel slow."""
    for path, step in steps(course):
        found = WORDS_OF_THE_CURIOUS.search(step.prose)
        assert found is None, f"{path} says {found.group() if found else ''!r}"


def test_pages_are_plain_text(course: Course) -> None:
    """ASCII quotes and no emoji: what is on the page can be typed."""
    for folder in COURSES:
        for page in folder.glob("*.md"):
            odd = {char for char in page.read_text(encoding="utf-8") if ord(char) > 126}
            assert not odd or len(page.suffixes) > 1, f"{page.name} holds {odd}"


def test_lessons_hold_no_code() -> None:
    """Content only: Markdown and TOML."""
    strangers = [path for path in LESSONS.rglob("*") if path.is_file() and path.suffix not in (".md", ".toml")]
    assert strangers == []


def test_a_course_survives_a_round_trip(course: Course) -> None:
    """The course can be sent to another process and compared: it is plain data all the way down."""
    assert msgspec.json.encode(course) == msgspec.json.encode(read(Path(course.path)))


def test_what_the_page_says_of_a_containers_resolv_conf_is_so() -> None:
    """A container begins with a file that has a line, and no server in it: it is not called empty."""
    (names,) = (step for key, step in steps(read(LESSONS / "container")) if key.endswith("names"))
    assert EMPTY_RESOLV_CONF.strip() and "nameserver" not in EMPTY_RESOLV_CONF
    assert "names no server" in names.prose.replace("\n", " ") and "empty" not in names.prose
