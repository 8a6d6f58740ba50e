"""What a part of the picture is, in words: shown beside the mouse, or below the picture when it is picked."""

from __future__ import annotations

from netless_lab.model.gates import Family, gates_of, leads_out
from netless_lab.model.scene import Region
from netless_lab.model.snapshot import Link, Node, Snapshot

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
    head = f"{node.name} · {node.role} · netns {node.netns}" + (f" · pid {node.pid}" if node.pid else "")
    lines = [head]
    if node.names:
        lines.append("names in /run/netns: " + ", ".join(node.names))
    elif node.role == "container":
        lines.append("no name in /run/netns")
    routes = [route for route in node.routes if route.table == 254 and route.family == 4]
    if routes:
        lines.append("routes: " + "; ".join(_route(route.dst, route.via, route.dev) for route in routes[:4]))
    elif node.role == "container":
        lines.append("no route to anywhere")
    near = [entry for entry in node.neighbours if entry.family == 4 and entry.mac]
    if near:
        lines.append("neighbours: " + ", ".join(f"{entry.address} is {entry.mac} ({entry.state})" for entry in near[:3]))
    return tuple(lines)


def _route(dst: str, via: str | None, dev: str | None) -> str:
    return dst + (f" via {via}" if via else "") + (f" dev {dev}" if dev else "")


def _link(node: Node, link: Link) -> tuple[str, ...]:
    state = "down" if not link.up else "up" if link.carrier else "up, no carrier"
    head = f"{link.name} in {node.name} · {link.kind or 'device'} · {state} · mtu {link.mtu}" + (f" · {link.mac}" if link.mac else "")
    lines = [head]
    lines.append("addresses: " + ", ".join(address.cidr for address in link.addresses) if link.addresses else "no address")
    if link.peer is not None:
        where = f"other end: {link.peer.name} in {link.peer.node}"
        lines.append(where if link.peer.node else "the other end is in a namespace this lab cannot see")
    if link.master:
        lines.append(f"port of {link.master}" + (f", {link.port.state}" if link.port else ""))
    if link.kind == "bridge":
        learned = [entry for entry in node.fdb if entry.master == link.name and not entry.local]
        lines.append("learned: " + ("; ".join(f"{entry.mac} behind {entry.dev}" for entry in learned[:3]) if learned else "nothing yet"))
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
            rules = "; ".join(rule.text for rule in chain.rules[:3]) or "no rules"
            old = "iptables-legacy " if chain.engine == "legacy" else ""
            lines.append(f"{old}chain {chain.family} {chain.table} {chain.name}{policy}: {rules}")
    return tuple(lines)
