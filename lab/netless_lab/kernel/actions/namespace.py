"""Containers that come and go, and empty namespaces."""

from __future__ import annotations

import ctypes
import os

from ...primitives.namespace import AddNetns, DeleteNetns, StartContainer, StopContainer
from ..mounts import name_by_mount, take_name
from ..names import DIRECTORY
from ..namespace import CLONE_NEWNET, Namespace, in_thread
from ..sweep import delete_all
from ..toolbox import Toolbox

_libc = ctypes.CDLL(None, use_errno=True)


def start_container(tools: Toolbox, action: StartContainer) -> None:
    """The launcher's work; the next action of the batch may speak of the new node already."""
    tools.made(tools.launcher.launch(action.node))


def stop_container(tools: Toolbox, action: StopContainer) -> None:
    """The launcher's work, once nothing of ours holds the namespace. Raises NoSuchNode when no such container runs."""
    tools.pid(action.node)
    tools.gone(action.node)
    tools.launcher.stop(action.node)


def add_netns(tools: Toolbox, action: AddNetns) -> None:
    """A thread enters a new namespace, the name is mounted on it, the thread ends, the name keeps it."""

    def unshared() -> None:
        if _libc.unshare(CLONE_NEWNET):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        name_by_mount("/proc/thread-self/ns/net", action.name)

    in_thread(unshared)


def delete_netns(tools: Toolbox, action: DeleteNetns) -> None:
    """Its links first, when nobody lives in it: else the far ends of their cables would stay for 20 ms and block their names."""
    path = f"{DIRECTORY}/{action.name}"
    if os.path.exists(path) and not _inhabited(path):
        with Namespace.at(path) as namespace:
            delete_all(namespace)
    tools.gone(action.name)
    take_name(action.name)


def _inhabited(path: str) -> bool:
    """Whether any process that we can see lives in the namespace at ``path``."""
    inode = os.stat(path).st_ino
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                if os.stat(f"/proc/{entry}/ns/net").st_ino == inode:
                    return True
            except OSError:
                continue
    return False
