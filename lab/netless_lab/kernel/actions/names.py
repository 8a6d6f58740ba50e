"""Giving namespaces names and taking them away."""

from __future__ import annotations

from ...primitives.names import NameAttach, NameSymlink, Unname
from ..mounts import name_by_mount, name_by_symlink, take_name
from ..toolbox import Toolbox


def name_symlink(tools: Toolbox, action: NameSymlink) -> None:
    """A link into /proc: it leads to whatever process has that number."""
    name_by_symlink(f"/proc/{tools.pid(action.node)}/ns/net", action.name)


def name_attach(tools: Toolbox, action: NameAttach) -> None:
    """A mount: it keeps the namespace alive."""
    name_by_mount(f"/proc/{tools.pid(action.node)}/ns/net", action.name)


def unname(tools: Toolbox, action: Unname) -> None:
    """Either kind."""
    take_name(action.name)
