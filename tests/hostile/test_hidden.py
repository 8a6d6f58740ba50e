"""An agent under somebody else's control does not outlive what is known of its lab."""

from __future__ import annotations

import os
import select
import signal

from helpers.waiting import eventually
from hostile.helpers.hider import ENTRY
from netless_lab.sandbox import find
from netless_lab.sandbox.start import launch
from sandbox.helpers.alone import alone


@alone
def test_who_says_that_he_ends_is_ended() -> None:
    """A lab that has given its name away, and that nobody could end by it, is gone soon, and its keeper too."""
    started = launch("test", ENTRY).wait()
    agent, keeper = os.pidfd_open(started.pid), os.pidfd_open(started.keeper)
    try:
        assert eventually(lambda: find.labs() == ())
        assert eventually(lambda: _has_ended(agent)), "it lives on without a name"
        assert eventually(lambda: _has_ended(keeper))
    finally:
        if not _has_ended(agent):
            signal.pidfd_send_signal(agent, signal.SIGKILL)
        started.close()


def _has_ended(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], 0)[0])
