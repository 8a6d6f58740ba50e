"""How many files may be open, for tests of what has none to spare. To be used inside ``@sandboxed``."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

_LEFT = 56
"""How many files may be opened still: enough to look at a node, less than what is kept in reserve."""
_USED = 256
"""So many at least are open then: what is kept in reserve grows with how many may be (``kernel.room``), and of few it would be less than what is left."""


@contextmanager
def no_file_to_spare(left: int = _LEFT) -> Iterator[None]:
    """This process may have hardly more files open than it has, however many or few it was forked with: so many as are ``left``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = max(_USED - 1, *map(int, os.listdir("/proc/self/fd")))
    held: list[int] = []
    while not held or held[-1] < last:
        held.append(os.open("/", os.O_PATH | os.O_CLOEXEC))
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1] + 1 + left, hard))
    try:
        yield
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
