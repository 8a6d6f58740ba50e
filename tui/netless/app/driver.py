"""The driver that writes to the terminal. Textual's own writes to standard error, which a person may have sent elsewhere.

Notice that what the app reads from is gone: a terminal that was closed, a browser's server that ended.

SIGHUP goes to the first process of a session only, and Textual reads on from a terminal that has nothing more to say (read(2) answers
nothing at once, for ever). The kernel tells a hang-up to whoever polls, even for nothing else (epoll_ctl(2), EPOLLHUP); an epoll can
itself be watched by the event loop (epoll(7)), so this costs neither a thread nor a look at what is typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import sys
import termios
from collections.abc import Callable
from typing import IO, Any, Final, Protocol, runtime_checkable

from textual import events
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_ORDINARY: Final = "\x18" + "".join(f"\x1b[?{mode}l" for mode in (2004, 2048, 1000, 1003, 1015, 1006, 1016, 1004)) + "\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
"""What takes back all that Textual switches on (``LinuxDriver.start_application_mode``); CAN ends a sequence that was cut off (ECMA-48, 8.3.6)."""
_READS_S: Final = 1.0
"""How long a terminal may take to read."""


class Outliving:
    """A terminal to write to that may go away. Textual's writing thread would end with it, and whoever writes then waits for ever."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write, if there is still somebody to read."""
        with contextlib.suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """The same."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._file.fileno()


@runtime_checkable
class HearsKeys(Protocol):
    """An app that is told of keys before its loop comes to them, if it ever does."""

    def key_read(self, key: str) -> None:
        """A key was read; in the thread that reads."""


class TerminalDriver(LinuxDriver):
    """Writes to standard output when that is a terminal and standard error is not. Survives a terminal that is closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        out, err = sys.__stdout__, sys.__stderr__
        if out is not None and out.isatty() and (err is None or not err.isatty()):
            self._file = out
        self._file: Any = Outliving(self._file)

    def process_message(self, message: Message) -> None:
        """Pass a message on to the app, in the thread that reads the terminal."""
        if isinstance(message, events.Key) and isinstance(self._app, HearsKeys):
            self._app.key_read(message.key)
        super().process_message(message)

    def give_back(self, words: str) -> None:
        """Give the terminal back as it was and say something on it, at once and from any thread: for when nothing of ours may be waited for.

        What ``stop_application_mode`` writes goes by a thread that may be waiting for the terminal itself.
        """
        with contextlib.suppress(OSError, termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        with contextlib.suppress(OSError):
            if select.select([], [self._file.fileno()], [], _READS_S)[1]:
                os.write(self._file.fileno(), (_ORDINARY + words + "\n").encode())

    def _sigcont_application(self, *args: Any) -> None:
        """Take the terminal again only after having given it back (SIGTSTP). SIGCONT also comes with a hang-up (tty_ioctl(4)), and after SIGSTOP:
        then Textual would start a second pair of threads that read and write."""
        if self._must_signal_resume:
            super()._sigcont_application(*args)


def own_driver() -> type[Driver] | None:
    """This driver, unless the environment names another (a browser session does)."""
    return None if os.environ.get("TEXTUAL_DRIVER") else TerminalDriver


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
