"""A lab stands in one course. What belongs to another is answered in words, by every verb and both ways round, and spoils nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.command_line import Cli, own_name

pytestmark = pytest.mark.kernel

COURSE = """
format = 1
id = "mine"
title = "A course of one's own"
about = "Two bridges."
lessons = ["bridges", "switch"]
[world]
containers = []
"""
PAGE = """+++
format = 1
id = "{lesson}"
title = "{lesson}"
summary = "One bridge."
+++
A bridge.

## Make it

It is made.

```toml step
id = "{step}"
do = [{{ bridge = "{bridge}" }}]
expect = [{{ link = "{bridge}", kind = "bridge" }}]
hint = ["What makes a link?"]
```
"""


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one course, whose second lesson is called as one of the course that comes along."""
    root = tmp_path_factory.mktemp("lessons")
    (root / "mine").mkdir()
    (root / "mine" / "course.toml").write_text(COURSE)
    for number, (lesson, step) in enumerate((("bridges", "one"), ("switch", "two")), 1):
        (root / "mine" / f"{number:02d}-{lesson}.md").write_text(PAGE.format(lesson=lesson, step=step, bridge=f"br{number}"))
    return root


@pytest.fixture(scope="module")
def labs(lessons: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Cli]]:
    """A lab of each course, by the course's id."""
    made = {}
    for course in ("container", "mine"):
        made[course] = Cli(own_name(), tmp_path_factory.mktemp("state"))
        made[course].environment["NETLESS_LESSONS"] = str(lessons)
        made[course]("up", course)
    yield made
    for cli in made.values():
        cli("down")


def test_a_folder_of_courses_is_read(lessons: Path, tmp_path: Path) -> None:
    """``--lessons`` names it as the variable does, wherever it stands; without either there is only what came along."""
    cli = Cli(own_name(), tmp_path)
    cli.environment.pop("NETLESS_LESSONS", None)
    assert [course["id"] for course in cli.json("courses")] == ["container"]
    assert [course["id"] for course in cli.json("courses", "--lessons", str(lessons))] == ["container", "mine"]
    assert [course["id"] for course in cli.json(f"--lessons={lessons}", "courses")] == ["container", "mine"]
    refused = cli("courses", "--lessons", str(tmp_path / "nowhere"), code=2).stderr
    assert "nowhere" in refused and "no folder" in refused


def test_two_courses_of_one_name_are_refused(lessons: Path, tmp_path: Path) -> None:
    """A course that calls itself as one that comes along would hide it, or be hidden: the folder is named, and what to do."""
    other = tmp_path / "twice"
    other.mkdir()
    (other / "course.toml").write_text(COURSE.replace('id = "mine"', 'id = "container"'))
    for page in (lessons / "mine").glob("*.md"):
        (other / page.name).write_text(page.read_text())
    told = Cli(own_name(), tmp_path)("courses", "--lessons", str(tmp_path), code=2).stderr
    assert "container" in told and str(other) in told


@pytest.mark.parametrize(
    "words",
    [("goto", "mine/bridges"), ("goto", "mine", "--end"), ("check", "mine/bridges/one"), ("run", "mine/bridges/one"), ("run", "one"),
     ("goto", "bridges"), ("up", "mine")],
    ids=" ".join,
)  # fmt: skip
def test_the_other_course_is_told_for_what_it_is(labs: dict[str, Cli], words: tuple[str, ...]) -> None:
    """Exit code 2, which course this lab's is and how to open the other; afterwards the lab stands where it stood and goes on."""
    own = labs["container"]
    own("goto", "switch", "--end")
    told = own(*words, code=2).stderr
    assert "container" in told and "up mine" in told and "down" in told
    assert own.json("status")["position"].startswith("container/switch/")
    own("check", "container/switch")


@pytest.mark.parametrize("words", [("goto", "container/internet"), ("run", "cable/pair"), ("check", "internet"), ("up", "container")], ids=" ".join)
def test_and_the_other_way_round(labs: dict[str, Cli], words: tuple[str, ...]) -> None:
    """In a lab of one's own course the course that comes along is the other one."""
    told = labs["mine"](*words, code=2).stderr
    assert "mine" in told and "up container" in told
    assert labs["mine"].json("status")["position"].startswith("mine/")


def test_a_lesson_that_both_have_is_the_labs_own(labs: dict[str, Cli]) -> None:
    """``goto switch`` is answered from the lab's course, though the other has a lesson of that name too."""
    labs["mine"]("goto", "switch", "--end")
    assert labs["mine"].json("status")["position"] == "mine/switch/two"
    assert "br2" in labs["mine"]("exec", "host", "--", "ls", "/sys/class/net").stdout
    labs["container"]("goto", "switch")
    assert labs["container"].json("status")["position"].startswith("container/switch/")


@pytest.mark.parametrize("words", [("forwarding-off",), ("--seed", "7"), ()], ids=lambda words: " ".join(words) or "any")
def test_faults_of_another_course_are_refused(labs: dict[str, Cli], words: tuple[str, ...]) -> None:
    """Faults belong to a course, also where a lesson of the lab's own is called as the one they start from; nothing breaks."""
    own = labs["mine"]
    own("goto", "bridges", "--end")
    told = own("break", *words, code=2).stderr
    assert "course" in told and "mine" in told
    own("check", "bridges")


def test_a_course_without_containers_is_reset_too(labs: dict[str, Cli]) -> None:
    """Its own steps run, and a reset takes away what they made."""
    own = labs["mine"]
    own("goto", "bridges")
    own("run", "--all")
    assert "br1" in own("exec", "host", "--", "ls", "/sys/class/net").stdout
    own("reset", "lab", "--yes")
    assert "br1" not in own("exec", "host", "--", "ls", "/sys/class/net").stdout
