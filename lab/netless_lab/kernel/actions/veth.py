"""Making a cable."""

from __future__ import annotations

from ...primitives.veth import CreateVeth
from ..toolbox import Toolbox


def create_veth(tools: Toolbox, action: CreateVeth) -> None:
    """Both ends in one request; the far end is born in its own namespace when one is named (veth(4), VETH_INFO_PEER)."""
    peer: dict[str, str | int] = {"ifname": action.peer}
    if action.peer_node is not None and action.peer_node != action.node:
        peer["net_ns_fd"] = tools.namespace(action.peer_node).fileno()
    tools.route(action.node).link("add", ifname=action.name, kind="veth", peer=peer)
