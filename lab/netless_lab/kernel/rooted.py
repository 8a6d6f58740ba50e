"""Files as they are seen from another root directory: where a node's symbolic links lead is below the node's own root, and nowhere else.

The kernel looks for what a link at /proc/PID/root/etc/resolv.conf says, ``/etc/other``, below the root of whoever asks (path_resolution(7)). So each
name on the way is opened by itself, and what a link says is looked up from there, or from that root, as openat2(2) does it with
RESOLVE_IN_ROOT; that call is not asked because kernels before 5.6, and the filters of many a container, have none.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

_MOST_NAMES: Final = 256
"""How many names, those in links among them, may lead to a file: each is a folder held open."""
_MOST_BYTES: Final = 1 << 16
_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PATIENTLY: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_text(root: str, path: str) -> str:
    """The text of a file below ``root``, which is /proc/PID/root, or "" for our own; "" when it is none or cannot be read."""
    try:
        fd = _open(root, path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(fd, _MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)


def write_text(root: str, path: str, text: str) -> None:
    """The same file has this text from now on, made if there is none. It is written in place, for it may be a mount.

    Raises OSError, with the path as the node writes it.
    """
    try:
        fd = _open(root, path, os.O_RDWR | os.O_CREAT)
        with open(fd, "w", encoding="utf-8", errors="replace") as file:
            file.truncate()
            file.write(text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


def _open(root: str, path: str, flags: int) -> int:
    """A regular file. Nothing else is waited for, or read: a FIFO, or a terminal that somebody types at."""
    ahead, opened = _names(path), [os.open(root or "/", _FOLDER & ~os.O_NOFOLLOW)]
    folders = opened[:]
    try:
        for _ in range(_MOST_NAMES):
            if not ahead:
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            name = ahead.pop()
            if name == "..":
                del folders[max(1, len(folders) - 1) :]
                continue
            try:
                if not ahead:
                    return _regular(os.open(name, flags | _PATIENTLY, 0o644, dir_fd=folders[-1]))
                opened.append(os.open(name, _FOLDER, dir_fd=folders[-1]))
                folders.append(opened[-1])
            except OSError as error:
                said = _link(name, folders[-1]) if error.errno in (errno.ELOOP, errno.ENOTDIR) else None
                if said is None:
                    raise
                if said.startswith("/"):
                    del folders[1:]
                ahead += _names(said)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    finally:
        for folder in opened:
            os.close(folder)


def _names(path: str) -> list[str]:
    """Those to look up, the last of them first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _link(name: str, folder: int) -> str | None:
    """What a symbolic link says; None for what is no link."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _regular(fd: int) -> int:
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "it is no regular file")
