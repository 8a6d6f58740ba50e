"""Several courses in one lab: it stands in one of them, goes to another in that one's world, and says for every verb which is which."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.command_line import Cli, begun

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

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


@pytest.fixture
def lab(lessons: Path, tmp_path: Path) -> Iterator[Cli]:
    """A lab that has both courses and stands in the one that comes along."""
    with begun(tmp_path, lessons=lessons) as cli:
        yield cli


def links(cli: Cli, node: str = "host") -> set[str]:
    """The interfaces of a node, as ip(8) says."""
    return {link["ifname"] for link in json.loads(cli("exec", node, "--", "ip", "-j", "link").stdout)}


def names(cli: Cli) -> list[str]:
    """The nodes there are, in their order."""
    return [node["name"] for node in cli.json("status")["nodes"]]


def test_a_folder_of_courses_is_read(cli: Cli, lessons: Path, tmp_path: Path) -> None:
    """``--lessons`` names it as the variable does, wherever it stands, and one course's folder too; without there is only what came along."""
    cli.environment.pop("NETLESS_LESSONS", None)
    assert [course["id"] for course in cli.json("courses")] == ["container"]
    assert [course["id"] for course in cli.json("courses", "--lessons", str(lessons))] == ["container", "mine"]
    assert [course["id"] for course in cli.json(f"--lessons={lessons}", "courses")] == ["container", "mine"]
    assert [course["id"] for course in cli.json("courses", "--lessons", str(lessons / "mine"))] == ["container", "mine"]
    refused = cli("courses", "--lessons", str(tmp_path / "nowhere"), code=2).stderr
    assert "nowhere" in refused and "no folder" in refused


def test_a_lab_that_runs_has_the_courses_it_began_with(lab: Cli, lessons: Path, tmp_path: Path) -> None:
    """Another folder is refused by saying which it has, whatever the verb; the same one, written otherwise, is not."""
    assert lab.json("status")["lessons"] == str(lessons)
    for verb in ("up", "run"):
        refused = lab(verb, "--lessons", str(tmp_path), code=2).stderr
        assert f"has the courses of {lessons}" in refused and "netless down" in refused
    lab("up", "--lessons", f"{lessons}/mine/..")


def test_a_course_that_cannot_be_used_is_named_and_the_others_go_on(cli: Cli, lessons: Path, tmp_path: Path) -> None:
    """One called as another, one that is no TOML, one whose only lesson is broken: each is listed with its folder and why, and asked for by
    name it is refused with that; a lab starts all the same, and the sound ones work.
    """
    for name, course, page in (
        ("twice", COURSE.replace('id = "mine"', 'id = "container"'), PAGE),
        ("torn", "format = ", PAGE),
        ("hollow", COURSE.replace('id = "mine"', 'id = "hollow"').replace(', "switch"', ""), PAGE.replace("bridge =", "brigde =")),
        ("mine", COURSE, PAGE),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "course.toml").write_text(course)
        (tmp_path / name / "01-bridges.md").write_text(page.format(lesson="bridges", step="one", bridge="br1"))
        (tmp_path / name / "02-switch.md").write_text(PAGE.format(lesson="switch", step="two", bridge="br2"))
    cli.environment["NETLESS_LESSONS"] = str(tmp_path)
    told = cli("courses")
    assert "mine" in told.stdout
    assert all(str(tmp_path / name) in told.stdout for name in ("twice", "torn", "hollow"))
    assert "TOML" in told.stderr and "another course is called" in told.stderr and "brigde" in told.stderr
    refused = cli("up", "torn", code=2).stderr
    assert "torn" in refused and "cannot be used" in refused and "course.toml:1" in refused
    cli("up", "mine")
    assert "brigde" in cli("goto", "hollow", code=2).stderr
    assert [course["id"] for course in cli.json("courses") if course["lessons"]] == ["container", "mine"]
    cli("goto", "container/switch", "--end")
    cli("check", "container/switch")


def test_the_tutor_on_a_lab_in_another_course_is_refused(lab: Cli) -> None:
    """``netless tutor mine`` says where the lab stands, and what was built there stays."""
    lab("exec", "host", "--", "ip", "link", "add", "own", "type", "bridge")
    said = lab.on_a_terminal("tutor", "mine", answer="", code=2)
    assert "mine" in said and "container" in said
    assert "own" in links(lab)


def test_goto_and_run_take_the_lab_to_another_course(lab: Cli) -> None:
    """Its world stands, with nothing left of the other; the list, the status and the check say where the lab is; and the same back again."""
    lab("goto", "switch", "--end")
    lab("exec", "host", "--", "ip", "link", "add", "left-over", "type", "bridge")
    assert "veth2" in links(lab) and names(lab) == ["host", "internet", "c1"]
    assert "mine/bridges/one" in lab("goto", "mine/bridges/one").stdout
    assert names(lab) == ["host", "internet"] and links(lab) == {"lo", "eth0"}
    status = lab.json("status")
    assert status["position"] == "mine/bridges/one" and status["course"]["id"] == "mine"
    assert "A course of one's own" in lab("status").stdout
    listed = lab("courses").stdout
    assert "mine  A course of one's own  (the lab is here, at mine/bridges/one)" in listed and listed.count("the lab is here") == 1
    lab("run", "--all")
    assert "br1" in links(lab)
    lab("run", "container/netless/name")
    assert lab.json("status")["position"] == "container/netless/name"
    assert names(lab) == ["host", "internet", "c1"] and links(lab) == {"lo", "eth0"}
    lab("check")
    lab("run", "mine/switch/two")
    assert links(lab) == {"lo", "eth0", "br1", "br2"}
    lab("goto", "container/switch", "--end")
    lab("check", "container/switch")


