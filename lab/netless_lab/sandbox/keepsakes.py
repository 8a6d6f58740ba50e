"""What a learner may throw away of the room itself, ``rm -rf /`` for one, and how it comes back with the next reset.

The machine's root is read-only, so only the room's own memory file systems can suffer: /run, /tmp, /etc and /dev. And a learner may
mount something over any place of it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..room import BIN, HOME, NETLESS, NETNS
from . import syscalls as sc
from .furniture import CONTAINERS, DEVICE_LINKS, MACHINE_ETC, unescape

_DIRECTORIES: Final = (
    (NETNS, 0o755), (NETLESS, 0o755), (BIN, 0o755), (CONTAINERS, 0o755), ("/run/lock", 0o755), ("/etc/netns", 0o755), (HOME, 0o700),
)  # fmt: skip
_OWN_ETC: Final = ("hostname", "hosts", "resolv.conf")


class Keepsakes:
    """What the room held when the lab began. Make it in the agent before any learner comes."""

    def __init__(self) -> None:
        self._proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._mounts = frozenset(number for number, _, _ in self._mounted())
        self._run = os.stat(NETNS).st_dev
        self._hostname = socket.gethostname()
        self._etc = frozenset(os.listdir("/etc"))
        files = [*Path(BIN).iterdir(), Path(HOME, ".bashrc"), *(Path("/etc", name) for name in _OWN_ETC)]
        self._files = {path: (path.stat().st_mode & 0o777, path.read_bytes()) for path in files if path.is_file()}

    def put_back(self) -> tuple[str, ...]:
        """Bring back what is missing, and leave all else alone; the paths that were. 0.1 ms when nothing is."""
        if socket.gethostname() != self._hostname:
            socket.sethostname(self._hostname)
        missing = [*self._uncovered(), *self._directories(), *self._own_files(), *self._links()]
        return tuple(missing)

    def _mounted(self) -> list[tuple[int, int, str]]:
        """(mount id, device, where) of every mount, oldest first, read through a /proc that nobody can cover (proc(5), mountinfo)."""
        fd = os.open("self/mountinfo", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        with open(fd, encoding="utf-8", errors="surrogateescape") as file:
            fields = [line.split() for line in file]
        return [(int(own[0]), os.makedev(*map(int, own[2].split(":"))), unescape(own[4])) for own in fields]

    def _uncovered(self) -> Iterator[str]:
        """Take away what was mounted over the room since. Names of namespaces are mounts too, and another's business.

        So is what ip-netns(8) does first: it mounts the directory of the names over itself. Another file system there hides them.
        """
        for number, device, target in reversed(self._mounted()):
            named = target.startswith(f"{NETNS}/") or (target == NETNS and device == self._run)
            if number not in self._mounts and not named:
                with contextlib.suppress(OSError):
                    sc.unmount(target)
                yield target

    def _directories(self) -> Iterator[str]:
        for name, mode in _DIRECTORIES:
            if not os.path.isdir(name):
                with contextlib.suppress(OSError):
                    os.makedirs(name, mode)
                yield name

    def _own_files(self) -> Iterator[str]:
        for path, (mode, data) in self._files.items():
            if not os.path.lexists(path):
                with contextlib.suppress(OSError):
                    path.write_bytes(data)
                    path.chmod(mode)
                yield str(path)

    def _links(self) -> Iterator[str]:
        """Of /dev as they were; of /etc into the machine's own, whatever they were."""
        gone = self._etc - set(os.listdir("/etc"))
        links = {f"/dev/{name}": target for name, target in DEVICE_LINKS} | {f"/etc/{name}": f"{MACHINE_ETC}/{name}" for name in gone}
        for name, target in links.items():
            if not os.path.lexists(name):
                with contextlib.suppress(OSError):
                    os.symlink(target, name)
                yield name
