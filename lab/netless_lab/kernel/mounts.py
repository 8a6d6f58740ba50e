"""Names for namespaces as ip(8) makes them: a bind mount of the namespace file on /run/netns/NAME (ip-netns(8), mount(2)).

/run/netns must be a shared mount, so that a name given in one terminal is seen, and can be taken away, in every other.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
from typing import Final

from .names import DIRECTORY

MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_SHARED: Final = 0x100000
MNT_DETACH: Final = 2
UMOUNT_NOFOLLOW: Final = 8
_libc = ctypes.CDLL(None, use_errno=True)


def name_by_mount(source: str, name: str) -> None:
    """Mount the namespace file ``source`` on /run/netns/``name``. Raises FileExistsError when the name is taken."""
    share_directory()
    target = f"{DIRECTORY}/{name}"
    os.close(os.open(target, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
    try:
        _mount(source, target, MS_BIND)
    except OSError:
        os.unlink(target)
        raise


def name_by_symlink(source: str, name: str) -> None:
    """The learner's way: a symbolic link. Raises FileExistsError when the name is taken."""
    os.makedirs(DIRECTORY, exist_ok=True)
    os.symlink(source, f"{DIRECTORY}/{name}")


def take_name(name: str) -> None:
    """Take a name of either kind away, and a folder that is none. Raises FileNotFoundError when there is nothing."""
    target = f"{DIRECTORY}/{name}"
    while _libc.umount2(os.fsencode(target), MNT_DETACH | UMOUNT_NOFOLLOW) == 0:
        continue
    if os.path.isdir(target) and not os.path.islink(target):
        shutil.rmtree(target)
    else:
        os.unlink(target)


def share_directory() -> None:
    """Make /run/netns, and make it a shared mount, as the first ``ip netns add`` after boot does."""
    os.makedirs(DIRECTORY, exist_ok=True)
    with contextlib.suppress(OSError):
        _mount("", DIRECTORY, MS_SHARED | MS_REC)
        return
    _mount(DIRECTORY, DIRECTORY, MS_BIND | MS_REC)
    _mount("", DIRECTORY, MS_SHARED | MS_REC)


def _mount(source: str, target: str, flags: int) -> None:
    if _libc.mount(os.fsencode(source), os.fsencode(target), b"none", flags, None):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code) if code != errno.EINVAL else "not a mount point, or mounts are not allowed here", target)
