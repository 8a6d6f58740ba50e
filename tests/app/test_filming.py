"""Recordings of the real app in a real terminal: played again they show what the terminal showed. The witness of that is tmux."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.test_real_tmux import Learner, learner
from helpers.checkout import as_here
from helpers.waiting import eventually
from netless.vt import Terminal

pytestmark = [pytest.mark.kernel, pytest.mark.tmux, pytest.mark.rootless]


def events_of(path: Path) -> tuple[dict[str, int], list[tuple[float, str, str]]]:
    """The header and what follows, of which every line is whole and no time falls."""
    data = path.read_text(encoding="utf-8")
    assert data.endswith("\n")
    first, *events = (json.loads(line) for line in data.splitlines())
    assert first["version"] == 2
    times = [event[0] for event in events]
    assert times == sorted(times) and (not times or times[0] >= 0)
    assert {event[1] for event in events} <= {"o", "r", "m"}
    return first, [(event[0], event[1], event[2]) for event in events]


def played(path: Path) -> list[str]:
    """The rows of a terminal that a recording was played on, to where it is now."""
    first, events = events_of(path)
    terminal = Terminal(first["width"], first["height"], 0)
    for _, code, data in events:
        if code == "o":
            terminal.feed(data)
        elif code == "r":
            terminal.resize(*map(int, data.split("x")))
    return [row.plain for row in terminal.screen.rows]


def seen(seat: Learner) -> list[str]:
    """The rows that tmux shows."""
    return [row.rstrip() for row in seat.screen().removesuffix("\n").split("\n")]


def app_of(seat: Learner) -> int:
    """The process of the app: the child of the pane's shell."""
    shell = seat.tmux("display", "-p", "#{pane_pid}").strip()
    return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])


def test_a_recording_from_the_start_shows_what_was_shown(tmp_path: Path) -> None:
    """Through a step, a shell and another size; a step that is passed is a place to jump to; only its owner can read it; SIGKILL leaves it whole."""
    path = tmp_path / "start.cast"
    with learner(tmp_path, 118, 40, "--record", str(path)) as seat:
        seat.wait_for("● REC")
        seat.press("r")
        seat.see_it_done()
        assert [data for _, code, data in events_of(path)[1] if code == "m"] == ["Give its namespace a name"]
        seat.tmux("resize-window", "-x", "90", "-y", "30")
        seat.press("F3")
        seat.wait_for("host:")
        seat.press("printf '\\033[31mred\\033[0m %s\\n' 中文", "Enter")
        seat.wait_for("red 中文")
        assert eventually(lambda: played(path) == seen(seat)), "\n".join((*played(path), *seen(seat)))
        assert events_of(path)[0]["width"] == 118 and [data for _, code, data in events_of(path)[1] if code == "r"] == ["90x30"]
        assert path.stat().st_mode & 0o777 == 0o600
        last = played(path)
        os.kill(app_of(seat), signal.SIGKILL)
        seat.wait_for("LEFT WITH 137")
        assert played(path) == last


def test_a_recording_by_key_begins_with_the_whole_screen(tmp_path: Path) -> None:
    """And ends where the key is pressed again, which says where it is; the terminal of who plays it is as it was before."""
    with learner(tmp_path, 119, 40) as seat:
        seat.press("C-r")
        seat.wait_for("● REC")
        (path,) = Path(seat.tmux("display", "-p", "#{pane_current_path}").strip()).glob(f"netless-{seat.lab}-*.cast")
        try:
            assert eventually(lambda: played(path) == seen(seat)), "\n".join((*played(path), *seen(seat)))
            seat.press("C-r")
            seat.wait_for("The recording is in")
            assert "● REC" not in seat.screen()
            first, events = events_of(path)
            terminal = Terminal(first["width"], first["height"], 0)
            for _, code, data in events:
                assert code == "o"
                terminal.feed(data)
            modes = terminal.screen.modes
            assert not terminal.screen.alternate_active and modes.cursor_visible and modes.autowrap and not modes.bracketed_paste
            size = path.stat().st_size
            seat.press("r")
            seat.see_it_done()
            assert path.stat().st_size == size
            seat.press("C-r")
            seat.wait_for("● REC")
            seat.press("q")
            seat.wait_for("The recording is in", "LEFT WITH 0")
        finally:
            for recording in path.parent.glob(f"netless-{seat.lab}-*.cast"):
                recording.unlink()


def test_a_full_disk_ends_the_recording_and_not_the_tutor(tmp_path: Path) -> None:
    """It is told when it happens and again at the end; what is there can be played."""
    path = tmp_path / "full.cast"
    with learner(tmp_path, 117, 40, "--record", str(path)) as seat:
        seat.wait_for("● REC")
        subprocess.run(["prlimit", f"--pid={app_of(seat)}", f"--fsize={path.stat().st_size + 2000}"], check=True)
        seat.press("r")
        seat.wait_for("early:")
        size = path.stat().st_size
        seat.see_it_done()
        assert "● REC" not in seat.screen()
        assert path.stat().st_size == size and len(played(path)) == 40
        seat.press("q")
        seat.wait_for("early:", "LEFT WITH 0")


def test_it_writes_over_nothing(tmp_path: Path) -> None:
    """A file that is there, or a link, is refused before anything starts, as is a recording of what shows nothing; where nothing was shown no file is left."""
    path = tmp_path / "mine.cast"
    path.write_text("mine")
    (tmp_path / "link.cast").symlink_to(tmp_path / "new.cast")
    command = f"{sys.executable} -P -m netless --lab nobody --record"

    def said(words: str) -> bytes:
        """What it says on a terminal, when it ends as one does that was used wrongly."""
        done = subprocess.run(["script", "-qec", f"{command} {words}", "/dev/null"], env=as_here(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert done.returncode == 2
        return done.stdout

    assert all(b"is there already" in said(str(tmp_path / name)) for name in ("mine.cast", "link.cast"))
    assert b"nosuch" in said(f"{tmp_path / 'new.cast'} --theme nosuch")
    assert path.read_text() == "mine" and not (tmp_path / "new.cast").exists()
    refused = subprocess.run([*command.split(), str(tmp_path / "other.cast"), "status"], env=as_here(), capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "--record is for the tutor" in refused.stderr
    assert not (tmp_path / "other.cast").exists()
