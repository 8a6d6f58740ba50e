"""The packet of a case, as it is at one place, for ``model.netfilter``: what is not known there is left open. Pure."""

from __future__ import annotations

from typing import Final, Literal

from msgspec.structs import replace

from ..model import icmp
from ..model.addresses import is_address
from ..model.journeys.flow import Flow
from ..model.netfilter import packet as known
from ..model.netfilter.packet import CONFIRMED, DNAT, ICMP, ICMPV6, SEEN_REPLY, SNAT, STATES, TCP, UDP, Packet, Spans, address, only
from ..model.netfilter.run import run
from ..model.snapshot import Chain, Rule
from .case import Case
from .last_seen import LastSeen

Leg = Literal["forward", "return"]
_ASSURED: Final = 0x4
"""IPS_ASSURED, a bit of ``ct status``."""
_ARP, _IPV4 = 0x0806, 0x0800
_ETHERNET = 1
"""ARPHRD_ETHER, what nft asks for before it asks for a MAC (``meta iiftype``)."""
_REQUEST, _REPLY, _BROADCAST = 1, 2, 1
"""Operations of ARP (RFC 826), and the kind of a packet for everybody (PACKET_BROADCAST)."""
_TYPES: Final = {
    4: {"echo-request": only(icmp.ECHO_REQUEST), "echo-reply": only(icmp.ECHO_REPLY), "icmp-error": only(*icmp.ERRORS)},
    6: {
        "echo-request": only(icmp.ECHO_REQUEST6), "echo-reply": only(icmp.ECHO_REPLY6), "icmp-error": only(*icmp.ERRORS6),
        "solicitation": only(icmp.SOLICITATION), "advertisement": only(icmp.ADVERTISEMENT),
    },
}  # fmt: skip


def first(case: Case, kind: str, src: str, dst: str, iif: str | None = None, oif: str | None = None, *, port: int | None = None) -> Packet:
    """The first of the conversation. ``kind`` is as in ``Hop.kind``; a device of "" is none, None one that is not known."""
    types = _TYPES[case.family]
    protocol = {"tcp": TCP, "udp": UDP}.get(kind) or ((ICMP if case.family == 4 else ICMPV6) if kind in types or kind == "icmp" else None)
    found = known.first(case.family, source=_one(src), destination=_one(dst), protocol=protocol)
    word = "icmp" if case.family == 4 else "icmpv6"
    found = found.forgetting(f"{word} type", f"{word} code") if kind not in ("echo-request", "echo-reply") else found
    found = found.listing(f"{word} type", types[kind]) if kind in types else found
    if kind in ("solicitation", "advertisement"):  # conntrack leaves neighbour discovery alone (nf_conntrack_icmpv6_error)
        found = found.listing("ct state", only(STATES["untracked"]))
    found = found.listing("th dport", only(port)) if protocol in (TCP, UDP) and port is not None else found
    return replace(found, names={name: link for name, link in (("iifname", iif), ("oifname", oif)) if link is not None})


def packet(
    case: Case, node: str, leg: Leg, kind: str, src: str, dst: str, iif: str | None = None, oif: str | None = None, *, fresh: bool = False
) -> Packet:
    """The one that was lost: the first of its conversation, or one of those after it, of which ``node`` knows that it answers or goes on.

    ``fresh``: the node has not translated it yet.
    """
    if leg == "forward":
        begun = first(case, kind, src, dst, iif, oif, port=case.port_at(dst, node if fresh else ""))
        return _later(begun, case.flow(node), "original") if case.talking else begun
    found = first(case, kind, src, dst, iif, oif).forgetting("th dport")
    port = case.port_at(src)
    found = found.listing("th sport", only(port)) if kind in ("tcp", "udp") and port is not None else found
    return _later(found, case.flow(node), "reply", related=kind == "icmp-error")


def _later(found: Packet, flow: Flow | None, direction: Literal["original", "reply"], *, related: bool = False) -> Packet:
    """Not the first: what it was translated by is told by the connection table only, and what its mark is by nothing."""
    found = found.forgetting("ct mark", "ct status").listing("ct direction", only(direction == "reply"))
    found = found.listing("ct state", only(STATES["related" if related else "established"]))
    if flow is None:
        return found
    status = SEEN_REPLY | CONFIRMED | _ASSURED * flow.assured | SNAT * flow.source_nat | DNAT * flow.destination_nat
    return found.listing("ct status", only(status))


def entering(case: Case, node: str, out: str | None = None) -> tuple[str, Packet]:
    """The hook at which the conversation's first packet begins in a node, and the packet there: it came in by a link, or is the node's own."""
    came = [hop for hop in case.seen(node, None, "in") if hop.leg == "forward"]
    if came and node != case.probe.node:
        hop = came[-1]
        return "prerouting", first(case, hop.kind, hop.src, hop.dst, hop.link, out, port=case.port_at(hop.dst, node))
    return "output", first(case, case.last.kind, case.last.src, case.last.dst, "", out, port=case.port)


def led_in(case: Case, node: str) -> tuple[Chain, Rule] | None:
    """The rule by which the conversation, which was for somebody else, came to a port of the node's own (``redirect``, and ``dnat`` to itself)."""
    asked = {flow.original.dst for flow in case.evidence.flows if flow.node == node and flow.destination_nat and case.node(node).owner(flow.reply.src)}
    if not asked or any(case.node(node).owner(own) is not None for own in asked):
        return None
    hook, found = entering(case, node)
    return next(((chain, rule) for way in run(case.node(node), hook, found) for done, chain, rule in way.rewrites if not done.source), None)


def question(last: LastSeen, *, reply: bool = False) -> Packet:
    """An ARP question for what the node waits for, or the answer to it."""
    hop = last.hop
    asker = _one(hop.src) if hop is not None else None
    asked = _one(last.asked)
    numbers: dict[str, Spans | None] = {
        "ether type": only(_ARP), "meta protocol": only(_ARP), "arp ptype": only(_IPV4), "arp operation": only(_REPLY if reply else _REQUEST),
        "arp saddr ip": asked if reply else asker, "arp daddr ip": asker if reply else asked, "meta iiftype": only(_ETHERNET),
    }  # fmt: skip
    if not reply:
        numbers |= {"meta pkttype": only(_BROADCAST)}
        if hop is not None:
            mac = _mac(hop.mac_src)
            numbers |= {"arp saddr ether": mac, "ether saddr": mac, "ether daddr": _mac(hop.mac_dst)}
    return Packet(4, {field: values for field, values in numbers.items() if values is not None})


def framed(found: Packet, last: LastSeen) -> Packet:
    """With the MACs it was last seen with, which say that the link is an Ethernet."""
    found = found.listing("meta iiftype", only(_ETHERNET)) if last.hop is not None and last.hop.mac_src else found
    for field, mac in (("ether saddr", _mac(last.hop.mac_src)), ("ether daddr", _mac(last.hop.mac_dst))) if last.hop is not None else ():
        found = found.listing(field, mac) if mac is not None else found
    return found


def _mac(text: str) -> Spans | None:
    return only(int(text.replace(":", ""), 16)) if text else None


def _one(text: str) -> Spans | None:
    return only(address(text)) if is_address(text) else None
