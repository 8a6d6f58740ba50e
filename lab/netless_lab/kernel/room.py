"""Whether descriptors are left for what is only kept open to be quicker next time, or to hear of more.

A picture, an action and a caller need some now and then; what is kept must not take those. Where the machine allows few (``ulimit -n``),
namespaces are opened anew for each look, and silent changes and packets are followed in as many as there is room for.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import resource
from typing import Final

RESERVED: Final = 256
"""Descriptors left to others; half of them where there are few at all."""
_OWN: Final = "/proc/self/fd"


def has_room(part: int = 1) -> bool:
    """Whether many descriptors are left: those reserved, or of these one ``part``."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most == resource.RLIM_INFINITY:
        return True
    try:
        return most - _used() >= _reserved(most) // part
    except OSError:
        return False


def need_room() -> None:
    """For what packets are heard by, which may have half of what is left by what is only kept to be quicker. Raises OSError (EMFILE) when that
    is used up too.
    """
    if not has_room(2):
        raise OSError(errno.EMFILE, "too few files may be open in this lab (ulimit -n)")


def make_table() -> None:
    """Have the kernel's table of open files as large as it gets, in a moment: once threads share it, it makes another in 9 ms (fs/file.c)."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most != resource.RLIM_INFINITY:
        with contextlib.suppress(OSError):
            held = os.open("/", os.O_PATH | os.O_CLOEXEC)
            try:
                os.close(fcntl.fcntl(held, fcntl.F_DUPFD_CLOEXEC, most - _reserved(most)))
            finally:
                os.close(held)


def _reserved(most: int) -> int:
    return min(RESERVED, most // 2)


def _used() -> int:
    """How many are open: the kernel says so by the size of the folder since 6.2 (proc(5)), and before that they are counted. Raises OSError."""
    return os.stat(_OWN).st_size or len(os.listdir(_OWN))
