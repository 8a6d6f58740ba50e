"""Where a packet goes that somebody asks for: a node's name stands for its address, a name with a dot is looked up in the lab. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

from ..errors import Refusal
from ..model.addresses import is_address, plain
from ..model.probe import Connect, Ping, Probe, Udp
from ..model.snapshot import Node, Snapshot

_MEANT_AS_ADDRESS: Final = re.compile(r"[0-9.]+|[0-9.]+/.*|[^/]*:.*")
"""What can be no name: digits and dots, an address with its prefix length, or something with a colon."""


def aimed(snapshot: Snapshot, probe: Probe, *, named: bool = False) -> Probe:
    """The probe with the address that its target means; ``named``: it is a name, whatever node is called so. A page, and a name that is looked
    up, are what they are. Raises Refusal.
    """
    if not isinstance(probe, Ping | Connect | Udp):
        return probe
    return msgspec.structs.replace(probe, to=_name(probe.to) if named else address(snapshot, probe.node, probe.to))


def address(snapshot: Snapshot, source: str, target: str) -> str:
    """An address as it is; a node's name stands for an address of its, one in a network of the ``source`` where it has any; a name with a dot stays.
    Raises Refusal.
    """
    if is_address(target):
        return plain(target)
    if _MEANT_AS_ADDRESS.fullmatch(target):
        raise Refusal(f"{target} is not an address: {_form(target)}")
    node = snapshot.node(target)
    if node is None:
        if "." in target:
            return target
        names = tuple(known.name for known in snapshot.nodes)
        raise Refusal(f"{target} is neither an address nor a node of this lab", nearest=names)
    if (own := node.address_for(snapshot.node(source))) is not None:
        return own
    raise Refusal(f"the node {target} has no address yet, so nothing can be sent to it", code=1)


def insist_on_one_receiver(sender: Node | None, probe: Probe) -> None:
    """Raises Refusal for an address of many, and for a link-local one without its link (RFC 4007, section 11). A sender that is none is told later."""
    if sender is None or not isinstance(probe, Ping | Connect | Udp) or not is_address(probe.to):
        return
    parsed = ipaddress.ip_address(probe.to)
    links = [link.name for link in sender.links if link.kind != "loopback"]
    if parsed.is_multicast:
        raise Refusal(f"{probe.to} is a group's address (multicast): `netless why` follows a packet to one receiver")
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.is_link_local and parsed.scope_id not in links:
        bare = probe.to.partition("%")[0]
        has = f"{sender.name} has no interface {parsed.scope_id}" if parsed.scope_id else f"{bare} may be on any link of {sender.name}"
        raise Refusal(f"{has}: say on which it is", nearest=tuple(f"{bare}%{link}" for link in links))


def _name(to: str) -> str:
    """A name that DNS is asked for, whatever node is called so."""
    if is_address(to) or _MEANT_AS_ADDRESS.fullmatch(to):
        raise Refusal(f"{to} is an address, and no name to be looked up: leave --name out")
    return to


def _form(target: str) -> str:
    """What an address looks like, for one who tried to write one."""
    if "/" in target:
        return f"a packet goes to one address, without a prefix length: {target.partition('/')[0]}"
    return "IPv6 has eight groups of up to four hexadecimal digits, or fewer with ::" if ":" in target else "IPv4 is four numbers from 0 to 255"
