"""/run/netns: the names that iproute2 gives to namespaces (ip-netns(8)), and what each really is.

``ip netns add`` makes an empty file and mounts a new namespace on it; the learner's way is a symbolic link to /proc/PID/ns/net.
Both may dangle: the link when the process has ended, the file when the mount was undone or made in another mount namespace.
"""

from __future__ import annotations

import os
import re
from typing import Final

from ..model.snapshot import Name
from .namespace import is_net_namespace

DIRECTORY: Final = "/run/netns"
_PROCESS: Final = re.compile(r"/proc/(\d+)/(?:task/\d+/)?ns/net")


def read_names(directory: str = DIRECTORY) -> tuple[Name, ...]:
    """Every entry of ``directory``, by name; nothing when there is no such directory."""
    try:
        with os.scandir(directory) as entries:
            return tuple(sorted((_name(entry) for entry in entries), key=lambda name: name.name))
    except OSError:
        return ()


def _name(entry: os.DirEntry[str]) -> Name:
    netns = _inode(entry.path)
    if not entry.is_symlink():
        return Name(entry.name, netns, "file" if netns is None else "mount")
    try:
        target = os.readlink(entry.path)
    except OSError:
        return Name(entry.name, None, "symlink")
    process = _PROCESS.fullmatch(os.path.normpath(target))
    return Name(entry.name, netns, "symlink", int(process[1]) if process else None, target)


def _inode(path: str) -> int | None:
    """The inode of the network namespace at ``path``; None when it leads to anything else, or nowhere."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return os.fstat(fd).st_ino if is_net_namespace(fd) else None
    finally:
        os.close(fd)
