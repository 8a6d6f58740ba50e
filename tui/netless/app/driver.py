"""The driver that writes to the terminal. Textual's own writes to standard error, which a person may have sent elsewhere."""

from __future__ import annotations

import os
import sys
from typing import Any

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Writes to standard output when that is a terminal and standard error is not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        out, err = sys.__stdout__, sys.__stderr__
        if out is not None and out.isatty() and (err is None or not err.isatty()):
            self._file = out


def own_driver() -> type[Driver] | None:
    """This driver, unless the environment names another (a browser session does)."""
    return None if os.environ.get("TEXTUAL_DRIVER") else TerminalDriver
