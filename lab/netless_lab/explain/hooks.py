"""Which firewall hooks lie between the last sighting of the packet and the next that never came, in the order it meets them. Pure.

Taps hear a frame before ingress and prerouting on the way in, and after postrouting and egress on the way out (picture of nft(8), hooks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .case import Case
from .ruleset import IP_FAMILIES
from .spot import Spot

_BRIDGE = frozenset({"bridge"})
_NETDEV = frozenset({"netdev", "inet"})
_ARP = frozenset({"arp"})


class Check(NamedTuple):
    """One hook of one node, and the packet as it is there."""

    node: str
    families: frozenset[str]
    hook: str
    packet: dict[str, str]
    device: str | None = None
    returning: bool = False
    bridged: bool = False


def passed(case: Case) -> tuple[Check, ...]:
    """The hooks to ask."""
    return tuple(_checks(case, case.spot))


def _checks(case: Case, spot: Spot) -> Iterator[Check]:
    yield from _carried(case, spot)
    match spot.stage:
        case "unsent":
            yield from _sent(case, spot.node, "forward", spot.kind, spot.src, spot.dst)
            yield Check(spot.node, _ARP, "output", _question(spot))
        case "asking":
            yield from _asked(case, spot)
        case "bridging":
            yield from _bridged(case, spot)
        case "routing":
            yield from _arriving(case, spot)
            out = case.route(spot.node, spot.dst, spot.src, spot.iif).dev if spot.iif else None
            packet = case.packet(spot.leg, spot.kind, spot.src, spot.dst, spot.iif, out)
            returning = spot.leg == "return"
            yield Check(spot.node, IP_FAMILIES, "forward", packet, None, returning)
            yield Check(spot.node, IP_FAMILIES, "postrouting", packet, None, returning)
            yield Check(spot.node, _NETDEV, "egress", packet, out, returning)
        case "delivered" | "home":
            yield from _arriving(case, spot)
            packet = case.packet(spot.leg, spot.kind, spot.src, spot.dst, spot.iif)
            yield Check(spot.node, IP_FAMILIES, "input", packet, None, spot.leg == "return")
            if spot.stage == "delivered" and spot.leg == "forward":
                kind = "echo-reply" if spot.kind == "echo-request" else spot.kind
                yield from _sent(case, spot.node, "return", kind, spot.dst, spot.src)


def _carried(case: Case, spot: Spot) -> Iterator[Check]:
    """A packet inside a tunnel's packet has come in: the outer one passes the node's hooks first."""
    hop = spot.hop
    if hop is None or " VXLAN " not in hop.text or hop.direction == "out":
        return
    port = next((link.vxlan.port for link in case.node(hop.node).links if link.vxlan is not None), 4789)
    src, _, rest = hop.text.partition(" > ")
    outer = {"ether type": "ip", "meta protocol": "ip", "meta nfproto": "ipv4", "meta l4proto": "udp", "ip protocol": "udp"}
    outer |= {"udp dport": str(port), "ip saddr": src, "ip daddr": rest.partition(" ")[0], "iifname": hop.link, "ct state": "new"}
    for hook in ("prerouting", "input"):
        yield Check(hop.node, IP_FAMILIES, hook, outer, None, spot.leg == "return")


def _sent(case: Case, node: str, leg: str, kind: str, src: str, dst: str) -> Iterator[Check]:
    """What a node's own packet passes before it is on a wire."""
    way = case.route(node, dst) if dst else None
    out = way.dev if way is not None else None
    packet = case.packet(leg, kind, src or (way.prefsrc or "" if way is not None else ""), dst, None, out)
    returning = leg == "return"
    yield Check(node, IP_FAMILIES, "output", packet, None, returning)
    yield Check(node, IP_FAMILIES, "postrouting", packet, None, returning)
    yield Check(node, _BRIDGE, "output", packet, None, returning)
    yield Check(node, _BRIDGE, "postrouting", packet, None, returning)
    yield Check(node, _NETDEV, "egress", packet, out, returning)


def _arriving(case: Case, spot: Spot) -> Iterator[Check]:
    packet = case.packet(spot.leg, spot.kind, spot.src, spot.dst, spot.iif)
    returning = spot.leg == "return"
    yield Check(spot.node, _NETDEV, "ingress", packet, spot.link, returning)
    yield Check(spot.node, IP_FAMILIES, "prerouting", packet, None, returning)


