"""What is written down for the learner to keep: where it goes, and what is said when it cannot be written."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.driving import opened, screen, until
from app.helpers import says, says_nonsense
from netless.commands.export import write, write_packets
from netless.crash import report as crash_report
from netless_lab import protocol
from netless_lab.protocol import Account, Capture

SESSION = Account((), "#!/bin/sh\nip link\n", "# notes\n")
PACKETS = Capture(b"\n\r\r\n", 1)
IN_THE_WAY = {
    "a link to nothing": lambda path, secret: path.symlink_to(secret.parent / "new"),
    "a link to a file": lambda path, secret: path.symlink_to(secret),
    "a FIFO": lambda path, secret: os.mkfifo(path),
    "a file": lambda path, secret: path.write_text("theirs"),
    "a folder": lambda path, secret: path.mkdir(),
}


async def test_export_writes_script_and_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """e writes what was done as a script that can be run and as notes, where the tutor was started."""
    monkeypatch.chdir(tmp_path)
    async with opened(answers={protocol.GetHistory: says(SESSION)}) as (app, pilot, _peer):
        await pilot.press("f5", "e")
        await until(pilot, lambda: bool(app.view.sayings))
    scripts, notes = list(tmp_path.glob("netless-default-*.sh")), list(tmp_path.glob("netless-default-*.md"))
    assert [path.read_text() for path in (*scripts, *notes)] == ["#!/bin/sh\nip link\n", "# notes\n"]
    assert scripts[0].stat().st_mode & 0o111


@pytest.mark.parametrize("keys", ["f5 e", "f4 s", "f12"])
async def test_export_that_cannot_write_says_so(keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When neither the folder nor the home can be written to, the learner hears why, and the app goes on."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))
    async with opened(answers={protocol.GetHistory: says(SESSION), protocol.GetCapture: says(PACKETS)}) as (app, pilot, _peer):
        await pilot.press(*keys.split())
        await until(pilot, lambda: "could not be written" in screen(app))
        assert "No such file or directory: " in app.view.sayings[-1].text
        assert app.is_running
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lab", ["../startup.d/evil", "/etc/evil", "a\x1b]0;b\n", "ü"])
def test_a_file_is_where_it_is_said_to_be(lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the lab is called, what is written down lies in the folder itself, under a name that can be typed."""
    (tmp_path / "netless-..").mkdir()
    (tmp_path / "startup.d").mkdir()
    monkeypatch.chdir(tmp_path)
    assert write(SESSION, lab).level == write_packets(PACKETS, lab).level == "info"
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 3
    assert all(path.parent == tmp_path and path.name.isascii() and path.name.isprintable() for path in written)


@pytest.mark.parametrize("lay", IN_THE_WAY.values(), ids=list(IN_THE_WAY))
def test_what_lies_in_the_way_stays_as_it_is(lay: Callable[[Path, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was laid where a file is to be is followed, waited for or written over; the file has another name, which is told."""
    folder, secret = tmp_path / "shared", tmp_path / "private" / "secret"
    for path in (folder, secret.parent):
        path.mkdir()
    secret.write_text("mine")
    secret.chmod(0o600)
    reports = folder / "netless" / "reports"
    reports.mkdir(parents=True)
    monkeypatch.setattr(time, "strftime", lambda form: form.replace("%Y%m%d-%H%M%S", "now"))
    taken = (*(folder / f"netless-a-now.{suffix}" for suffix in ("sh", "md", "pcapng")), reports / f"now-{os.getpid()}.txt")
    for path in taken:
        lay(path, secret)
    before = {path: path.lstat()[:6] for path in taken}
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    signal.alarm(30)  # who waits at a FIFO ends here, and says no more than that
    told = (write(SESSION, "a").text, write_packets(PACKETS, "a").text)
    report = crash_report(ValueError("x"))
    signal.alarm(0)
    assert {path: path.lstat()[:6] for path in taken} == before
    assert secret.read_text() == "mine" and [path.name for path in secret.parent.iterdir()] == ["secret"]
    assert report is not None and report not in before and "ValueError" in report.read_text()
    written = [path for path in folder.iterdir() if path not in before and path.is_file()]
    assert len(written) == 3 and all(path.name in " ".join(told) for path in written), (written, told)
    assert {path.suffix: path.read_bytes() for path in written} == {".sh": b"#!/bin/sh\nip link\n", ".md": b"# notes\n", ".pcapng": b"\n\r\r\n"}


def test_what_is_written_down_acts_on_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the lab answered, no sign in script or notes does anything when they are shown."""
    monkeypatch.chdir(tmp_path)
    evil = "one\x1b]0;x\x07\n\ttwo\x9b5n\u202e\x7f\ud800\n"
    assert write(Account((), evil, evil), "a").level == "info"
    for path in tmp_path.iterdir():
        assert path.read_text(encoding="utf-8") == "one?]0;x?\n\ttwo?5n???\n"


@pytest.mark.parametrize("keys", ["f5 e", "f4 s"])
@pytest.mark.parametrize("answer", [5, {}, {"script": 5, "markdown": ""}, {"pcapng": "!!!", "frames": 1}, {"pcapng": "", "frames": "x"}], ids=str)
async def test_export_of_what_is_none(keys: str, answer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab that answers something else is told of, nothing is written, and the app goes on."""
    monkeypatch.chdir(tmp_path)
    nonsense = says_nonsense(answer)
    async with opened(answers={protocol.GetHistory: nonsense, protocol.GetCapture: nonsense}) as (app, pilot, _peer):
        await pilot.press(*keys.split())
        await until(pilot, lambda: bool(app.view.sayings))
        assert app.view.sayings[-1].level == "error" and app.is_running
    assert list(tmp_path.iterdir()) == []
