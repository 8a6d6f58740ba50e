"""Tunnels: a VXLAN frame arrived, and no device took it (RFC 7348)."""

from __future__ import annotations

import re
from typing import Final

from ...model.journey import Fact
from ..case import Case
from ..cause import Cause, at_link, owner_words

_CARRIED: Final = re.compile(r"^(\S+) > (\S+) VXLAN (\d+): ")


def not_unpacked(case: Case) -> Cause | None:
    """The packet was last seen inside a tunnel's packet, in a node that has no device for that network."""
    hop = case.spot.hop
    carried = _CARRIED.match(hop.text) if hop is not None else None
    if hop is None or carried is None:
        return None
    outer, vni = carried[2], int(carried[3])
    owners = case.owners(outer)
    if not owners:
        text = f"the tunnel sends to {outer}, an address that nobody has"
        device = next((link for link in case.node(hop.node).links if link.vxlan is not None), None)
        return Cause("vxlan-remote", at_link(hop.node, device.name) if device else hop.node, text, (Fact(hop.text),))
    node = owners[0][0]
    if hop.node != node.name or hop.direction == "out":
        return None
    devices = [link for link in node.links if link.vxlan is not None]
    if not devices:
        text = f"the tunnel's packet reached {owner_words(node.name)}, which has no vxlan device to take it"
        return Cause(
            "vni-mismatch",
            node.name,
            text,
            (Fact(f"the packet is for network {vni}", case.ip(node.name, "-d link show type vxlan")),),
        )
    if not any(link.vxlan is not None and link.vxlan.vni == vni for link in devices):
        own = devices[0]
        assert own.vxlan is not None
        text = f"the packet came in for VXLAN network {vni}, but {own.name} of {owner_words(node.name)} belongs to network {own.vxlan.vni}: it is dropped"
        facts = (
            Fact(f"the packet carries VNI {vni}"),
            Fact(f"{own.name} has VNI {own.vxlan.vni}", case.ip(node.name, f"-d link show {own.name}")),
        )
        return Cause("vni-mismatch", at_link(node.name, own.name), text, facts, not case.blind)
    down = next((link for link in devices if link.vxlan is not None and link.vxlan.vni == vni and not link.up), None)
    if down is not None:
        fact = Fact(f"{down.name} is down", case.ip(node.name, f"link show {down.name}"))
        return Cause(
            "link-down",
            at_link(node.name, down.name),
            f"{down.name} of {owner_words(node.name)} is down",
            (fact,),
            True,
            case.ip(node.name, f"link set {down.name} up"),
        )
    return None
