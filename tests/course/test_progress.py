"""Progress: earned by passing, kept by ids, whole after any crash, and compared with the kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from helpers.post import course
from helpers.snapshots import container, edit, host, internet, lab, lab_with, uplink
from netless_lab.course.bindings import Bindings
from netless_lab.course.further import difference, in_words
from netless_lab.course.progress import MOST, BadProgress, DrillRecord, Progress, StepRecord, decode, encode
from netless_lab.course.saved import load, progress_path, save, saver
from netless_lab.course.step import Position
from netless_lab.errors import Refusal

HERE = Position("container", "cable", "plug")
FULL = (
    Progress()
    .earn("container", "cable/pair", 100.0)
    .earn("container", "cable/plug", 200.0, by_tutor=True)
    .hinted("container", "cable/plug", 2)
    .at(HERE)
    .bound("container", Bindings(links={"veth1": "left"}, nets={"10.0.0.0/24": "192.168.7.0/24"}))
    .speaking("legacy")
    .drilled(DrillRecord("forwarding-off", "solved", 300.0, 14.2, seed=11, hints=1))
)


def test_it_survives_its_file() -> None:
    """Everything in a progress comes back from its JSON, which is readable and says its format."""
    assert decode(encode(FULL)) == FULL
    assert json.loads(encode(FULL))["format"] == 1


def test_a_file_without_drills_is_read(tmp_path: Path) -> None:
    """One that was written before drills were kept has none, and loses nothing."""
    older = json.loads(encode(FULL))
    del older["drills"]
    (tmp_path / "older.json").write_text(json.dumps(older))
    loaded = load(tmp_path / "older.json")
    assert loaded.notice == "" and loaded.progress == msgspec.structs.replace(FULL, drills=())


def test_drills_of_both_count_once() -> None:
    """Merged they stand in the order of time, and one that both know stands there once."""
    later = DrillRecord("port-down", "gave up", 500.0, 60.0, node="c1", exam=True)
    theirs = Progress().drilled(DrillRecord("port-down", "solved", 200.0, 9.0)).drilled(FULL.drills[0])
    assert [record.at for record in FULL.drilled(later).merged(theirs).drills] == [200.0, 300.0, 500.0]


def test_a_tick_stays_and_the_first_time_counts() -> None:
    """Passing again counts who did it and never moves the time; starting over keeps ticks and hints."""
    again = FULL.earn("container", "cable/pair", 900.0, by_tutor=True)
    assert again.step("cable/pair", "container") == StepRecord(100.0, 0, 1, 1)
    fresh = again.started_over("container")
    assert fresh.earned("cable/pair", "container") and fresh.opened("cable/plug", "container") == 2
    assert fresh.position("container") is None and fresh.bindings("container") == Bindings()


def test_only_passing_earns() -> None:
    """Opening every hint, the command included, marks nothing as solved; neither does standing at a later step."""
    looked = Progress().hinted("container", "cable/pair", 3).at(HERE)
    assert not looked.earned("cable/pair", "container") and looked.opened("cable/pair", "container") == 3


def test_an_early_repair_marks_nothing_later() -> None:
    """Earning the first step again changes that step alone."""
    repaired = FULL.earn("container", "cable/pair", 300.0)
    changed = {place for place, record in repaired.course("container").steps.items() if record != FULL.step(place, "container")}
    assert changed == {"cable/pair"}


def test_opened_hints_never_close() -> None:
    """A smaller number does not take rungs back."""
    assert FULL.hinted("container", "cable/plug", 1).opened("cable/plug", "container") == 2


def test_a_lesson_update_keeps_every_tick() -> None:
    """Ids are what counts: a step inserted before, and steps that are gone, leave the others as they were."""
    old = FULL.earn("container", "cable/long-gone", 5.0).earn("other-course", "a/b", 6.0)
    kept = decode(encode(old)).at(Position("container", "cable", "new-step"))
    assert kept.earned("cable/pair", "container") and kept.earned("cable/long-gone", "container") and kept.earned("a/b", "other-course")
    assert not kept.earned("cable/new-step", "container")
    assert kept.done("container", ["cable/pair", "cable/new-step"]) == 1


def test_export_here_import_there() -> None:
    """Two machines' progress together: a tick of either counts, the earlier time holds, the place is the imported one."""
    there = Progress().earn("container", "cable/pair", 50.0).earn("container", "netless/name", 60.0)
    joined = there.merged(decode(encode(FULL)))
    assert joined.step("cable/pair", "container").earned == 50.0
    assert joined.earned("netless/name", "container") and joined.earned("cable/plug", "container")
    assert joined.position("container") == HERE and joined.dialect == "legacy"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b'{"format": 1, "courses": ', "not JSON"),
        (b'{"format": 2}', "from a newer netless"),
        (b'{"courses": {}}', 'does not say "format": 1'),
        (b"[1]", "not JSON"),
        (b'{"format": 1, "dialect": "klingon"}', "no netless progress"),
        (b'{"format": 1, "courses": {"a": {"steps": {"b": {"earned": "yes"}}}}}', "no netless progress"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_a_broken_file_is_set_aside_and_told(data: bytes, why: str, tmp_path: Path) -> None:
    """Nothing is lost: the file is kept beside, its name is told, and a new progress begins."""
    with pytest.raises(BadProgress, match=why):
        decode(data)
    path = tmp_path / "default.json"
    path.write_bytes(data)
    loaded = load(path)
    assert loaded.progress == Progress() and why in loaded.notice and str(path) + ".broken" in loaded.notice
    assert Path(str(path) + ".broken").read_bytes() == data and not path.exists()
    path.write_bytes(data)
    load(path)
    assert Path(str(path) + ".broken2").exists()


@pytest.mark.parametrize("at", [1e300, -1e300, -1.0, 253402300800.0])
@pytest.mark.parametrize("place", ["earned", "at", "seconds"])
def test_a_time_that_no_calendar_has_is_no_progress(place: str, at: float, tmp_path: Path) -> None:
    """It is refused when a lab wants it kept, and set aside when it is in the file."""
    drill = {"fault": "f", "result": "solved", "at": 1.0, "seconds": 1.0, **({place: at} if place != "earned" else {})}
    step = {"earned": at if place == "earned" else 1.0}
    data = json.dumps({"format": 1, "courses": {"c": {"steps": {"l/s": step}}}, "drills": [drill]}).encode()
    path = tmp_path / "lab.json"
    with pytest.raises(BadProgress):
        saver(str(path))(data)
    assert not path.exists()
    path.write_bytes(data)
    loaded = load(path)
    assert loaded.progress == Progress() and "kept as" in loaded.notice, loaded


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    """A compact document that is larger than the limit when it is written down is refused; what was kept before stays."""
    path = tmp_path / "lab.json"
    save(path, FULL)
    compact = json.dumps({"format": 1, "courses": {str(number): {} for number in range(70000)}}, separators=(",", ":")).encode()
    assert len(compact) < MOST
    with pytest.raises(BadProgress, match="larger"):
        saver(str(path))(compact)
    assert load(path).progress == FULL


def test_saving_makes_folders_and_leaves_no_crumbs(tmp_path: Path) -> None:
    """The folder is made, the file is whole, and no temporary file stays."""
    path = progress_path("default", {"XDG_STATE_HOME": str(tmp_path / "state")})
    assert path == tmp_path / "state" / "netless" / "default.json"
    save(path, FULL)
    assert load(path).progress == FULL and load(path).notice == ""
    assert [own.name for own in path.parent.iterdir()] == ["default.json"]


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the last moment: the old file is untouched, no crumb is left, and the error is told."""
    path = tmp_path / "default.json"
    save(path, FULL)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(path, Progress())
    assert load(path).progress == FULL
    assert [own.name for own in tmp_path.iterdir()] == ["default.json"]


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    """A process that saves in a loop is killed ten times: the file always reads, as one of the values written."""
    path = tmp_path / "default.json"
    script = (
        "import sys, pathlib\n"
        "from netless_lab.course.saved import save\n"
        "from netless_lab.course.progress import Progress\n"
        "p = pathlib.Path(sys.argv[1]); n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    save(p, Progress().earn('c', f's/{n % 7}', float(n)))\n"
        "    print(n, flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for round_ in range(10):
        with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, env=environment) as writer:
            assert writer.stdout is not None
            for _ in range(3 + round_):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        loaded = load(path)
        assert loaded.notice == "" and len(loaded.progress.course("c").steps) == 1


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"HOME": "/home/a"}, "/home/a/.local/state/netless/default.json"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "relative"}, "/home/a/.local/state/netless/default.json"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/s"}, "/s/netless/default.json"),
    ],
)
def test_where_progress_lives(environment: dict[str, str], wanted: str) -> None:
    """XDG: an absolute XDG_STATE_HOME, else ~/.local/state."""
    assert str(progress_path("default", environment)) == wanted


@pytest.mark.parametrize("lab_name", ["", "a/b", ".hidden", "../up"])
def test_a_lab_name_is_a_file_name(lab_name: str) -> None:
    """Names that would leave the folder are refused in words."""
    with pytest.raises(Refusal, match="cannot name a lab"):
        progress_path(lab_name, {"HOME": "/h"})


EARNED = ["netless/loopback", "cable/pair", "cable/plug", "cable/address", "cable/switch-on", "switch/bridge", "switch/port"]


def test_after_a_reboot_the_kernel_holds_nothing() -> None:
    """Progress says seven steps, the lab is new: every one is missing, in order, and one sentence says so."""
    empty = lab(host(uplink()), container("c1", lo_up=False), internet())
    missing = difference(course(), EARNED, empty)
    assert [f"{own.position.lesson}/{own.position.step}" for own in missing] == EARNED
    assert "counts 7 steps" in in_words(missing, 7) and "the kernel holds nothing" in in_words(missing, 7)


def test_one_thing_taken_away_is_named() -> None:
    """A passed link broken by hand: that step alone is named with what was seen."""
    missing = difference(course(), EARNED, edit(lab_with(1), "host", "veth2", master=None, port=None))
    assert [own.position.step for own in missing] == ["port"]
    assert in_words(missing, 7).startswith("One earned step does not hold any more")


def test_what_a_later_step_takes_away_is_not_missed() -> None:
    """Forwarding was turned off by an earned step that says so: nothing is missing, and before that step it was."""
    off = lab_with(1, forwarding=False)
    assert [own.position.step for own in difference(course(), ["internet/forwarding"], off)] == ["forwarding"]
    assert difference(course(), ["internet/forwarding", "neighbour/no-router"], off) == ()


def test_what_the_present_step_takes_away_is_not_missed() -> None:
    """A step that is to turn forwarding on again is not told that an earlier one turned it off; a step before it is."""
    on = lab_with(1, forwarding=True)
    until = Position("container", "neighbour", "everyone")
    assert [own.position.step for own in difference(course(), ["neighbour/no-router"], on)] == ["no-router"]
    assert difference(course(), ["neighbour/no-router"], on, until=until) == ()


def test_only_steps_ahead_of_the_place_are_asked() -> None:
    """Ticks from an earlier run beyond the current step do not count as missing."""
    until = Position("container", "cable", "plug")
    empty = lab(host(uplink()), container("c1", lo_up=False), internet())
    assert [own.position.step for own in difference(course(), EARNED, empty, until=until)] == ["loopback", "pair"]
    assert in_words((), 3) == ""
