"""What changed in the links: came, went, moved, renamed, up, down, plugged in, set, addressed."""

from __future__ import annotations

from .changes import Change, Kind
from .identity import Identity, Pair
from .snapshot import Address, Link, Node

Ends = dict[tuple[str, str], tuple[Node, Link]]


def link_changes(same: Identity) -> list[Change]:
    """All changes of links, cables first."""
    found = _came_or_went(same.links_gone, "cable-removed", "link-removed", frozenset(map(id, same.nodes_gone)))
    moved = {(pair.node_before.name, pair.before.name): (pair.node.name, pair.after.name) for pair in same.links}
    for pair in same.links:
        if pair.moved:
            other = pair.after.name if pair.after.name != pair.before.name else ""
            found.append(Change("link-moved", pair.node.name, pair.before.name, pair.node_before.name, pair.node.name, other))
        elif pair.before.name != pair.after.name:
            found.append(Change("link-renamed", pair.node.name, pair.after.name, pair.before.name, pair.after.name))
    found += _came_or_went(same.links_new, "cable-added", "link-added", frozenset())
    for node, link in same.links_new:
        found += _newborn(node, link)
    for pair in same.links:
        if pair.before is not pair.after and (pair.before != pair.after or pair.moved):
            found += _settings(pair, moved)
    return found


def _came_or_went(links: tuple[tuple[Node, Link], ...], cable: Kind, single: Kind, buried: frozenset[int]) -> list[Change]:
    """Two ends of one cable that come or go together are one change. What went with its node (``buried``) is quiet."""
    ends: Ends = {(node.name, link.name): (node, link) for node, link in links}
    found: list[Change] = []
    done: set[tuple[str, str]] = set()
    for place, (node, link) in ends.items():
        if place in done:
            continue
        done.add(place)
        far = (link.peer.node, link.peer.name) if link.peer is not None and link.kind == "veth" else None
        if far is not None and far in ends and far != place and far not in done:
            done.add(far)
            found.append(Change(cable, node.name, link.name, after=far[1], on=far[0]))
        else:
            what = "cable's end" if link.kind == "veth" else link.kind
            after = what if single == "link-added" and link.kind not in ("loopback", "device") else ""
            quiet = link.kind == "loopback" or id(node) in buried
            found.append(Change(single, node.name, link.name, after=after, quiet=quiet))
    return found


def _newborn(node: Node, link: Link) -> list[Change]:
    """What a new link already has."""
    found: list[Change] = []
    quiet = link.kind == "loopback"
    if link.up:
        found.append(Change("link-up", node.name, link.name, quiet=quiet))
    if link.master is not None:
        found.append(Change("port-joined", node.name, link.name, after=link.master))
    found += [_address("address-added", node, link, own) for own in link.addresses]
    return found


def _settings(pair: Pair, moved: dict[tuple[str, str], tuple[str, str]]) -> list[Change]:
    before, after, node = pair.before, pair.after, pair.node.name
    name = after.name
    found: list[Change] = []
    if before.master != after.master and after.master != _renamed(pair.node_before.name, before.master, moved):
        kind: Kind = "port-joined" if after.master is not None else "port-left"
        found.append(Change(kind, node, name, before.master or "", after.master or "", after.master or before.master or ""))
    if before.up != after.up:
        found.append(Change("link-up" if after.up else "link-down", node, name))
    if before.carrier != after.carrier:
        found.append(_carrier(pair))
    found += _port(pair)
    for word, old, new in (
        ("MAC address", before.mac, after.mac),
        ("MTU", str(before.mtu), str(after.mtu)),
        ("spanning tree", _switch(before.stp), _switch(after.stp)),
        ("ARP", _switch(before.arp), _switch(after.arp)),
        ("listening to every frame (promiscuous mode)", _switch(before.promisc), _switch(after.promisc)),
        ("mode", before.mode or "", after.mode or ""),
        ("alias", before.alias, after.alias),
        ("other name", ", ".join(before.altnames), ", ".join(after.altnames)),
        ("vxlan setting", _vxlan(before), _vxlan(after)),
    ):
        if old != new:
            quiet = word == "MAC address" and after.kind == "bridge"
            found.append(Change("link-setting", node, name, old, new, word, quiet))
    found += _addresses(pair)
    return found


def _renamed(node: str, name: str | None, moved: dict[tuple[str, str], tuple[str, str]]) -> str | None:
    """The name now of what was called ``name``: a bridge that was renamed is still the same bridge."""
    if name is None:
        return None
    return moved.get((node, name), (node, name))[1]


def _carrier(pair: Pair) -> Change:
    """Carrier follows from up: it is news when it comes from the other end of the cable."""
    after = pair.after
    by_other_end = pair.before.up == after.up and after.up and after.kind == "veth"
    cause = f"its other end {after.peer.name}" if by_other_end and after.peer is not None else ""
    kind: Kind = "carrier-on" if after.carrier else "carrier-off"
    return Change(kind, pair.node.name, after.name, on=cause, quiet=not by_other_end)


def _port(pair: Pair) -> list[Change]:
    before, after = pair.before.port, pair.after.port
    if after is None or before == after:
        return []
    node, name, master = pair.node.name, pair.after.name, pair.after.master or ""
    found: list[Change] = []
    state = before.state if before is not None else "disabled"
    if state != after.state:
        loud = after.state in ("forwarding", "blocking")
        found.append(Change("port-state", node, name, state, after.state, master, quiet=not loud))
    for word, old, new in (
        ("hairpin", before.hairpin if before else False, after.hairpin),
        ("isolation", before.isolated if before else False, after.isolated),
        ("MAC learning", before.learning if before else True, after.learning),
        ("flooding", before.flood if before else True, after.flood),
        ("broadcast", before.broadcast if before else True, after.broadcast),
        ("lock", before.locked if before else False, after.locked),
    ):
        if old != new:
            found.append(Change("link-setting", node, name, _switch(old), _switch(new), word))
    return found


def _addresses(pair: Pair) -> list[Change]:
    if pair.before.addresses == pair.after.addresses:
        return []
    old = {(own.address, own.prefix): own for own in pair.before.addresses}
    new = {(own.address, own.prefix): own for own in pair.after.addresses}
    found = [_address("address-removed", pair.node, pair.after, own) for key, own in old.items() if key not in new]
    for key, own in new.items():
        if key not in old:
            found.append(_address("address-added", pair.node, pair.after, own))
        elif own.duplicate and not old[key].duplicate:
            found.append(Change("address-duplicate", pair.node.name, own.cidr, on=pair.after.name))
        elif old[key].tentative and not own.tentative:
            found.append(Change("address-ready", pair.node.name, own.cidr, on=pair.after.name, quiet=True))
    return found


def _address(kind: Kind, node: Node, link: Link, own: Address) -> Change:
    """Loopback's own address and link-local ones come by themselves."""
    quiet = own.scope == "host" or (own.family == 6 and own.scope == "link")
    return Change(kind, node.name, own.cidr, on=link.name, quiet=quiet)


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _vxlan(link: Link) -> str:
    own = link.vxlan
    if own is None:
        return ""
    ends = f" from {own.local}" if own.local else ""
    return f"vni {own.vni} port {own.port}{ends}" + (f" to {own.remote}" if own.remote else "")
