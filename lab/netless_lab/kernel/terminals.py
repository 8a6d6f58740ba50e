"""Hear that a command has ended at a terminal of the lab, whatever shell ran it and whoever started that.

A shell collects what it ran and shows its prompt then. That it writes is an event of its terminal (inotify(7); of the terminal itself, for since Linux 6.13
its folder tells nothing of what is read and written below it). That it has collected somebody shows in what the kernel counts for it of its children
(cminflt of proc_pid_stat(5)): a program that only prints, or somebody who types, changes nothing there.

Not heard: what a shell does by itself (``echo 1 >/proc/sys/...``), what a program on no terminal does, and what one does that runs on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from typing import Final

from .inotify import OVERFLOW, Inotify

TERMINALS: Final = "/dev/pts"
_MODIFY: Final = 0x2
_SOON_S: Final = 0.02
"""From what a terminal shows until the look at who has ended there."""
_REST: Final = 20
"""After a look it is rested for so many times as long as that took, whatever is shown meanwhile: the lab may be full of processes that print, and
each of what they print would wake us.
"""
_TERMINAL, _FAULTS_OF_CHILDREN = 4, 8
"""Of the fields of /proc/PID/stat behind the name of the program: tty_nr and cminflt."""


class Terminals:
    """Calls ``on_end`` in the loop soon after a command has ended. Belongs to one loop, whose process sees all of the lab."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
        self._loop, self._on_end = loop, on_end
        self._timer: asyncio.TimerHandle | None = None
        self._pause_s = _SOON_S
        self._collected = _collected()
        self._inotify: Inotify | None = None
        with contextlib.suppress(OSError):  # none left for this user: then what makes no event is noticed by who asks
            self._inotify = Inotify()
            self._folder = self._inotify.watch(TERMINALS)
            self._watch_all()
            loop.add_reader(self._inotify.fileno(), self._heard)

    def close(self) -> None:
        """Hear nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._inotify.close()

    def _heard(self) -> None:
        """Something was shown: look soon, and hear nothing more until then."""
        assert self._inotify is not None
        self._loop.remove_reader(self._inotify.fileno())
        self._timer = self._loop.call_later(self._pause_s, self._look)

    def _look(self) -> None:
        assert self._inotify is not None
        self._timer, began = None, time.monotonic()
        if any(event.watch in (self._folder, OVERFLOW) for event in tuple(self._inotify.read())):
            self._watch_all()
        before, self._collected = self._collected, _collected()
        self._pause_s = max(_SOON_S, _REST * (time.monotonic() - began))
        self._loop.add_reader(self._inotify.fileno(), self._heard)
        if any(faults > before.get(pid, faults) for pid, faults in self._collected.items()):
            self._on_end()

    def _watch_all(self) -> None:
        assert self._inotify is not None
        for name in _listed(TERMINALS):
            self._inotify.watch(f"{TERMINALS}/{name}", _MODIFY)


def _collected() -> dict[int, int]:
    """What the children had of page faults that each process on a terminal has collected: one who has ended had some."""
    found: dict[int, int] = {}
    for name in _listed("/proc"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            if int(fields[_TERMINAL]):
                found[int(name)] = int(fields[_FAULTS_OF_CHILDREN])
    return found


def _listed(folder: str) -> list[str]:
    """The entries that are numbers."""
    with contextlib.suppress(OSError):
        return [name for name in os.listdir(folder) if name.isdecimal()]
    return []
