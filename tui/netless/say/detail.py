"""What a part of the picture is, in words: shown beside the mouse, or below the picture when it is picked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Final

from netless_lab.model.gates import Family, gates_of, leads_out
from netless_lab.model.scene import Region
from netless_lab.model.snapshot import Link, Node, Snapshot

from .cells import padded
from .text import Text, joined, plain

FAMILIES: Final[tuple[Family, ...]] = (4, 6)
_OF: Final[dict[Family, str]] = {4: "", 6: " of IPv6"}
GATE_WORDS = {
    "fwd": "forwarding",
    "fw": "firewall",
    "NAT": "masquerade",
}
GATE_STATES = {
    ("fwd", "open"): "open: the kernel passes on packets that are not its own (forwarding is on)",
    ("fwd", "closed"): "closed: packets that are not its own are dropped (forwarding is 0)",
    ("fwd", "narrow"): "narrow: packets of some networks are passed on; each interface has a switch of its own, and some are off",
    ("fw", "open"): "open: a forward chain is there and lets everything pass",
    ("fw", "narrow"): "narrow: some packets pass the forward chain and others are dropped",
    ("fw", "closed"): "closed: the forward chain drops all that is to leave",
    ("fw", "unknown"): "unknown: a rule decides that netless cannot read; packets tell",
    ("fw", "absent"): "absent: no forward chain, nothing is filtered",
    ("NAT", "open"): "open: the source address is rewritten on the way out",
    ("NAT", "narrow"): "narrow: the source address of some is rewritten on the way out, that of others is not",
    ("NAT", "unknown"): "unknown: a rule decides that netless cannot read; packets tell",
    ("NAT", "absent"): "absent: addresses leave as they are, and answers do not find back",
}

_UNTRANSLATED = "absent: addresses leave as they are, as IPv6 means it"


def detail(snapshot: Snapshot, region: Region) -> tuple[str, ...]:
    """Lines about a part: the first says what it is and how it is, the others give the rest. () when it is gone."""
    node = snapshot.node(region.node)
    if node is None:
        return ()
    if region.kind == "node":
        return _node(node)
    if region.kind == "gate":
        return _gate(node, region.name)
    link = node.link(region.name)
    return () if link is None else _link(node, link)


def _node(node: Node) -> tuple[str, ...]:
    role = f" · {node.role}" if node.role != node.name else ""
    head = f"{node.name}{role} · netns {node.netns}" + (f" · pid {node.pid}" if node.pid else "")
    lines = [head]
    if node.names:
        lines.append("names in /run/netns: " + ", ".join(node.names))
    elif node.role == "container":
        lines.append("no name in /run/netns")
    told = [line for family in FAMILIES for line in (_routes(node, family), _neighbours(node, family)) if line]
    if node.role == "container" and not any(line.startswith("routes") for line in told):
        lines.append("no route to anywhere")
    return (*lines, *told)


def _routes(node: Node, family: Family) -> str:
    """Where its packets go; "" when nowhere. What the kernel makes for every live link by itself (fe80::/64) is no way to anywhere."""
    ways = [_route(route.dst, route.via, route.dev) for route in node.routes if (route.table, route.family) == (254, family) and not _own(route.dst)]
    return f"routes{_OF[family]}: {_some(ways, 4)}" if ways else ""


def _own(dst: str) -> bool:
    return dst == "ff00::/8" or (":" in dst and ip_network(dst, strict=False).is_link_local)


def _neighbours(node: Node, family: Family) -> str:
    near = [f"{entry.address} is {entry.mac} ({entry.state})" for entry in node.neighbours if entry.family == family and entry.mac]
    return f"neighbours{_OF[family]}: {_some(near, 3)}" if near else ""


def _some(all: Sequence[str], most: int) -> str:
    """So many of them, and how many more there are."""
    more = len(all) - most
    return "; ".join([*all[:most], *([f"… and {more} more"] if more > 0 else [])])


def _route(dst: str, via: str | None, dev: str | None) -> str:
    return dst + (f" via {via}" if via else "") + (f" dev {dev}" if dev else "")


def _carrying(link: Link) -> str:
    return "down" if not link.up else "up" if link.carrier else "up, no carrier"


def _link(node: Node, link: Link) -> tuple[str, ...]:
    head = f"{link.name} in {node.name} · {link.kind or 'device'} · {_carrying(link)} · mtu {link.mtu}" + (f" · {link.mac}" if link.mac else "")
    lines = [head]
    lines.append("addresses: " + ", ".join(address.cidr for address in link.addresses) if link.addresses else "no address")
    if link.peer is not None:
        where = f"other end: {link.peer.name} in {link.peer.node}"
        lines.append(where if link.peer.node else "the other end is in a namespace this lab cannot see")
    if link.master:
        lines.append(f"port of {link.master}" + (f", {link.port.state}" if link.port else ""))
    if link.kind == "bridge":
        learned = [entry for entry in node.fdb if entry.master == link.name and not entry.local]
        lines.append("learned: " + (_some([f"{entry.mac} behind {entry.dev}" for entry in learned], 3) or "nothing yet"))
    return tuple(lines)


def _state(node: Node, name: str, family: Family) -> str:
    state = next((gate.state for gate in gates_of(node, family) if gate.name == name), "unknown")
    return _UNTRANSLATED if (name, state, family) == ("NAT", "absent", 6) else GATE_STATES.get((name, state), state)


def _gate(node: Node, name: str) -> tuple[str, ...]:
    lines = [f"{GATE_WORDS.get(name, name)} in {node.name} · {_state(node, name, 4)}"]
    lines += [f"for IPv6 · {_state(node, name, 6)}"] if leads_out(node, 6) else []
    hook = {"fw": "forward", "NAT": "postrouting"}.get(name)
    for chain in (*node.chains, *node.legacy):
        if hook and chain.hook == hook:
            policy = f" policy {chain.policy}" if chain.policy else ""
            rules = _some([rule.text for rule in chain.rules], 3) or "no rules"
            old = "iptables-legacy " if chain.engine == "legacy" else ""
            lines.append(f"{old}chain {chain.family} {chain.table} {chain.name}{policy}: {rules}")
    return tuple(lines)


def listing(node: Node) -> Iterator[Text]:
    """All of a node: each of its links, its rules, and its routes but for those that every live link has by itself, in a row."""
    named = f"  named {', '.join(node.names)}" if node.names else ""
    yield joined((node.name, "strong"), f"  {node.role}  net:[{node.netns}]{named}")
    for link in node.links:
        far = f" <-> {link.peer.node or '?'}:{link.peer.name}" if link.peer else ""
        port = f" port of {link.master}" if link.master else ""
        addresses = " ".join(own.cidr for own in link.addresses)
        yield plain(f"  {padded(link.name, 10)} {link.kind:<9} {_carrying(link):<15}{far}{port} {addresses}")
    for route in node.routes:
        if not _own(route.dst):
            yield plain(f"  route {_route(route.dst, route.via, route.dev)}")
    for chain in node.chains:
        for rule in chain.rules:
            yield plain(f"  rule {chain.family} {chain.table} {chain.name}: {rule.text}")
