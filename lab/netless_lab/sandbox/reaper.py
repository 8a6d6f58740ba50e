"""The ends of all processes of a room. PID 1 inherits every orphan of its pid namespace and must collect it (pid_namespaces(7)).

SIGCHLD wakes the reaper, which collects whatever has ended and tells those who asked. Python's own ``subprocess`` wants to collect
its children itself; while one of those may run, keep ``hands_off``: only watched processes are collected then, all others after.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

OnEnd = Callable[[int], None]
"""Called in the loop with the exit code; negative is the number of the signal that killed it."""
_REMEMBERED: Final = 64


class Reaper:
    """Belongs to one event loop, which must run in the main thread. ``close`` gives SIGCHLD back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: dict[int, OnEnd] = {}
        self._unclaimed: OrderedDict[int, int] = OrderedDict()
        self._busy = 0
        self._lock = threading.Lock()
        loop.add_signal_handler(signal.SIGCHLD, self.sweep)
        self.sweep()

    def close(self) -> None:
        """Stop collecting."""
        self._loop.remove_signal_handler(signal.SIGCHLD)

    def watch(self, pid: int, on_end: OnEnd) -> None:
        """Have ``on_end`` called once when this child ends; soon, when it has ended already. Any thread may call it."""
        with self._lock:
            code = self._unclaimed.pop(pid, None)
            if code is None or _is_ours(pid):
                self._watched[pid] = on_end
                code = None
        self._loop.call_soon_threadsafe(lambda: self.sweep() if code is None else on_end(code))

    def end(self, pid: int) -> None:
        """Kill a watched child; nothing when it was collected, since its number may be another's by now. Any thread may call it."""
        with self._lock:  # nobody collects it meanwhile
            if pid in self._watched and _is_ours(pid):
                os.kill(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def hands_off(self) -> Iterator[None]:
        """While inside, children that nobody watches are left to whoever started them (``subprocess``). Any thread may use it."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
            with contextlib.suppress(RuntimeError):  # the loop is closed: the room ends
                self._loop.call_soon_threadsafe(self.sweep)

    def sweep(self) -> None:
        """Collect everything that has ended by now and tell those who watch."""
        with self._lock:
            ended = list(self._collect())
        for on_end, code in ended:
            on_end(code)

    def _collect(self) -> Iterator[tuple[OnEnd, int]]:
        for pid in tuple(self._watched):
            ended = _collect_one(pid)
            if ended is not None:
                yield self._watched.pop(pid), ended[1]
        while not self._busy:
            ended = _collect_one(-1)
            if ended is None:
                return
            pid, code = ended
            on_end = self._watched.pop(pid, None)
            if on_end is not None:
                yield on_end, code
            else:
                self._unclaimed[pid] = code
                while len(self._unclaimed) > _REMEMBERED:
                    self._unclaimed.popitem(last=False)


def _is_ours(pid: int) -> bool:
    """Whether this is a child of ours that nobody has collected: then one that ended with its number was another."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _collect_one(pid: int) -> tuple[int, int] | None:
    """(pid, exit code) of a child that has ended, None when there is none."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return (found, os.waitstatus_to_exitcode(status)) if found else None
