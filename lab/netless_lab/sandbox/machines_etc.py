"""What a room sees of the machine's /etc, and how it is given back when somebody in the room has put something else in its place.

The room's /etc is a writable layer over the machine's (``rootfs``). Most of what is there belongs to users that the room does not know: its
root may take a name in /etc itself away, and have another file there, but change nothing below.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from .in_place import clear, is_folder, listed
from .rootfs import MACHINE_ETC

_ETC: Final = "/etc"
OWN: Final = ("hostname", "hosts", "resolv.conf")
"""Files of it that are the room's own."""
_NOT_THE_MACHINES: Final = frozenset(f"{_ETC}/{name}" for name in (*OWN, "netns", ".machine"))


class _Look(NamedTuple):
    """What tells that an entry of a folder is another than before. Of a folder size and time say only what is in it, and are 0."""

    mode: int
    user: int
    size: int
    time: int


class Differing(NamedTuple):
    """What is changed or missing of the machine's, but nothing of what was below where there is no folder any more; and what was ``added`` in the
    machine's folders: of /etc itself others say that.
    """

    changed: tuple[Path, ...]
    added: tuple[Path, ...]


class MachinesEtc:
    """What the machine has in /etc. Make it before any learner comes."""

    def __init__(self) -> None:
        self._there = dict(_entries())
        self._names = frozenset(os.path.basename(path) for path in self._there if os.path.dirname(path) == _ETC)

    def lacking(self) -> Iterator[tuple[str, str]]:
        """The names in /etc itself that are missing, with what a link there is to lead to."""
        for name in self._names - set(listed(_ETC)):
            yield f"{_ETC}/{name}", f"{MACHINE_ETC}/{name}"

    def differing(self) -> Differing:
        """What is not as the machine has it now; nothing where that is not there to compare with."""
        now = dict(_entries()) if is_folder(MACHINE_ETC) else self._there
        changed: list[Path] = []
        gone: set[str] = set()
        for path, look in self._there.items():
            if os.path.dirname(path) in gone:
                gone.add(path)
            elif now.get(path) != look and not _is_the_machines(path):
                changed.append(Path(path))
                if not is_folder(path):
                    gone.add(path)
        return Differing(tuple(changed), tuple(Path(path) for path in now.keys() - self._there.keys() if os.path.dirname(path) in self._there))

    def give_back(self, changed: Iterable[Path]) -> None:
        """Have these, of what it has said to be changed, lead to what the machine has."""
        for path in changed:
            with contextlib.suppress(OSError):
                machines = Path(_machines(str(path)))
                if is_folder(str(path)) and is_folder(str(machines)) and path.stat().st_uid == machines.stat().st_uid:
                    path.chmod(machines.stat().st_mode)
                else:
                    clear(path)
                    path.symlink_to(machines)


def _machines(path: str) -> str:
    return MACHINE_ETC + path.removeprefix(_ETC)


def _entries() -> Iterator[tuple[str, _Look]]:
    """Of /etc and all folders in it that somebody in the room may write to, each before what is in it."""
    folders = [_ETC]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.path in _NOT_THE_MACHINES:
                    continue
                own, is_dir = entry.stat(follow_symlinks=False), entry.is_dir(follow_symlinks=False)
                yield entry.path, _Look(own.st_mode, own.st_uid, *((0, 0) if is_dir else (own.st_size, own.st_mtime_ns)))
                if is_dir and os.access(entry.path, os.W_OK):
                    folders.append(entry.path)


def _is_the_machines(path: str) -> bool:
    """Whether what is there is the machine's, or leads to it, or is a copy of it."""
    machines = _machines(path)
    with contextlib.suppress(OSError):
        here, there = os.lstat(path), os.lstat(machines)
        if stat.S_ISLNK(here.st_mode):
            return os.readlink(path) == machines or (stat.S_ISLNK(there.st_mode) and os.readlink(path) == os.readlink(machines))
        if here.st_mode != there.st_mode:
            return False
        if stat.S_ISREG(here.st_mode):
            return here.st_size == there.st_size and Path(path).read_bytes() == Path(machines).read_bytes()
        return here.st_uid == there.st_uid
    return False
