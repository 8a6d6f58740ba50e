"""Whether descriptors are left for what is only kept open to be quicker next time, or to hear of more.

A picture, an action and a caller need some now and then; what is kept must not take those. Where the machine allows few (``ulimit -n``),
namespaces are opened anew for each look, and silent changes and packets are followed in as many as there is room for.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
from typing import Final

RESERVED: Final = 256
"""Descriptors left to others; half of them where there are few at all."""


def has_room(part: int = 1) -> bool:
    """Whether many descriptors are left: those reserved, or of these one ``part``.

    Counting them would cost as much as there are: the lowest free numbers are given out first (open(2)), so while the first of the reserved
    ones is free, all of them are.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most == resource.RLIM_INFINITY:
        return True
    first = most - min(RESERVED, most // 2) // part
    try:
        held = os.open("/", os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fd = fcntl.fcntl(held, fcntl.F_DUPFD_CLOEXEC, first)
    except OSError:
        return False
    finally:
        os.close(held)
    os.close(fd)
    return fd == first


def need_room() -> None:
    """For what packets are heard by, which may have half of what is left by what is only kept to be quicker. Raises OSError (EMFILE) when that
    is used up too.
    """
    if not has_room(2):
        raise OSError(errno.EMFILE, "too few files may be open in this lab (ulimit -n)")
