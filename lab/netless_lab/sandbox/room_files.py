"""What a learner may throw away of the room itself, ``rm -rf /`` for one, and how it comes back with the next reset.

The machine's root is read-only, so only the room's own memory file systems can suffer: /run, /tmp, /etc and /dev. And a learner may
mount something over any place of it. What lies in his home and in /tmp is his own, and stays.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from ..kernel import syscalls as sc
from ..model.clearing import Things
from ..room import BIN, HOME, NETLESS, NETNS
from .in_place import clear, have_back, have_file, have_folder, is_folder, is_plain, listed
from .ipc import forget_ipc
from .machines_etc import OWN, MachinesEtc
from .rootfs import CONTAINERS, DEVICE_LINKS, unescape
from .tunables import Tunables

_DIRECTORIES: Final = (
    (NETNS, 0o755), (NETLESS, 0o755), (BIN, 0o755), (CONTAINERS, 0o755), ("/run/lock", 0o755), ("/etc/netns", 0o755), (HOME, 0o700),
)  # fmt: skip
_NAMED: Final = 3
"""So many files in one folder are named one by one."""
_OF_TOOLS: Final = ("xtables.lock", "ebtables.lock")
"""What tools leave in /run, and nobody minds."""


class Repaired(msgspec.Struct, frozen=True):
    """What was missing of the lab's own files and is there again, by its paths; and what could not be put right, of those and of all else, in words."""

    there: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __add__(self, other: Repaired) -> Repaired:
        return Repaired((*self.there, *other.there), (*self.problems, *other.problems))