def test_names_mean_the_course_at_hand_first(lab: Cli) -> None:
    """Both have a lesson ``switch``: the one where the lab stands is meant. What only the other has is found there by its tail."""
    lab("goto", "switch")
    assert lab.json("status")["position"].startswith("container/switch/")
    lab("goto", "two")
    assert lab.json("status")["position"] == "mine/switch/two"
    lab("goto", "one")
    lab("goto", "switch", "--end")
    assert lab.json("status")["position"] == "mine/switch/two"
    lab("goto", "cable/pair")
    assert lab.json("status")["position"] == "container/cable/pair"


@pytest.mark.parametrize("words", [("check", "mine/bridges/one"), ("up", "mine")], ids=" ".join)
def test_what_only_the_other_world_can_answer_is_refused_with_the_way_there(lab: Cli, words: tuple[str, ...]) -> None:
    """Exit code 2, which course the lab stands in and what takes it to the other; afterwards it stands where it stood and goes on."""
    lab("goto", "switch", "--end")
    told = lab(*words, code=2).stderr
    assert "container" in told and f"goto {words[-1]}" in told
    assert lab.json("status")["position"].startswith("container/switch/")
    lab("check", "container/switch")


def test_ticks_places_and_names_are_kept_of_each_course(lab: Cli) -> None:
    """Of the course that was left the ticks show, where one stood is told on coming back, and the learner's own names are known again."""
    lab("goto", "cable/pair")
    lab("exec", "host", "--", "ip", "link", "add", "own1", "type", "veth", "peer", "name", "own2")
    lab("check")
    lab("next")
    lab("goto", "mine")
    lab("run")
    ticks = {course["id"]: [step["earned"] for lesson in course["lessons"] for step in lesson["steps"]] for course in lab.json("courses")}
    assert ticks["mine"] == [True, False] and sum(ticks["container"]) == 1
    assert "You were at container/cable/plug last" in lab("goto", "container").stdout
    lab("goto", "container/cable/plug")
    assert {"own1", "own2"} <= links(lab)
    assert {lab.json("status")["bindings"][name] for name in ("veth1", "veth2")} == {"own1", "own2"}


def test_a_new_lab_begins_in_the_course_where_the_learner_was(lab: Cli) -> None:
    """Whoever ends it, the agent killed included: the next one stands in that course, in its world, and says what is not there."""
    lab("goto", "mine")
    lab("run")
    os.kill(int(lab.json("status")["agent_pid"]), signal.SIGKILL)
    lab("up")
    status = lab.json("status")
    assert status["position"] == "mine/switch/two" and names(lab) == ["host", "internet"]
    assert any("mine/switch/two" in note for note in status["notices"])
    lab("down")
    lab("up", "container")
    assert lab.json("status")["position"].startswith("container/")
    lab("down")
    lab("up")
    assert lab.json("status")["position"].startswith("container/")


@pytest.mark.parametrize("words", [("forwarding-off",), ("--seed", "7"), ()], ids=lambda words: " ".join(words) or "any")
def test_faults_of_another_course_are_refused(lab: Cli, words: tuple[str, ...]) -> None:
    """Faults belong to a course, also where a lesson of the lab's own is called as the one they start from; nothing breaks."""
    lab("goto", "bridges", "--end")
    told = lab("break", *words, code=2).stderr
    assert "course" in told and "mine" in told
    lab("check", "bridges")


def test_a_drill_ends_where_another_course_begins(lab: Cli) -> None:
    """It counts as given up, nothing of it is left in the other course, and back in the first nothing is broken."""
    lab("break", "forwarding-off", "--drill")
    assert "forward" in lab("goto", "mine/bridges").stdout
    lab("run")
    assert lab.json("status")["fault"] is None
    lab("goto", "container/neighbour", "--end")
    lab("check", "container/neighbour")


def test_the_script_of_a_session_says_which_course_it_is_of(lab: Cli) -> None:
    """It is made for a fresh lab of that course, and holds nothing of the one before."""
    lab("goto", "cable", "--end")
    lab("goto", "mine/bridges", "--end")
    script = lab("history", "--script").stdout
    assert "netless up mine" in script.splitlines()[1] and "br1" in script and "veth" not in script


def test_a_course_without_containers_is_reset_too(lab: Cli) -> None:
    """Its own steps run, and a reset takes away what they made and stays in the course."""
    lab("goto", "bridges")
    lab("run", "--all")
    assert "br1" in links(lab)
    lab("reset", "lab", "--yes")
    assert links(lab) == {"lo", "eth0"} and lab.json("status")["position"] == "mine/bridges/one"


@pytest.mark.parametrize(("words", "chosen"), [((), False), (("container",), True)])
def test_a_course_that_was_asked_for_is_chosen(cli: Cli, words: tuple[str, ...], chosen: bool) -> None:
    """The tutor offers no choice then; without, the lab stands in the first of all, until the learner goes somewhere."""
    cli("up", *words)
    assert cli.json("status")["chosen"] == chosen
    cli("goto", "container/cable")
    assert cli.json("status")["chosen"]
