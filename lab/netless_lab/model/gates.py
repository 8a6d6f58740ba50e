"""The gates on a node's way out: forwarding, firewall, NAT. Each says what the kernel would do with the packets that take that way.

* ``fwd``: whether the node passes on what comes in by the devices of the way, there and back. For IPv4 each device has a switch of its own, which
  net.ipv4.ip_forward only writes for all of them (kernel doc ip-sysctl): a request meets that of the inner network, its answer that of the uplink.
  For IPv6 the one of ``all`` counts.
* ``fw``: base chains on the forward hook (nft(8)), those of the old iptables too.
* ``NAT``: whether the sender of what leaves is rewritten.

The packets are asked of the one interpreter of rules (``netfilter.run``): from each inner network, to whatever lies beyond, by the way of
the default route, and the answers; each family has gates of its own. What becomes of one packet of a probe is for the judge and for ``explain``, who ask the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from .knobs import held
from .netfilter.packet import Packet, Spans, addresses, answer, any_packet, first, network, spans, without
from .netfilter.run import FAMILIES, Way, always, base_chains, through, unread
from .netfilter.translation import translated, translates
from .snapshot import Link, Node

GateState = Literal["open", "narrow", "closed", "absent", "unknown"]
"""``narrow``: open for some packets, as a firewall that drops by default and accepts some. ``absent``: nothing is there. ``unknown``: the
snapshot does not say, or a rule, a filter of tc or a program decides that cannot be read."""

Family = Literal[4, 6]
"""IPv4 or IPv6: each has its own addresses, routes, rules, settings and way to find a neighbour."""
_NOBODY: Final[dict[Family, tuple[str, ...]]] = {4: ("127.0.0.0/8", "224.0.0.0/3"), 6: ("::/127", "fe80::/10", "ff00::/8")}
"""Addresses of no single host that a router could lead to: one's own, those of one link, groups."""
_WAY = ("prerouting", "forward", "postrouting")


class Gate(msgspec.Struct, frozen=True):
    """One gate and its state."""

    name: str
    state: GateState


def gates_of(node: Node, family: Family = 4) -> tuple[Gate, ...]:
    """The three gates of a node, in the order a packet meets them."""
    return (Gate("fwd", forwarding(node, family)), Gate("fw", firewall(node, family)), Gate("NAT", nat(node, family)))


def leads_out(node: Node, family: Family = 4) -> bool:
    """Whether there is a way from a network of the node's into the world that packets of a family would take."""
    return any(True for _ in _ways(node, family))


def switched_on(value: str) -> bool:
    """Whether the kernel takes this value of a switch that is a number, ``ip_forward`` or a device's ``forwarding``, for on.

    It asks only whether it is 0 (IN_DEV_FORWARD in <linux/inetdevice.h>): 2 forwards like 1.
    """
    return value.strip() not in ("", "0")


def passes_on(node: Node, device: str, family: Family = 4) -> bool | None:
    """Whether packets that come in by a device and are not for the node are passed on; None when the snapshot does not say.

    For IPv4 the device's own switch counts, with ``device`` "" that of one that has none of its own; for IPv6 the one of ``all`` (ip6_forward()).
    """
    value = held(node.sysctls, "v6.forwarding" if family == 6 else f"forwarding/{device}" if device else "ip_forward")
    return switched_on(value) if value is not None else None


def uplinks(node: Node, family: Family = 4) -> tuple[str, ...]:
    """The devices of its default routes in the main table, that of the lowest metric first."""
    found = (own for own in node.routes if (own.dst, own.family, own.table, own.type) == ("default", family, 254, "unicast"))
    routes = sorted(found, key=lambda own: own.metric)
    return tuple(dict.fromkeys(route.dev for route in routes if route.dev))


def ways_out(node: Node, inner: str) -> tuple[str, ...]:
    """The devices by which a packet that came in by ``inner`` may leave for elsewhere, the likeliest first: those of its default routes, then
    any other with an address that is no bridge.
    """
    others = (link.name for link in node.links if link.v4 and link.name not in (inner, "lo") and link.kind != "bridge")
    return tuple(dict.fromkeys((*uplinks(node), *others)))