def _bridged(case: Case, spot: Spot) -> Iterator[Check]:
    """Inside a bridge: its own hooks, and those of IP when br_netfilter is on for this node."""
    link = case.link(spot.node, spot.link)
    bridge = link.master if link is not None and link.master else spot.link
    packet = case.packet(spot.leg, spot.kind, spot.src, spot.dst) | {"meta ibrname": bridge, "meta obrname": bridge}
    packet |= {"ether saddr": spot.hop.mac_src, "ether daddr": spot.hop.mac_dst} if spot.hop is not None else {}
    returning = spot.leg == "return"
    own = spot.hop is not None and spot.hop.direction == "out"
    if own:
        yield Check(spot.node, _BRIDGE, "output", packet, None, returning)
        yield Check(spot.node, _BRIDGE, "postrouting", packet, None, returning)
        return
    packet |= {"iifname": spot.link}
    yield Check(spot.node, _NETDEV, "ingress", packet, spot.link, returning)
    yield Check(spot.node, _BRIDGE, "prerouting", packet, None, returning)
    through = packet | {"iifname": bridge, "oifname": bridge}
    if case.setting(spot.node, "bridge-nf-call-iptables") == "1":
        yield Check(spot.node, IP_FAMILIES, "prerouting", through, None, returning, True)
        yield Check(spot.node, IP_FAMILIES, "forward", through, None, returning, True)
        yield Check(spot.node, IP_FAMILIES, "postrouting", through, None, returning, True)
    yield Check(spot.node, _BRIDGE, "forward", packet, None, returning)
    yield Check(spot.node, _BRIDGE, "input", packet, None, returning)
    yield Check(spot.node, _BRIDGE, "postrouting", packet, None, returning)


def _asked(case: Case, spot: Spot) -> Iterator[Check]:
    """A question for a neighbour: the bridges it crosses, and the node that should answer."""
    packet = _question(spot)
    returning = spot.leg == "return"
    hops = [hop for hop in case.hops if hop.kind in ("arp-request", "arp-reply") and spot.asked in (hop.dst, hop.src)]
    heard = list(dict.fromkeys((hop.node, hop.link) for hop in hops if hop.direction != "out"))
    for node, name in heard:
        link = case.link(node, name)
        yield Check(node, _NETDEV, "ingress", packet | {"iifname": name}, name, returning)
        if link is not None and link.master:
            ours = any(owner.name == node for owner, _ in case.owners(spot.asked))
            for hook in ("prerouting", "input") if ours else ("prerouting", "forward", "postrouting"):
                yield Check(node, _BRIDGE, hook, packet | {"iifname": name}, None, returning)
        elif any(owner.name == node for owner, _ in case.owners(spot.asked)):
            yield Check(node, _ARP, "input", packet | {"iifname": name}, None, returning)
            answer = packet | {
                "arp operation": "reply",
                "arp saddr ip": spot.asked,
                "arp daddr ip": spot.hop.src if spot.hop else "",
            }
            yield Check(node, _ARP, "output", answer, None, returning)
    asker = case.link(spot.node, spot.link)
    if asker is not None and asker.kind == "bridge":
        yield Check(spot.node, _BRIDGE, "output", packet, None, returning)
    yield Check(spot.node, _ARP, "input", packet | {"arp operation": "reply", "arp saddr ip": spot.asked}, None, returning)
    yield Check(spot.node, _NETDEV, "egress", packet, spot.link, returning)


def _question(spot: Spot) -> dict[str, str]:
    """An ARP question in nft's words."""
    known = {
        "ether type": "arp",
        "meta protocol": "arp",
        "arp operation": "request",
        "arp ptype": "ip",
        "meta pkttype": "broadcast",
    }
    known |= {"arp daddr ip": spot.asked} if spot.asked else {}
    if spot.hop is not None:
        known |= {"arp saddr ip": spot.hop.src, "arp saddr ether": spot.hop.mac_src, "ether saddr": spot.hop.mac_src}
        known |= {"ether daddr": spot.hop.mac_dst}
    return known
