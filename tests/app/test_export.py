"""What is written down for the learner to keep: where it goes, and what is said when it cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.driving import opened, screen, until
from netless.app.export import write, write_packets
from netless_lab import protocol


async def test_export_writes_script_and_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """e writes what was done as a script that can be run and as notes, where the tutor was started."""
    monkeypatch.chdir(tmp_path)
    history = {protocol.Call: lambda request: [protocol.Done(request.id, {"script": "#!/bin/sh\nip link\n", "markdown": "# notes\n"})]}
    async with opened(answers=history) as (app, pilot, _peer):  # type: ignore[arg-type]
        await pilot.press("f5", "e")
        await until(pilot, lambda: bool(app.view.sayings))
    scripts, notes = list(tmp_path.glob("netless-default-*.sh")), list(tmp_path.glob("netless-default-*.md"))
    assert [path.read_text() for path in (*scripts, *notes)] == ["#!/bin/sh\nip link\n", "# notes\n"]
    assert scripts[0].stat().st_mode & 0o111


@pytest.mark.parametrize("keys", ["f5 e", "f4 s"])
async def test_export_that_cannot_write_says_so(keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When neither the folder nor the home can be written to, the learner hears why, and the app goes on."""
    kept = {"script": "#!/bin/sh\n", "markdown": "# notes\n", "pcapng": "Cg0NCg==", "frames": 1}
    answers = {protocol.Call: lambda request: [protocol.Done(request.id, kept)]}
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))
    async with opened(answers=answers) as (app, pilot, _peer):  # type: ignore[arg-type]
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
    assert write("#!/bin/sh\n", "# notes\n", lab).level == write_packets("Cg0NCg==", 1, lab).level == "info"
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 3
    assert all(path.parent == tmp_path and path.name.isascii() and path.name.isprintable() for path in written)
