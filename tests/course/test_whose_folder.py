"""Progress is kept in a folder of one's own: where another user decides which folder that is, nothing is read, made or renamed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netless_lab.course.progress import Progress
from netless_lab.course.saved import load, progress_path, save

OTHER = 12345
pytestmark = pytest.mark.root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of root's."""
    made = tmp_path / "home"
    (made / ".local" / "state").mkdir(parents=True)
    return made


def refused(home: Path) -> str:
    """What is said when the progress of the lab ``daemon`` is read and written there."""
    path = progress_path("daemon", {"HOME": str(home)})
    loaded = load(path)
    assert loaded.progress == Progress()
    with pytest.raises(PermissionError, match=r"belongs to another user.*XDG_STATE_HOME"):
        save(path, Progress())
    return loaded.notice


def test_a_link_of_another_user(home: Path, tmp_path: Path) -> None:
    """Wherever on the way it lies: what it leads to stays as it is, be it root's own."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "daemon.json").write_text('{"root": "settings"}')
    for place in (home / ".local" / "state" / "netless", home / ".local" / "state", home / ".local"):
        if place.is_dir():
            place.rename(tmp_path / f"away-{place.name}")
        place.symlink_to(own)
        os.lchown(place, OTHER, OTHER)
        assert "belongs to another user" in refused(home)
        assert {path.name: path.read_text() for path in own.iterdir()} == {"daemon.json": '{"root": "settings"}'}
        place.unlink()


@pytest.mark.parametrize("place", [".local/state/netless", ".local/state", "."])
def test_a_folder_of_another_user(place: str, home: Path) -> None:
    """Root uses no home of others, and leaves nothing in it."""
    (home / place).mkdir(exist_ok=True)
    os.chown(home / place, OTHER, OTHER)
    before = sorted(home.rglob("*"))
    assert "belongs to another user" in refused(home)
    assert sorted(home.rglob("*")) == before


def test_links_and_folders_of_ones_own(home: Path, tmp_path: Path) -> None:
    """A link of one's own is followed, and a folder that is not there is made."""
    (home / ".local" / "state").rmdir()
    (home / ".local" / "state").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    path = progress_path("daemon", {"HOME": str(home)})
    save(path, Progress(dialect="legacy"))
    assert load(path).progress.dialect == "legacy" and load(path).notice == ""
    assert (tmp_path / "elsewhere" / "netless" / "daemon.json").is_file()
