"""What a snapshot means, without what differs between two ways to the same end: indexes, MACs, handles, names of iptables' tables."""

from __future__ import annotations

import re
from typing import Any

from netless_lab.model.netfilter.rules import Condition, Lookup
from netless_lab.model.snapshot import Chain, Link, Name, Node, Rule, Snapshot


def meaning(snapshot: Snapshot) -> dict[str, Any]:
    """Two snapshots that mean the same give equal values here. Of the neighbours only those count that people wrote."""
    nodes = {node.name: _node(node) for node in snapshot.nodes}
    return {**nodes, "/run/netns": sorted(_name(snapshot, name) for name in snapshot.names)}


def drawn(snapshot: Snapshot) -> dict[str, Any]:
    """The part of the meaning that an outline sketches: nodes, links, cables, bridges, IPv4 addresses, gates."""
    return {
        node.name: {
            "links": {link.name: _drawn(link) for link in node.links},
            "names": sorted(node.names),
            "default": sorted(str(route.via) for route in node.routes if route.dst == "default"),
            "forwards": node.sysctls.get("ip_forward", "0"),
            "chains": [chain for chain in (_chain(own) for own in node.chains) if chain],
            "resolvers": node.resolvers,
        }
        for node in snapshot.nodes
    }


def _drawn(link: Link) -> dict[str, Any]:
    peer = (link.peer.node, link.peer.name) if link.peer else None
    carrier = link.carrier if link.kind == "veth" else None
    return {"kind": link.kind, "up": link.up, "carrier": carrier, "master": link.master, "peer": peer, "mtu": link.mtu, "v4": _v4(link)}


def _v4(link: Link) -> list[str]:
    return sorted(address.cidr for address in link.v4)


def _node(node: Node) -> dict[str, Any]:
    return {
        "role": node.role,
        "links": {link.name: {**_drawn(link), "stp": link.stp, "arp": link.arp, "v6": _v6(link)} for link in node.links},
        "routes": sorted(
            f"{route.dst} {route.via} {route.dev} {route.table} {route.type} {route.scope} {route.protocol} {route.metric} {route.src}"
            for route in node.routes
            if route.family == 4
        ),
        "policy": sorted(map(str, node.policy)),
        "neighbours": sorted((own.address, own.dev, own.mac or "") for own in node.neighbours if own.state == "permanent"),
        "chains": sorted(chain for chain in (_chain(own) for own in node.chains) if chain),
        "sysctls": node.sysctls,
        "resolvers": node.resolvers,
    }


def _v6(link: Link) -> list[str]:
    return sorted(address.cidr for address in link.addresses if address.family == 6 and address.scope == "global")


def _chain(chain: Chain) -> str:
    """A base chain by what it does. One that lets everything pass means nothing; iptables makes several such."""
    rules = [_rule(rule) for rule in chain.rules]
    if chain.hook is None or (not rules and chain.policy == "accept"):
        return ""
    return f"{chain.type} {chain.hook} {chain.policy}: {rules}"


def _rule(rule: Rule) -> tuple[Any, ...]:
    """What it asks, in any order, and what it does then."""
    conditions = sorted(str(part) for part in rule.parts if isinstance(part, Condition | Lookup))
    return (*conditions, *(str(part) for part in rule.parts if not isinstance(part, Condition | Lookup)))


def _name(snapshot: Snapshot, name: Name) -> tuple[str, str, str]:
    node = snapshot.by_netns(name.netns) if name.netns is not None else None
    return name.name, re.sub(r"\d+", "PID", name.target or name.how), node.name if node else "nowhere"
