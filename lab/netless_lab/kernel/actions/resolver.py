"""The name server lines of a node's own files."""

from __future__ import annotations

from ...primitives.resolver import FILE, ClearResolver, SetResolver
from ..toolbox import Toolbox


def set_resolver(tools: Toolbox, action: SetResolver) -> None:
    """One line in the file as the node's process sees it; written in place, for the file may be a mount."""
    _write(tools, action.node, f"nameserver {action.server}\n")


def clear_resolver(tools: Toolbox, action: ClearResolver) -> None:
    """An empty file."""
    _write(tools, action.node, "")


def _write(tools: Toolbox, node: str, text: str) -> None:
    with open(f"/proc/{tools.pid(node)}/root{FILE}", "w", encoding="ascii") as file:
        file.write(text)
