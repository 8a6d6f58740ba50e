"""Writing one setting."""

from __future__ import annotations

from ...primitives.sysctl import SetSysctl, slashed
from ..namespace import write_sysctl
from ..toolbox import Toolbox


def set_sysctl(tools: Toolbox, action: SetSysctl) -> None:
    """Write the file below /proc/sys from inside the namespace."""
    write_sysctl(tools.namespace(action.node), slashed(action.key), action.value)
