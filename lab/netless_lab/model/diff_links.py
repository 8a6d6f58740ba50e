"""What changed in the links: came, went, moved, renamed, up, down, plugged in, set, addressed."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from . import changes as c
from .identity import NO_MAC, Identity, Pair
from .options import reset_and_set
from .snapshot import Address, BridgePort, Link, Node

Ends = dict[tuple[str, str], tuple[Node, Link]]


def link_changes(same: Identity) -> list[c.Change]:
    """All changes of links, cables first."""
    buried = frozenset(map(id, same.nodes_gone))
    found: list[c.Change] = []
    for node, link, far in _cables(same.links_gone):
        quiet = link.kind == "loopback" or id(node) in buried
        if far is None:
            found.append(c.LinkRemoved(node.name, link, quiet=quiet))
        else:
            found.append(c.CableRemoved(node.name, link, far[0].name, far[1]))
    moved = {(pair.node_before.name, pair.before.name): (pair.node.name, pair.after.name) for pair in same.links}
    for pair in same.links:
        if pair.moved:
            found.append(c.LinkMoved(pair.node.name, pair.node_before.name, pair.before, pair.after))
        elif pair.before.name != pair.after.name:
            found.append(c.LinkRenamed(pair.node.name, pair.before.name, pair.after.name))
    for node, link, far in _cables(same.links_new):
        if far is None:
            found.append(c.LinkAdded(node.name, link, quiet=link.kind == "loopback"))
        else:
            found.append(c.CableAdded(node.name, link, far[0].name, far[1]))
    for node, link in same.links_new:
        found += newborn(node, link)
    for pair in same.links:
        if pair.before is not pair.after and (pair.before != pair.after or pair.moved):
            found += _settings(pair, moved)
    return found


def newborn(node: Node, link: Link) -> list[c.Change]:
    """What a link already has that has just come, beside what it is."""
    found: list[c.Change] = []
    if link.up:
        found.append(c.LinkWentUp(node.name, link, quiet=link.kind == "loopback"))
    if link.master is not None:
        found.append(c.PortJoined(node.name, link.name, link.master, pinned=_pinned(node, link.master)))
    plain = link if link.port is None else _without_flags(link)
    found += [c.LinkSet(node.name, setting, plain, link) for setting in _PORT if _flag(link, setting) != _flag(plain, setting)]
    unset = replace(link, options=tuple(own for own in link.options if own.of != "port"))
    if unset != link:
        found.append(c.LinkSet(node.name, "options", unset, link))
    found += [c.AddressAdded(node.name, link.name, own, quiet=by_itself(own)) for own in link.addresses]
    return found


def _cables(links: tuple[tuple[Node, Link], ...]) -> list[tuple[Node, Link, tuple[Node, Link] | None]]:
    """The links, each with the far end of its cable when that is among them too; then the far end is left out."""
    ends: Ends = {(node.name, link.name): (node, link) for node, link in links}
    found: list[tuple[Node, Link, tuple[Node, Link] | None]] = []
    done: set[tuple[str, str]] = set()
    for place, (node, link) in ends.items():
        if place in done:
            continue
        done.add(place)
        far = (link.peer.node, link.peer.name) if link.peer is not None and link.kind == "veth" else None
        if far is not None and far in ends and far not in done:
            done.add(far)
            found.append((node, link, ends[far]))
        else:
            found.append((node, link, None))
    return found


def _settings(pair: Pair, moved: dict[tuple[str, str], tuple[str, str]]) -> list[c.Change]:
    before, after, node = pair.before, pair.after, pair.node.name
    found: list[c.Change] = []
    if before.master != after.master and after.master != _renamed(pair.node_before.name, before.master, moved):
        if after.master is not None:
            found.append(c.PortJoined(node, after.name, after.master, before.master or "", _pinned(pair.node, after.master)))
        else:
            found.append(c.PortLeft(node, after.name, before.master or ""))
    if before.up != after.up:
        found.append(c.LinkWentUp(node, after) if after.up else c.LinkWentDown(node, after))
    if before.carrier != after.carrier:
        found.append(_carrier(pair))
    found += _port(pair)
    compared: tuple[tuple[c.Setting, bool], ...] = (
        ("MAC", before.mac == after.mac),
        ("MTU", before.mtu == after.mtu),
        ("stp", before.stp == after.stp),
        ("arp", before.arp == after.arp),
        ("promisc", before.promisc == after.promisc),
        ("mode", before.mode == after.mode),
        ("alias", before.alias == after.alias),
        ("altnames", before.altnames == after.altnames),
        ("vxlan", before.vxlan == after.vxlan),
        ("programs", before.programs == after.programs),
        ("options", not reset_and_set(before, after)),
    )
    for setting, same in compared:
        if not same:
            quiet = setting == "MAC" and after.kind == "bridge" and not _pinned_by_hand(pair)
            found.append(c.LinkSet(node, setting, before, after, quiet=quiet))
    found += _addresses(pair)
    return found


def _pinned(node: Node, name: str) -> str:
    """The MAC of a bridge that somebody has given it; "" when it is a port's: the kernel takes one (br_stp_recalculate_bridge_id)."""
    own = node.link(name)
    ports = [link.mac for link in node.links if link.master == name]
    if own is None or own.mac in NO_MAC:
        return ""
    return own.mac if own.mac not in ports else ""


