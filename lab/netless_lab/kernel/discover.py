"""Every network namespace that can be reached from here, so that nothing a learner makes stays unseen.

A namespace is found by a process that lives in it, or by a name in /run/netns. One that has neither any more is gone, for people and
for the lab, even if a descriptor still keeps it alive. How a namespace the lab did not make is called: its container's host name; else its
name in /run/netns; else ``ns-PID``.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Iterable, Sequence

from ..model.snapshot import Name, Role
from ..room import NETNS
from .names import names_by_inode, read_names
from .namespace import Namespace, call_in, hostname_in, out_of_files
from .read import NodeRef


def inhabited() -> dict[int, list[int]]:
    """Inode of each network namespace with processes in it -> their pids, lowest first. 10 microseconds a process.

    Processes that end meanwhile, and those we may not look into, are left out.
    """
    found: dict[int, list[int]] = {}
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdecimal()):
        try:
            found.setdefault(os.stat(f"/proc/{pid}/ns/net").st_ino, []).append(pid)
        except OSError:
            continue
    return found


class Discovery:
    """Finds nodes, and keeps the namespaces open that it found itself, for as long as they are there.

    The process that a namespace was found by stays its own as long as it lives there: others may come with a lower number and belong
    elsewhere in all but their network.
    """

    def __init__(self) -> None:
        self._strangers: dict[int, Namespace] = {}
        self._pids: dict[int, int] = {}
        self._ours = socket.gethostname()  # as at the beginning: whoever forgets --uts gives our host another name later

    def close(self) -> None:
        """Let go of every namespace found."""
        for namespace in self._strangers.values():
            namespace.close()
        self._strangers.clear()

    def scan(self, known: Sequence[NodeRef]) -> tuple[NodeRef, ...]:
        """``known`` as they are, then every other namespace, in the order in which they were first seen.

        The handles of the others belong to this object: they are closed by the scan that no longer finds them, so ask anew instead of
        keeping a ref. The same namespace gets an equal ref every time, unless its name or process changed.
        """
        living, names = inhabited(), read_names()
        own = {ref.namespace.inode for ref in known}
        self._pids = pids = {
            inode: pid if (pid := self._pids.get(inode)) in there else _inhabitant(there, self._ours) for inode, there in living.items() if inode not in own
        }
        present = (pids.keys() | {name.netns for name in names if name.netns is not None}) - own
        for gone in self._strangers.keys() - present:
            self._strangers.pop(gone).close()
        for inode in sorted(present - self._strangers.keys()):
            opened = _open(inode, pids.get(inode), names)
            if opened is not None:
                self._strangers[inode] = opened
        taken = {ref.name for ref in known}
        refs, leading = list(known), names_by_inode(names)
        for inode, namespace in self._strangers.items():
            name, role = _identity(inode, pids.get(inode), leading.get(inode, ()), self._ours)
            refs.append(NodeRef(_unique(name, taken), role, namespace, pids.get(inode)))
        return tuple(refs)


def _inhabitant(pids: Sequence[int], ours: str) -> int:
    """The process that says best what a namespace is: one under a host name of its own before a guest, an older before a younger."""
    return min(pids, key=lambda pid: (not _hostname(pid, ours), _started(pid))) if len(pids) > 1 else pids[0]


def _started(pid: int) -> float:
    """When a process started, in clock ticks since boot (proc_pid_stat(5), starttime); infinite when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except OSError:
        return math.inf


def _open(inode: int, pid: int | None, names: Iterable[Name]) -> Namespace | None:
    """A handle to the namespace; None when it went away, or its process or name now leads somewhere else."""
    paths = [f"/proc/{pid}/ns/net"] if pid is not None else []
    for path in (*paths, *(f"{NETNS}/{name.name}" for name in names if name.netns == inode)):
        try:
            opened = Namespace.at(path)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and out_of_files(error):
                raise
            continue
        if opened.inode == inode:
            return _freed(opened)
        opened.close()
    return None


def _freed(opened: Namespace) -> Namespace:
    """A handle that holds the namespace but not the mount it was found by: a learner may umount(8) that name at any time."""
    with opened:
        return call_in(opened, Namespace.own)


def _identity(inode: int, pid: int | None, names: Sequence[str], ours: str) -> tuple[str, Role]:
    """What to call a namespace, and what it is."""
    hostname = _hostname(pid, ours) if pid is not None else ""
    if hostname:
        return hostname, "container"
    return names[0] if names else f"ns-{pid if pid is not None else inode}", "unknown"


def _hostname(pid: int, ours: str) -> str:
    """The host name that ``pid`` lives under, "" when it is ``ours``, lives where ours does or cannot be seen."""
    path = f"/proc/{pid}/ns/uts"
    try:
        if os.stat(path).st_ino == os.stat("/proc/self/ns/uts").st_ino:
            return ""
        found = hostname_in(path)
    except OSError as error:
        if out_of_files(error):
            raise
        return ""
    return "" if found == ours else found


def _unique(name: str, taken: set[str]) -> str:
    """``name``, or ``name-2`` and so on when it is taken."""
    chosen, count = name, 1
    while chosen in taken:
        count += 1
        chosen = f"{name}-{count}"
    taken.add(chosen)
    return chosen
