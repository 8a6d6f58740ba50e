"""Who leads the session on a terminal, known by the terminal's controlling end: whether it goes on, and how it ended, also for who is not its parent."""

from __future__ import annotations

import fcntl
import os
import struct
from typing import Final

_TIOCGSID: Final = 0x5429
"""ioctl_tty(2)"""
_GET_INFO: Final = 0xC040FF0B
_INFO: Final = struct.Struct("=Q52xi")
_EXIT: Final = 1 << 3
"""PIDFD_GET_INFO, struct pidfd_info as it was first, and PIDFD_INFO_EXIT (include/uapi/linux/pidfd.h)."""


def number(master: int) -> int:
    """Its number; 0 when nobody leads a session there."""
    try:
        found: int = struct.unpack("i", fcntl.ioctl(master, _TIOCGSID, bytes(4)))[0]
    except OSError:
        return 0
    return found


def watch(master: int) -> int:
    """A descriptor of it (pidfd_open(2)); -1 when there is none to be had."""
    leader = number(master)
    try:
        watched = os.pidfd_open(leader)
    except (OSError, ValueError):
        return -1
    if number(master) == leader:
        return watched
    os.close(watched)  # it had ended, and somebody else has its number
    return -1


def exit_code(watched: int) -> int | None:
    """What the watched one ended with, negative for the signal that killed it. None as long as its parent has not asked for that, and where the kernel
    does not say (before Linux 6.15).
    """
    try:
        mask, status = _INFO.unpack(fcntl.ioctl(watched, _GET_INFO, _INFO.pack(_EXIT, 0)))
    except OSError:
        return None
    return os.waitstatus_to_exitcode(status) if mask & _EXIT else None
