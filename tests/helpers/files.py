"""How many files may be open, for tests of what has none to spare. To be used inside ``@sandboxed``."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

_MOST, _LEFT = 256, 56
"""How many may be open, and how many of them are left: enough to look at a node, less than what is kept in reserve."""


@contextmanager
def no_file_to_spare() -> Iterator[None]:
    """This process may have hardly more files open than it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    while not held or held[-1] < _MOST - _LEFT:
        held.append(os.open("/", os.O_PATH | os.O_CLOEXEC))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST, hard))
    try:
        yield
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
