"""``netless up --show FOLDER``: what of the machine's files is seen inside because somebody asked for it, and what cannot be asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.command_line import Cli

pytestmark = pytest.mark.kernel


def folder(top: Path, name: str) -> Path:
    """A folder of the caller's with a script."""
    made = top / name
    made.mkdir()
    (made / "hello").write_text("#!/bin/sh\necho hello from $0\n", encoding="utf-8")
    (made / "hello").chmod(0o755)
    return made


def test_a_folder_is_seen_where_it_is_and_nothing_beside_it(cli: Cli, tmp_path: Path) -> None:
    """Two folders are asked for, one by a link: both are read and run inside, in every node; a third beside them is not there."""
    one, two, _ = (folder(tmp_path, name) for name in ("one", "two words", "three"))
    (tmp_path / "link").symlink_to(one)
    cli("up", "--show", str(tmp_path / "link"), "--show", str(two))
    for node in ("host", "c1"):
        for path in (one, tmp_path / "link", two):
            assert cli("exec", node, "--", str(path / "hello")).stdout == f"hello from {path}/hello\n"
    assert set(cli("exec", "host", "--", "ls", str(tmp_path)).stdout.split("\n")) == {"one", "link", "two words", ""}


def test_what_is_shown_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    """Neither by its name nor after somebody inside tried to mount it anew; what is changed outside is seen inside."""
    own = folder(tmp_path, "own")
    cli("up", "--show", str(own))
    write = f"echo evil > {own}/hello; rm -f {own}/hello; touch {own}/new; mount -o remount,bind,rw {own}; umount {own}; echo evil >> {own}/hello; true"
    cli("exec", "host", "--", "sh", "-c", write)
    assert {path.name: path.read_text(encoding="utf-8") for path in own.iterdir()} == {"hello": "#!/bin/sh\necho hello from $0\n"}
    (own / "later").write_text("seen", encoding="utf-8")
    assert cli("exec", "host", "--", "cat", str(own / "later")).stdout == "seen"


@pytest.mark.parametrize("path", ["/", "/tmp", "/run", "/var", "/etc", "/proc/1", "/sys/class", "/dev/pts", "/run/netns", "/no/such", "/etc/passwd"])
def test_what_a_lab_has_of_its_own_is_not_shown(cli: Cli, path: str) -> None:
    """It is refused in words, and no lab is started."""
    assert path in cli("up", "--show", path, code=2).stderr
    assert cli.lab not in cli("labs").stdout.split()


def test_a_lab_that_runs_shows_what_it_showed(cli: Cli, tmp_path: Path) -> None:
    """It is refused in words, not passed over; without the option ``up`` is content as ever."""
    cli("up")
    assert "netless down" in cli("up", "--show", str(tmp_path), code=2).stderr
    cli("up")
