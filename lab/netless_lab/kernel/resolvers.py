"""The name servers a node would ask: the ``nameserver`` lines of its resolv.conf (resolv.conf(5)).

What lives in a node reads the file of its own root. /etc/netns/NAME/resolv.conf is read by whoever enters by ``ip netns exec NAME``, which
puts it in the place of /etc/resolv.conf (ip-netns(8)), and by nobody else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

ETC_NETNS: Final = "/etc/netns"
"""Where ``ip netns exec`` looks for files to put in the place of those in /etc, a folder for each name."""
_MOST_BYTES: Final = 1 << 16


def read_resolvers(root: str) -> tuple[str, ...]:
    """The servers in ``root``/etc/resolv.conf. ``root`` is /proc/PID/root, or "" for our own root."""
    return _servers(f"{root}/etc/resolv.conf")


def resolvers_by_name(names: Iterable[str]) -> tuple[str, ...]:
    """The servers that /etc/netns has for the first of a namespace's ``names`` for which it has any."""
    return next((servers for name in names if (servers := _servers(f"{ETC_NETNS}/{name}/resolv.conf"))), ())


def _servers(path: str) -> tuple[str, ...]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        content = os.read(fd, _MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ()
    finally:
        os.close(fd)
    words = (line.split() for line in content.splitlines())
    return tuple(line[1] for line in words if len(line) > 1 and line[0] == "nameserver")
