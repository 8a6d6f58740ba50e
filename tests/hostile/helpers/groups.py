"""Groups of processes (cgroups) of the tests' own, made in the machine's trees by root and removed afterwards.

The playing machine and its lab are in one, and know nothing above it (cgroup_namespaces(7)); those to be harmed are in groups below.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers import forked
from helpers.forked import NEWNS, PRIVATE, mount
from helpers.waiting import eventually

BAIT, KILLED = "bait", "bait-killed"
_KINDS = (("cgroup2", ""), ("cgroup", "freezer"))


class Groups:
    """``name`` is that of the one group in each tree; ``has`` says which trees there are."""

    def __init__(self) -> None:
        self.name = f"netless-hostile-{os.getpid()}"
        self.has = {kind: os.geteuid() == 0 and _in_child(functools.partial(self._make, kind)) for kind, _ in _KINDS}

    def enter(self) -> None:
        """The calling process goes in, and what it begins from now on. It needs a mount namespace of its own."""
        for _, tree in _mounted(self.has):
            for below in (BAIT, KILLED):
                os.makedirs(f"{tree}/{self.name}/{below}", exist_ok=True)
            Path(tree, self.name, "cgroup.procs").write_text("0", encoding="ascii")

    def close(self) -> None:
        """Remove all: what is in it has been ended, and goes once it is not frozen any more."""
        if any(self.has.values()):
            assert _in_child(self._thaw) and _in_child(self._remove), f"the group {self.name} is left"

    def _make(self, wanted: str) -> None:
        for _, tree in _mounted({wanted: True}):
            os.mkdir(f"{tree}/{self.name}")
            return
        raise FileNotFoundError(wanted)

    def _below(self, tree: str) -> list[str]:
        return sorted((folder for folder, _, _ in os.walk(f"{tree}/{self.name}")), reverse=True)

    def _thaw(self) -> None:
        """In every tree, before anything is removed: who is frozen in one of them does not end."""
        for kind, tree in _mounted(self.has):
            name, word = ("cgroup.freeze", "0") if kind == "cgroup2" else ("freezer.state", "THAWED")
            for group in self._below(tree):
                Path(group, name).write_text(word, encoding="ascii")

    def _remove(self) -> None:
        for _, tree in _mounted(self.has):
            for group in self._below(tree):
                if not eventually(functools.partial(_is_gone, group)):
                    raise TimeoutError(group)


def _is_gone(group: str) -> bool:
    with contextlib.suppress(OSError):
        os.rmdir(group)
    return not os.path.exists(group)


def _mounted(has: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """(kind, where its tree is) for each, mounted while it is looked at, seen by this process alone. v1 only where the machine has it."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        old = {name for line in file for name in line.split(":")[1].split(",")}
    for kind, options in _KINDS:
        if has.get(kind) and (not options or options in old):
            mount(kind, "/mnt", kind, 0, options)
            yield kind, "/mnt"
            forked.check(ctypes.CDLL(None).umount2(b"/mnt", 2), "umount")


def _in_child(work: Callable[[], None]) -> bool:
    """Do it in a process with mounts of its own; whether it could be done."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            forked.unshare(NEWNS)
            mount(None, "/", None, PRIVATE)
            work()
            code = 0
        except OSError:
            pass
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0
