"""The driver that writes to the terminal. Textual's own writes to standard error, which a person may have sent elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import IO, Any

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver


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


class TerminalDriver(LinuxDriver):
    """Writes to standard output when that is a terminal and standard error is not. Survives a terminal that is closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        out, err = sys.__stdout__, sys.__stderr__
        if out is not None and out.isatty() and (err is None or not err.isatty()):
            self._file = out
        self._file: Any = Outliving(self._file)

    def _sigcont_application(self, *args: Any) -> None:
        """Take the terminal again only after having given it back (SIGTSTP). SIGCONT also comes with a hang-up (tty_ioctl(4)), and after SIGSTOP:
        then Textual would start a second pair of threads that read and write."""
        if self._must_signal_resume:
            super()._sigcont_application(*args)


def own_driver() -> type[Driver] | None:
    """This driver, unless the environment names another (a browser session does)."""
    return None if os.environ.get("TEXTUAL_DRIVER") else TerminalDriver
