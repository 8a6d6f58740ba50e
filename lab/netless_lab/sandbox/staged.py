"""What only the machine's root can lay ready for a room before he becomes somebody else: what that user could not open.

It lies on a memory file system in a mount namespace of its own; the room's is a copy of that one. The trees of our own code are shown
with their owner turned into the room's root (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12), so a checkout below /root, or one made with a
strict umask, can be read inside; on a file system that cannot do that they are shown as they are.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..kernel import syscalls as sc
from .ids import Outside

_TUN = os.makedev(10, 200)
"""Documentation/networking/tuntap.rst"""


class Staged(NamedTuple):
    """Where things are to be taken from instead of from their own place."""

    places: Mapping[str, str] = MappingProxyType({})

    def source(self, path: str) -> str:
        """Where to take this from."""
        return self.places.get(path, path)


def stage(trees: tuple[str, ...], place: str, who: Outside) -> Staged:
    """Lay ready the trees and a tun device that anybody may open, in a new mount namespace, at ``place``. Raises OSError."""
    sc.unshare(sc.CLONE_NEWNS)
    sc.mount(None, "/", None, sc.MS_REC | sc.MS_PRIVATE)
    mapping = sc.user_namespace(who.uid, who.gid)
    found = [(path, sc.open_tree(path)) for path in trees if os.path.exists(path)]
    sc.mount("tmpfs", place, "tmpfs", sc.MS_NOSUID, "mode=755,size=64k")
    places: dict[str, str] = {}
    for number, (path, tree) in enumerate(found):
        with contextlib.suppress(OSError):  # a file system without it
            sc.map_owner(tree, mapping)
        places[path] = f"{place}/{number}"
        if stat.S_ISDIR(os.fstat(tree).st_mode):
            os.mkdir(places[path])
        else:
            os.close(os.open(places[path], os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
        sc.move_tree(tree, places[path])
        os.close(tree)
    os.close(mapping)
    if os.path.exists("/dev/net/tun"):
        places["/dev/net/tun"] = f"{place}/tun"
        os.mknod(places["/dev/net/tun"], stat.S_IFCHR, _TUN)
        os.chmod(places["/dev/net/tun"], 0o666)
    return Staged(places)