def _pinned_by_hand(pair: Pair) -> bool:
    """Whether somebody gave a bridge its MAC, or took back one that was given: with ports the kernel gives it theirs, and only theirs."""
    had_ports = any(link.master == pair.before.name for link in pair.node_before.links)
    return bool(_pinned(pair.node, pair.after.name) or (had_ports and _pinned(pair.node_before, pair.before.name)))


def _renamed(node: str, name: str | None, moved: dict[tuple[str, str], tuple[str, str]]) -> str | None:
    """The name now of what was called ``name``: a bridge that was renamed is still the same bridge."""
    if name is None:
        return None
    return moved.get((node, name), (node, name))[1]


def _carrier(pair: Pair) -> c.Change:
    """Carrier follows from up: it is news when it comes from the other end of the cable."""
    after = pair.after
    by_other_end = pair.before.up == after.up and after.up and after.kind == "veth"
    cause = after.peer.name if by_other_end and after.peer is not None else ""
    return c.CarrierChanged(pair.node.name, after, cause, quiet=not by_other_end)


_PORT: Final[tuple[c.Setting, ...]] = ("hairpin", "isolated", "learning", "flood", "broadcast", "locked")


def _flag(link: Link, setting: c.Setting) -> bool:
    """A port's own setting; what is no port has those that a port is born with."""
    return bool(getattr(link.port or BridgePort(), setting))


def _without_flags(link: Link) -> Link:
    """The port as it was when it was plugged in."""
    return replace(link, port=BridgePort(link.port.state if link.port is not None else "disabled"))


def _port(pair: Pair) -> list[c.Change]:
    before, after = pair.before.port, pair.after.port
    if after is None or before == after:
        return []
    node = pair.node.name
    found: list[c.Change] = []
    state = before.state if before is not None else "disabled"
    if state != after.state:
        loud = after.state in ("forwarding", "blocking")
        found.append(c.PortStateChanged(node, pair.after, state, after.state, quiet=not loud))
    for setting in _PORT:
        if _flag(pair.before, setting) != _flag(pair.after, setting):
            found.append(c.LinkSet(node, setting, pair.before, pair.after))
    return found


def _addresses(pair: Pair) -> list[c.Change]:
    if pair.before.addresses == pair.after.addresses:
        return []
    node, link = pair.node, pair.after
    old = {own.given: own for own in pair.before.addresses}
    new = {own.given: own for own in link.addresses}
    found: list[c.Change] = [
        c.AddressRemoved(node.name, link.name, own, quiet=own.family == 6 and by_itself(own)) for key, own in old.items() if key not in new
    ]
    for key, own in new.items():
        if key not in old:
            by_hand = own.family == 4 and pair.before.up
            found.append(c.AddressAdded(node.name, link.name, own, quiet=by_itself(own) and not by_hand))
        elif own.duplicate and not old[key].duplicate:
            found.append(c.AddressDuplicate(node.name, link.name, own))
        elif old[key].tentative and not own.tentative:
            found.append(c.AddressReady(node.name, link.name, own, quiet=True))
    return found


def by_itself(own: Address) -> bool:
    """Loopback's own address and link-local ones come by themselves when the link is switched on; those of IPv6 go so too."""
    return own.scope == "host" or (own.family == 6 and own.scope == "link")
