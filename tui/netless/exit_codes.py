"""What the exit code of every verb means; scripts and graders may rely on it."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line."""

    PASS = 0
    """It worked; the check passed."""
    FAIL = 1
    """The check failed, or the probe was not answered."""
    USAGE = 2
    """Wrong usage, an unknown name, or a lesson that cannot be read."""
    MACHINE = 3
    """This machine cannot; `netless doctor` says why."""
    OURS = 4
    """A fault of netless itself."""
    NO_LAB = 5
    """There is no such lab: nothing was judged, and nothing was started."""
