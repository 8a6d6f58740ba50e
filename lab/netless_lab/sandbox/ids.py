"""Who a room's root is to the machine outside.

To the kernel, who is root of a room is a user outside (user_namespaces(7)): for an ordinary user, he himself. For the machine's root it
must not be root, whom the files of /proc, /sys and every control group obey without asking for more: it is a user that nobody is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

from .way import NOBODYS

_LISTS: Final = (("/etc/passwd", 2, None), ("/etc/group", 2, None), ("/etc/subuid", 1, 2), ("/etc/subgid", 1, 2))
"""Files of colon-separated lines, the column of a number, and that of how many follow it (passwd(5), group(5), subuid(5), subgid(5))."""


class Outside(NamedTuple):
    """The user and group that a room's root is outside. ``nobody``: a user of nobody's, whom the machine's root becomes."""

    uid: int
    gid: int
    nobody: bool


def outside() -> Outside:
    """Who the root of a room that this process makes shall be."""
    if os.geteuid() == 0 and _is_mapped(NOBODYS):
        unused = next(number for number in range(NOBODYS, NOBODYS + 1_000_000) if not _is_taken(number))
        return Outside(unused, unused, True)
    return Outside(os.geteuid(), os.getegid(), False)


def _is_mapped(number: int) -> bool:
    """Whether our own user namespace knows this user; that of a room's root knows root alone."""
    ranges = [[int(field) for field in line.split()] for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]
    return any(first <= number < first + count for first, _, count in ranges)


def _is_taken(number: int) -> bool:
    return any(_holds(path, column, count_column, number) for path, column, count_column in _LISTS)


def _holds(path: str, column: int, count_column: int | None, number: int) -> bool:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    for line in lines:
        fields = line.split(":")
        try:
            first = int(fields[column])
            count = int(fields[count_column]) if count_column is not None else 1
        except (IndexError, ValueError):
            continue
        if first <= number < first + count:
            return True
    return False
