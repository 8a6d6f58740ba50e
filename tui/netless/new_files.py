"""Files that are written for the learner, also in a folder where others may write: what another user has laid there is not followed.

A folder that one stands in may be anybody's, /tmp among them. A link in it leads where its maker wishes, and a FIFO keeps who opens it
waiting (open(2), fifo(7)).
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
from pathlib import Path
from typing import Final

TRIES: Final = 100
"""So many names are tried before it is given up: who fills a folder with them has more time than we have."""


_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_new(folder: str | Path, name: str, mode: int = 0o644) -> tuple[int, str]:
    """Open a file that was not there for writing, with this mode under the umask: its descriptor and its name, which is ``name``, or when that
    is taken by anything at all ``STEM-2.SUFFIX`` and so on. Raises OSError.
    """
    stem, suffix = os.path.splitext(name)
    place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for number in itertools.count(1):
            tried = name if number == 1 else f"{stem}-{number}{suffix}"
            try:
                return os.open(tried, _NEW, mode, dir_fd=place), tried
            except FileExistsError:
                if number == TRIES:
                    raise
    finally:
        os.close(place)
    raise AssertionError("count has no end")


def open_named(path: str, mode: int) -> int:
    """Open a file that somebody named, which must not be there, not even as a link. Raises OSError."""
    return os.open(path, _NEW, mode)


def write_new(folder: str | Path, name: str, content: bytes, mode: int = 0o644) -> str:
    """Write a file that was not there, and return its name (``open_new``). Raises OSError."""
    file, tried = open_new(folder, name, mode)
    with open(file, "wb") as out:
        out.write(content)
    return tried


def write_over(path: str, content: bytes) -> None:
    """Write the file that somebody named, over what is there.

    Followed are links that root or who runs this has made (/dev/stdout is one), those of others are not, wherever they lie (the kernel
    does the same in /tmp alone, and where it is told to: proc(5), protected_symlinks). Nor is waited for anybody at a FIFO that nobody
    reads. Raises OSError.
    """
    how = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        file = os.open(path, how | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(error.errno, "Nobody reads from it", path) from error
        if error.errno != errno.ELOOP:
            raise
        if os.lstat(path).st_uid not in (0, os.geteuid()):
            raise PermissionError(errno.EPERM, "It is a link that another user has made", path) from error
        file = os.open(path, how, 0o666)
    os.set_blocking(file, True)
    with open(file, "wb") as out:
        if stat.S_ISREG(os.fstat(file).st_mode):
            out.truncate()
        out.write(content)
