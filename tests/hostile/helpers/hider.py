"""Agents under somebody else's control that want their lab to outlive whatever is known of it. The room's argument says by which way.

``ends``      says that it ends, so that nobody finds its lab any more, and does not
``hangs up``  closes its line to the keeper
``babbles``   says that it is ready in words that are none, tied to nobody any more
``stays``     does nothing at all, and does not heed that its keeper has gone
"""

from __future__ import annotations

import os
import time

from netless_lab.kernel import syscalls as sc
from netless_lab.sandbox.lines import HEADER, LAST, READY
from netless_lab.sandbox.pid1 import Room

ENTRY = "hostile.helpers.hider:main"


def main(room: Room) -> None:
    """PID 1: do it, and stay."""
    if room.argument == "babbles":
        sc.set_parent_death_signal(0)
        os.write(room.words, HEADER.pack(READY, 1) + b"{")
    else:
        room.ready()
    if room.argument == "ends":
        for _ in range(2):
            os.write(room.words, HEADER.pack(LAST, 0))
    if room.argument == "hangs up":
        os.close(room.words)
    while True:
        time.sleep(1)
