"""Making a node a router, or not."""

from __future__ import annotations

from ...primitives.forwarding import KEY, SetForwarding
from ...primitives.sysctl import slashed
from ..namespace import write_sysctl
from ..toolbox import Toolbox


def set_forwarding(tools: Toolbox, action: SetForwarding) -> None:
    """Write net.ipv4.ip_forward; the kernel copies it to every interface of the node (ip-sysctl)."""
    write_sysctl(tools.namespace(action.node), slashed(KEY), "1" if action.on else "0")