def networks(link: Link, family: Family = 4) -> Spans:
    """All addresses of the networks that a device is in; for IPv6 without that of the link alone."""
    return spans(pair for own in link.addresses if own.family == family and (family == 4 or own.scope != "link") for pair in network(own.cidr))


def beyond(node: Node, family: Family = 4) -> Spans:
    """All addresses that lie in none of the node's own networks."""
    own = spans(pair for link in node.links for pair in networks(link, family))
    nobody = (pair for cidr in _NOBODY[family] for pair in network(cidr))
    return without(addresses(family), spans((*own, *nobody)))


def forwarding(node: Node, family: Family = 4) -> GateState:
    """Open when requests and answers are passed on, narrow when those of some inner networks are; where none has a way out, when what comes from
    any network is, or from some.
    """
    ways: list[tuple[str, ...]] = [(inner.name, out) for inner, out in _ways(node, family)]
    ways = ways or [(link.name,) for link in node.links if link.name != "lo" and networks(link, family) and link.master is None] or [("",)]
    both = [[passes_on(node, device, family) for device in way] for way in ways]
    if any(None in pair for pair in both):
        return "unknown"
    passing = [all(pair) for pair in both]
    return "open" if all(passing) else "narrow" if any(passing) else "closed"


def firewall(node: Node, family: Family = 4) -> GateState:
    """Closed when nothing of what is to leave gets through, narrow when something is stopped, absent without a chain at the hook."""
    requests = tuple(_requests(node, family))
    if not base_chains(node, "forward", FAMILIES[family]):
        return "unknown" if any(unread(node, packet) or unread(node, answer(packet, translated=False)) for packet in requests) else "absent"
    stray = through(node, ("forward",), any_packet(family))
    out = tuple(way for packet in requests or (any_packet(family),) for way in through(node, _WAY, packet))
    if always(out, lambda way: way.end == "drop"):
        return "closed"
    if _undecided(out):
        return "unknown"
    back = tuple(way for packet in requests for way in through(node, ("forward",), answer(packet, translated=translates(node, packet))))
    if any(way.taken for way in back):
        return "unknown"
    return "narrow" if any(way.end == "drop" for way in (*stray, *out, *back)) else "open"


def nat(node: Node, family: Family = 4) -> GateState:
    """Open when the sender of what leaves is rewritten, whoever of an inner network it is, narrow when that of some is."""
    requests = tuple(_requests(node, family))
    ways = [way for packet in requests or (any_packet(family),) for way in translated(node, packet) if way.end != "drop"]
    if ways and always(ways, lambda way: way.source_rewritten):
        return "open"
    if not any(way.source_rewritten or way.end == "lost" for way in ways):
        return "absent"
    if _undecided(ways):
        return "unknown"
    return "narrow" if requests else "open"


def _undecided(ways: Iterable[Way]) -> bool:
    """Whether what happens hangs on a rule that cannot be read: then what the rest says is not all there is."""
    found = tuple(ways)
    kinds = {(way.end, way.source_rewritten) for way in found}
    guessed = any(doubt.why == "unread" for way in found for doubt in way.doubts)
    return any(way.end == "lost" for way in found) or (len(kinds) > 1 and guessed)


def _ways(node: Node, family: Family) -> Iterator[tuple[Link, str]]:
    """(the device of an inner network, the device of the way out)."""
    outs = uplinks(node, family)
    for out in outs[:1]:
        for link in node.links:
            if link.name not in (*outs, "lo") and networks(link, family) and link.master is None:
                yield link, out


def _requests(node: Node, family: Family) -> Iterator[Packet]:
    """From each inner network, the first packet of a conversation with somebody beyond."""
    far = beyond(node, family)
    for link, out in _ways(node, family):
        yield first(family, source=networks(link, family), destination=far).between(link.name, out)
