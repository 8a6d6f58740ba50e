"""A file that is written because somebody named it: over what is there, but never where another user's link leads."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from netless.new_files import TRIES, write_new, write_over

NOBODY = 65534


def test_what_was_there_is_replaced(tmp_path: Path) -> None:
    """A new file, a longer old one, and an old one behind a link of one's own hold what was written and no more; their mode stays."""
    old = tmp_path / "old"
    old.write_text("much longer than that")
    old.chmod(0o640)
    (tmp_path / "link").symlink_to(old)
    for name, text in (("new", b"one"), ("old", b"two"), ("link", b"three")):
        write_over(str(tmp_path / name), text)
        assert (tmp_path / name).read_bytes() == text
    assert old.stat().st_mode & 0o777 == 0o640 and (tmp_path / "link").is_symlink()


def test_a_stream_is_written_to(tmp_path: Path) -> None:
    """What is named may be a pipe that somebody reads, behind /proc's links as /dev/stdout is."""
    reading, writing = os.pipe()
    write_over(f"/proc/self/fd/{writing}", b"said")
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b"said"


def test_a_fifo_that_nobody_reads(tmp_path: Path) -> None:
    """Nobody is waited for: it is refused in words."""
    os.mkfifo(tmp_path / "fifo")
    signal.alarm(30)
    with pytest.raises(OSError, match="Nobody reads from it"):
        write_over(str(tmp_path / "fifo"), b"x")
    signal.alarm(0)


@pytest.mark.root
def test_a_link_of_another_user(tmp_path: Path) -> None:
    """It is refused in words, whether it leads to a file or to nothing; both stay as they are."""
    (tmp_path / "mine").write_text("mine")
    for target in ("mine", "new"):
        link = tmp_path / f"to {target}"
        link.symlink_to(tmp_path / target)
        os.lchown(link, NOBODY, NOBODY)
        with pytest.raises(PermissionError, match="another user"):
            write_over(str(link), b"x")
    assert (tmp_path / "mine").read_text() == "mine" and not (tmp_path / "new").exists()


def test_names_are_not_tried_for_ever(tmp_path: Path) -> None:
    """A folder in which every name is taken is one that cannot be written to; the last free name is taken."""
    for number in range(1, TRIES):
        assert write_new(tmp_path, "a.md", b"x") == ("a.md" if number == 1 else f"a-{number}.md")
    assert write_new(tmp_path, "a.md", b"last") == f"a-{TRIES}.md"
    with pytest.raises(FileExistsError):
        write_new(tmp_path, "a.md", b"x")
