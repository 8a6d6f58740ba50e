"""/run/netns: the names that iproute2 gives to namespaces (ip-netns(8)), and what each really is.

``ip netns add`` makes an empty file and mounts a new namespace on it; the learner's way is a symbolic link to /proc/PID/ns/net.
Both may dangle: the link when the process has ended, the file when the mount was undone or made in another mount namespace. And both
may be something else altogether: a file that was only touched, a folder, a namespace of another kind.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from typing import Final

from ..model.snapshot import Instead, Name
from ..room import NETNS
from .namespace import kind_of_namespace, out_of_files

_PROCESS: Final = r"/proc/(\d+)/(?:task/\d+/)?ns/(?:net|mnt|pid|uts|ipc|user|cgroup|time)(?:_for_children)?"
_NAMESPACES: Final = ("mnt", "pid", "uts", "ipc", "user", "cgroup", "time")


def read_names(directory: str = NETNS) -> tuple[Name, ...]:
    """Every entry of ``directory``, by name; nothing when there is no such directory. Raises OSError when no file can be opened."""
    try:
        with os.scandir(directory) as entries:
            return tuple(sorted((_name(entry) for entry in entries), key=lambda name: name.name))
    except OSError as error:
        if out_of_files(error):
            raise
        return ()


def names_by_inode(names: Iterable[Name]) -> dict[int, tuple[str, ...]]:
    """The inode of each namespace that has a name, and its names in their order."""
    found: dict[int, list[str]] = {}
    for name in names:
        if name.netns is not None:
            found.setdefault(name.netns, []).append(name.name)
    return {inode: tuple(own) for inode, own in found.items()}


def _name(entry: os.DirEntry[str]) -> Name:
    netns, instead = _there(entry.path)
    if not entry.is_symlink():
        is_mount = netns is not None or instead in _NAMESPACES
        return Name(entry.name, netns, "mount" if is_mount else "file", instead=instead)
    try:
        target = os.readlink(entry.path)
    except OSError:
        return Name(entry.name, None, "symlink")
    process = re.fullmatch(_PROCESS, os.path.normpath(target))
    return Name(entry.name, netns, "symlink", int(process[1]) if process else None, target, instead)


def _there(path: str) -> tuple[int | None, Instead | None]:
    """The inode of the network namespace at ``path``, or what else is there; neither when nothing is."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if out_of_files(error):
            raise
        return None, ("other" if os.path.exists(path) else None)
    try:
        kind, found = kind_of_namespace(fd), os.fstat(fd)
        if kind is not None:
            return (found.st_ino, None) if kind == "net" else (None, kind)
        if stat.S_ISDIR(found.st_mode):
            return None, "folder"
        if stat.S_ISREG(found.st_mode):
            return None, "file" if found.st_size else "empty"
        return None, "other"
    finally:
        os.close(fd)
