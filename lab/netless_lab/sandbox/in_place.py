"""What is to be at a path of a room, in place of whatever somebody has put there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def have_folder(path: str, mode: int = 0o755) -> None:
    """A folder is there, in place of whatever else was. Raises OSError."""
    if not is_folder(path):
        clear(Path(path))
        os.makedirs(path, mode)


def have_back(is_at: Path, was_at: Path) -> None:
    """What somebody has renamed is where it was, in place of whatever else is there now; that somebody may be at work in there meanwhile stands in
    nobody's way. Raises OSError.
    """
    have_folder(str(was_at.parent))
    aside = was_at.with_name(f".{was_at.name}.aside")
    if os.path.lexists(was_at):
        clear(aside)
        was_at.rename(aside)
    is_at.rename(was_at)
    with contextlib.suppress(OSError):
        clear(aside)


def have_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """A file of its own with this in it is there, whole, in place of whatever else was; or none. Raises OSError."""
    if not is_plain(path):
        clear(path)
    try:
        path.write_bytes(data)
        path.chmod(mode)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def listed(folder: str) -> list[str]:
    """The names in a folder; none where something else is in its place."""
    with contextlib.suppress(OSError):
        if is_folder(folder):
            return os.listdir(folder)
    return []


def is_folder(path: str) -> bool:
    """Whether a folder is there, and no link."""
    return os.path.isdir(path) and not os.path.islink(path)


def is_plain(path: Path) -> bool:
    """Whether a file of its own is there, and no link."""
    return path.is_file() and not path.is_symlink()


def clear(path: Path) -> None:
    """Take away whatever is there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        import shutil  # 2 ms, and seldom needed

        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
