"""The name servers a node would ask: the ``nameserver`` lines of its resolv.conf (resolv.conf(5)).

A container has its own root, so its own file. A namespace that is only a name shares the machine's files; ``ip netns exec NAME``
puts /etc/netns/NAME/resolv.conf in the place of /etc/resolv.conf (ip-netns(8)).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

_MOST_BYTES = 1 << 16


def read_resolvers(root: str | None, names: Iterable[str]) -> tuple[str, ...]:
    """The servers in ``root``/etc/resolv.conf; when there are none, those of the first of ``names`` that has any in /etc/netns.

    ``root`` is /proc/PID/root, "" for our own root, or None when no process lives in the node.
    """
    paths = [] if root is None else [f"{root}/etc/resolv.conf"]
    for path in (*paths, *(f"/etc/netns/{name}/resolv.conf" for name in names)):
        servers = _servers(path)
        if servers:
            return servers
    return ()


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
