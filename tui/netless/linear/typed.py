"""Lines that somebody types, from a terminal that gives whole lines, or from a pipe or a file."""

from __future__ import annotations

import asyncio
import os
import select
import termios
from collections.abc import Callable
from typing import Final

from ..leaving import HungUp, Quit, ReadOut

_CHUNK: Final = 1 << 12


Given = str | Quit | ReadOut
"""A line, or that there are no more: ctrl+d, or the end of a script."""


class Lines:
    """``next`` gives one after the other. A terminal that has gone is told to ``gone`` at once."""

    def __init__(self, fd: int, gone: Callable[[HungUp], None]) -> None:
        self._fd, self._gone = fd, gone
        self._loop = asyncio.get_running_loop()
        self._lines = asyncio.Queue[Given]()
        self._begun = b""
        self.terminal = os.isatty(fd)

    def listen(self) -> None:
        """From now on what is typed is read."""
        try:
            self._loop.add_reader(self._fd, self._read)
        except PermissionError:  # a file is always ready, so that nothing can wait for it (epoll_ctl(2))
            while self._read():
                pass

    def pause(self) -> None:
        """Somebody else reads for a while, or nobody."""
        self._loop.remove_reader(self._fd)

    async def next(self) -> Given:
        """The next line, or the end."""
        return await self._lines.get()

    @property
    def ahead(self) -> bool:
        """Whether one was typed already: its echo stands above what is written now."""
        return not self._lines.empty() or bool(select.select([self._fd], [], [], 0)[0])

    def _read(self) -> bool:
        """Take what is there; whether more can come."""
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return True
        except OSError:  # EIO: the terminal has gone
            return self._end(HungUp())
        if not data and not self._begun:
            return self._end(_at_a_terminal(self._fd) if self.terminal else ReadOut())
        *lines, self._begun = (self._begun + data).split(b"\n")
        if not data:
            lines, self._begun = [self._begun], b""
        for line in lines:
            self._lines.put_nowait(line.decode(errors="replace").rstrip("\r"))
        return True

    def _end(self, why: Quit | ReadOut | HungUp) -> bool:
        if isinstance(why, HungUp):
            self.pause()
            self._gone(why)
        else:
            self._lines.put_nowait(why)
        if isinstance(why, ReadOut):
            self.pause()
        return isinstance(why, Quit)


def _at_a_terminal(fd: int) -> Quit | HungUp:
    """What an end of the input is at a terminal: ctrl+d, or that it has gone."""
    try:
        termios.tcgetattr(fd)
    except termios.error:
        return HungUp()
    return Quit()
