"""Which rule on the way surely drops a packet of a probe: the sentence beside a probe that was not answered."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from ..model.netfilter.packet import ICMP, ICMPV6, TCP, UDP, Packet, answer, common, first, network, only, shown
from ..model.netfilter.run import Way, always, run
from ..model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp
from ..model.snapshot import Node, Snapshot
from ..primitives.look import place_of
from ..primitives.route import way_to
from .probe_words import target, who


def dropped(probe: Probe, snapshot: Snapshot) -> str:
    """The rule or policy of the host that drops the request of a container, or else the answer to it; "" when none surely does."""
    to, sender = target(probe), snapshot.node(probe.node)
    host = snapshot.host_of(sender) if sender is not None else None
    if to is None or sender is None or host is None or sender.netns == host.netns or host.owner(to) is not None:
        return ""
    for link in sender.links:
        for own in link.addresses:
            came = way_to(host, own.address)
            if link.kind == "loopback" or own.family != ip_address(to).version or came is None:
                continue
            request = _request(probe, own.address, to).between(came, _out(host, to))
            answers = tuple(answer(request, translated=translated) for translated in (True, False))
            for packets, what in (((request,), "them"), (answers, "the answers to them")):
                if stops := _stops(host, packets):
                    return f"Packets from {own.address} come as far as {who(host.name)}, and there {_by(stops)} drops {what}."
    return ""


def diverted(probe: Probe, snapshot: Snapshot) -> str:
    """The rule of the host that sends a container's packets to another address than they are for; "" when none surely does."""
    to, sender = target(probe), snapshot.node(probe.node)
    host = snapshot.host_of(sender) if sender is not None else None
    if to is None or sender is None or host is None or sender.netns == host.netns:
        return ""
    for link in sender.links:
        for own in link.addresses:
            came = way_to(host, own.address)
            if link.kind == "loopback" or own.family != ip_address(to).version or came is None:
                continue
            ways = run(host, "prerouting", _request(probe, own.address, to).between(came, ""))
            if always(ways, lambda way: _turned(way, to) is not None):
                address, rule = _turned(ways[0], to) or ("", "")
                return f"On {who(host.name)} the rule `{rule}` sends what goes to {to} to {address or who(host.name)} instead."
    return ""


def _turned(way: Way, to: str) -> tuple[str, str] | None:
    """Where a way leads instead of ``to`` ("": to the node itself), and by which rule; None when nowhere else, or it cannot be told where."""
    for done, _, rule in way.rewrites:
        if done.kind == "redirect":
            return "", rule.text
        if not done.source and done.address is not None and not common((done.address,), network(to)):
            return shown((done.address,), ip_address(to).version), rule.text
    return None


def _stops(router: Node, packets: tuple[Packet, ...]) -> Way | None:
    """What drops them all at the forward hook, whatever else may be true of them; None when one may pass."""
    ways = [way for packet in packets for way in run(router, "forward", packet)]
    return ways[0] if always(ways, lambda way: way.end == "drop") else None


def _by(stop: Way) -> str:
    chain = place_of(stop.chain) if stop.chain is not None else "the firewall"
    return f"the rule `{stop.rule.text}` of {chain}" if stop.rule is not None else f"the policy of {chain}"


def _out(router: Node, to: str) -> str:
    """The device towards ``to``: that of its own network, else of the default route with the lowest metric; "" when there is none."""
    family = ip_address(to).version
    routes = sorted((route for route in router.routes if route.dst == "default" and route.family == family), key=lambda own: own.metric)
    return way_to(router, to) or next((route.dev for route in routes if route.dev), "") or ""


def _request(probe: Probe, sender: str, to: str) -> Packet:
    version = ip_address(to).version
    match probe:
        case Ping():
            protocol, port = ICMP if version == 4 else ICMPV6, None
        case Connect():
            protocol, port = TCP, probe.port
        case Udp():
            protocol, port = UDP, probe.port
        case Fetch():
            protocol, port = TCP, urlsplit(probe.url).port or 80
        case Lookup():
            protocol, port = UDP, 53
    packet = first(4 if version == 4 else 6, source=network(sender), destination=network(to), protocol=protocol)
    return packet if port is None else packet.listing("th dport", only(port))
