"""That what the app reads from is gone is noticed: a terminal that was closed, a browser's server that ended.

SIGHUP goes to the first process of a session only, and Textual reads on from a terminal that has nothing more to say (read(2) answers nothing
at once, for ever). The kernel tells a hang-up to whoever polls, even for nothing else (epoll_ctl(2), EPOLLHUP); an epoll can itself be watched
by the event loop (epoll(7)), so this costs neither a thread nor a look at what is typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import Callable


class HangupWatch:
    """Calls ``gone`` once, in the loop, when the other end of ``fd`` is no more. A file that cannot be polled never hangs up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, gone: Callable[[], None]) -> None:
        self._loop, self._gone = loop, gone
        self._poll = select.epoll()
        with contextlib.suppress(OSError):
            self._poll.register(fd, 0)
        loop.add_reader(self._poll.fileno(), self._noticed)

    def _noticed(self) -> None:
        if self._poll.poll(0):
            self.close()
            self._gone()

    def close(self) -> None:
        """Watch no longer. Harmless when called again."""
        if not self._poll.closed:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()
