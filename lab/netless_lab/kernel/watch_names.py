"""Hear of names in /run/netns that come, go, or begin to lead somewhere else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
from collections.abc import Callable

from .inotify import Inotify
from .names import DIRECTORY


class NamesWatch:
    """Entries of /run/netns: files and links by inotify, mounts on them by the mount table, which polls as changed (proc(5))."""

    def __init__(self, loop: asyncio.AbstractEventLoop, note: Callable[[], None]) -> None:
        self._loop, self._note = loop, note
        self._inotify: Inotify | None = None
        self._directory: int | None = None
        with contextlib.suppress(OSError):  # none left for this user: the mount table and the pulse still tell
            self._inotify = Inotify()
            self._inotify.watch(os.path.dirname(DIRECTORY))
            self._directory = self._inotify.watch(DIRECTORY)
            loop.add_reader(self._inotify.fileno(), self._entries)
        self._mounts = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.epoll()
        self._poll.register(self._mounts, select.EPOLLPRI | select.EPOLLERR)
        self._poll.poll(0)
        loop.add_reader(self._poll.fileno(), self._mounted)

    def close(self) -> None:
        """Stop watching."""
        self._loop.remove_reader(self._poll.fileno())
        self._poll.close()
        os.close(self._mounts)
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._inotify.close()

    def _entries(self) -> None:
        """In the directory anything counts, in its parent only the directory itself."""
        assert self._inotify is not None
        for event in self._inotify.read():
            if event.watch == self._directory:
                self._directory = None if event.lost else self._directory
                self._note()
            elif event.name == os.path.basename(DIRECTORY):
                self._directory = self._inotify.watch(DIRECTORY)
                self._note()

    def _mounted(self) -> None:
        self._poll.poll(0)
        self._note()
