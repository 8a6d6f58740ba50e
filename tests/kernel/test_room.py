"""What is kept open only to be quicker leaves descriptors to those who need some."""

from __future__ import annotations

import os
import resource

from helpers.sandboxed import sandboxed
from netless_lab.kernel.room import has_room

MOST = 600
LEFT = 256


@sandboxed
def test_free_numbers_among_those_in_use_are_counted() -> None:
    """Of 600 descriptors 256 are to be left: whether they are goes by how many are open, and not by which numbers they have."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST, MOST))
    held = [os.open("/", os.O_PATH)]
    while len(os.listdir("/proc/self/fd")) - 1 < MOST - LEFT:
        held.append(os.dup(held[0]))
    assert has_room()
    beyond = [os.dup(held[0]) for _ in range(100)]
    assert not has_room() and has_room(2)
    os.close(beyond[0])  # the lowest number of those beyond
    assert not has_room()
    for fd in (*beyond[1:], *held):
        os.close(fd)
    assert has_room()