class RoomFiles:
    """What the room held when the lab began. Make it in the agent before any learner comes."""

    def __init__(self) -> None:
        self._proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._mounts = {number: place for number, _, place in self._mounted()}
        self._run = os.stat(NETNS).st_dev
        self._hostname = socket.gethostname()
        self._etc = MachinesEtc()
        self._domainname = self._domain()
        self._tunables = Tunables(self._proc)
        self._trees = {folder: dict(_tree(folder)) for folder in ("/var", "/dev/shm")}
        self._modes = {folder: os.stat(folder).st_mode & 0o7777 for folder in ("/etc", "/run", "/dev", "/tmp", *self._trees)}
        self._there = {folder: frozenset((*os.listdir(folder), *_OF_TOOLS)) for folder in ("/etc", "/run", "/run/lock", "/dev", BIN)}
        files = [*Path(BIN).iterdir(), Path(HOME, ".bashrc"), *(Path("/etc", name) for name in OWN)]
        self._kept = {folder: frozenset(os.listdir(folder)) for folder in (HOME, "/tmp")}
        self._files = {path: (path.stat().st_mode & 0o777, path.read_bytes()) for path in files if path.is_file()}

    def have_room(self) -> None:
        """Let as many processes run as at the beginning, whoever said otherwise since: else the lab itself could start nothing to look or mend with."""
        self._tunables.have_room()

    def put_back(self) -> Repaired:
        """Bring back what is missing. 0.1 ms when nothing is. What covers a place goes first: it may cover the settings."""
        repaired = self._mended()
        if socket.gethostname() != self._hostname:
            socket.sethostname(self._hostname)
        if self._domain() != self._domainname:
            sc.set_domainname(self._domainname)
        self._tunables.put_back()
        return repaired

    def start_over(self) -> tuple[str, ...]:
        """Also take away what was not in /etc, /run, /dev and /var, and what programs have left that is no file, and give the lab's own files
        their content back; without it all that stays. What cannot be put back even then, in words.
        """
        etc = self._etc.differing()
        for path in (*self._added(), *etc.added, *self._changed()):
            with contextlib.suppress(OSError):
                clear(path)
        self._etc.give_back(etc.changed)
        self._plant()
        forget_ipc(self._proc)
        return self._mended().problems

    def _mended(self) -> Repaired:
        there, problems, mounted = [], [], self._mounted()
        for path, mend in chain(self._covered(mounted), self._moved(mounted), self._directories(), self._own_files(), self._links()):
            try:
                mend()
                there.append(path)
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
        return Repaired(tuple(there), tuple(problems))

    def _domain(self) -> str:
        """The NIS domain of the room, with which its nodes begin too."""
        fd = os.open("sys/kernel/domainname", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        with open(fd, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().removesuffix("\n")

    def _plant(self) -> None:
        """The folders and links that are missing below /var, also where something else is in their place, and the modes that folders had."""
        modes = dict(self._modes)
        for path, (mode, target) in ((path, own) for tree in self._trees.values() for path, own in tree.items()):
            with contextlib.suppress(OSError):
                if target is not None and not (os.path.islink(path) and os.readlink(path) == target):
                    clear(Path(path))
                    os.symlink(target, path)
                elif stat.S_ISDIR(mode):
                    have_folder(path)
                    modes[path] = stat.S_IMODE(mode)
        for path, mode in modes.items():
            with contextlib.suppress(OSError):
                if os.stat(path).st_mode & 0o7777 != mode:
                    os.chmod(path, mode)

    def differing(self) -> Things:
        """What ``start_over`` takes away and gives back, in words."""
        etc = self._etc.differing()
        going, coming = (*self._added(), *etc.added), (*self._changed(), *etc.changed)
        return Things(tuple(f"{path} in the host" for path in going), tuple(f"{path} in the host, as it was" for path in coming))

    def made(self) -> Things:
        """What goes with the room, in words: what ``start_over`` takes away and what was written into the room's own files, and what lies in the home
        and in /tmp. Not what is hidden there, which programs keep for themselves.
        """
        away = self.differing()
        written = tuple(f"what is written in {own.removesuffix(', as it was')}" for own in away.coming)
        return Things((*chain.from_iterable(self._lying_in(folder) for folder in self._kept), *away.going, *written))

    def _lying_in(self, folder: str) -> tuple[str, ...]:
        called = "~" if folder == HOME else folder
        names = sorted(name for name in set(listed(folder)) - self._kept[folder] if not name.startswith("."))
        return tuple(f"{called}/{name}" for name in names) if len(names) <= _NAMED else (f"{len(names)} files in {called}",)

    def _added(self) -> Iterator[Path]:
        for folder, known in self._there.items():
            for name in set(listed(folder)) - known:
                yield Path(folder, name)
        for folder, tree in self._trees.items():
            for path, _ in _tree(folder):
                if path not in tree and (os.path.dirname(path) in tree or os.path.dirname(path) == folder):
                    yield Path(path)

    def _changed(self) -> Iterator[Path]:
        for path, (mode, data) in self._files.items():
            with contextlib.suppress(OSError):
                if is_plain(path) and (path.stat().st_mode & 0o777, path.read_bytes()) != (mode, data):
                    yield path

    def _mounted(self) -> list[_Mount]:
        """(mount id, device, where) of every mount, oldest first, read through a /proc that nobody can cover (proc(5), mountinfo)."""
        fd = os.open("self/mountinfo", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        with open(fd, encoding="utf-8", errors="surrogateescape") as file:
            fields = [line.split() for line in file]
        return [(int(own[0]), os.makedev(*map(int, own[2].split(":"))), unescape(own[4])) for own in fields]

    def _covered(self, mounted: list[_Mount]) -> Iterator[_Lacking]:
        """Where something was mounted over the room since. Names of namespaces are mounts too, and another's business.

        So is what ip-netns(8) does first: it mounts the directory of the names over itself. Another file system there hides them.
        """
        for number, device, target in reversed(mounted):
            named = target.startswith(f"{NETNS}/") or (target == NETNS and device == self._run)
            if number not in self._mounts and not named:
                yield target, partial(sc.unmount, target)

    def _moved(self, mounted: list[_Mount]) -> Iterator[_Lacking]:
        """Folders with a mount of the room's in them that bear another name: nothing else could make what is in them again."""
        now = {number: place for number, _, place in mounted}
        moved = ((now[number], place) for number, place in self._mounts.items() if now.get(number, place) != place)
        for is_at, was_at in dict.fromkeys(_renamed(Path(is_at), Path(was_at)) for is_at, was_at in moved):
            yield str(was_at), partial(have_back, is_at, was_at)

    def _directories(self) -> Iterator[_Lacking]:
        for name, mode in _DIRECTORIES:
            if not is_folder(name):
                yield name, partial(have_folder, name, mode)

    def _own_files(self) -> Iterator[_Lacking]:
        for path, (mode, data) in self._files.items():
            if not is_plain(path):
                yield str(path), partial(have_file, path, data, mode)

    def _links(self) -> Iterator[_Lacking]:
        """Of /dev as they were; of /etc into the machine's own, whatever they were."""
        for name, target in (*((f"/dev/{name}", target) for name, target in DEVICE_LINKS), *self._etc.lacking()):
            if not os.path.lexists(name):
                yield name, partial(os.symlink, target, name)


_Mount = tuple[int, int, str]
_Lacking = tuple[str, Callable[[], object]]
"""The path of what is not as it should be, and what puts that right, or raises OSError."""


def _renamed(is_at: Path, was_at: Path) -> tuple[Path, Path]:
    """The folder that was renamed so that what is below it has another path now: its name now, and before."""
    while is_at.name == was_at.name:
        is_at, was_at = is_at.parent, was_at.parent
    return is_at, was_at


def _tree(folder: str) -> Iterator[tuple[str, tuple[int, str | None]]]:
    """All that is below a folder, with the kind and mode of each (``st_mode``), and where a link leads."""
    folders = [folder]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry.path, (entry.stat(follow_symlinks=False).st_mode, os.readlink(entry.path) if entry.is_symlink() else None)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
