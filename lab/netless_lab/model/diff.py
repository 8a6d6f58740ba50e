"""The difference of two snapshots, as changes a person would name: a move is a move and a rename is a rename.

Counters and the time a snapshot was taken are no changes at all. What comes and goes by itself is there but marked quiet.

Which node and which link of one snapshot is which of the other: a namespace is its inode, a link is (namespace, ifindex) as long as it stays. When it
moves to another namespace the kernel may give it another ifindex, but it keeps its MAC, its kind and its peer, and those tell that it is the same
one (RTM_NEWLINK with IFLA_NET_NS_*).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from . import changes as c
from .diff_tables import table_changes
from .options import reset_and_set
from .snapshot import Address, BridgePort, Link, Name, Node, Snapshot


def diff(before: Snapshot, after: Snapshot) -> tuple[c.Change, ...]:
    """What changed, in the order a person would tell it: nodes, names, links and their settings, then each node's tables."""
    if before is after:
        return ()
    same = match(before, after)
    changes: list[c.Change] = []
    gone = {node.name: node for node in same.nodes_gone}
    new = {node.name for node in same.nodes_new}
    changes += [c.NodeReplaced(node.name, gone[node.name], node) for node in same.nodes_new if node.name in gone]
    changes += [c.NodeVanished(node.name, node) for node in same.nodes_gone if node.name not in new]
    changes += [c.NodeAppeared(node.name, node) for node in same.nodes_new if node.name not in gone]
    changes += [c.NodeRenamed(now.name, was.name) for was, now in same.nodes if was.name != now.name]
    changes += _names(before, after)
    changes += link_changes(same)
    macs = frozenset(link.mac for snapshot in (before, after) for node in snapshot.nodes for link in node.links)
    for was, now in same.nodes:
        if was is not now:
            changes += table_changes(_as_named_now(was, same.renamed(now)), now, macs, fresh=False)
    for node in same.nodes_new:
        changes += table_changes(Node(node.name, node.role, node.netns), node, macs, fresh=True)
    return tuple(changes)


def _as_named_now(was: Node, renamed: dict[str, str]) -> Node:
    """The node as it was, its tables written with the names its links have now: a rename is told once, not once a route."""
    if not renamed:
        return was
    routes = tuple(replace(own, dev=renamed.get(own.dev or "", own.dev)) for own in was.routes)
    neighbours = tuple(replace(own, dev=renamed.get(own.dev, own.dev)) for own in was.neighbours)
    fdb = tuple(replace(own, dev=renamed.get(own.dev, own.dev), master=renamed.get(own.master or "", own.master)) for own in was.fdb)
    sysctls = {_knob(key, renamed): value for key, value in was.sysctls.items()}
    return replace(was, routes=routes, neighbours=neighbours, fdb=fdb, sysctls=sysctls)


def _knob(key: str, renamed: dict[str, str]) -> str:
    """``rp_filter/eth0`` of a link that was renamed, by its name now."""
    knob, _, device = key.partition("/")
    return f"{knob}/{renamed[device]}" if device in renamed else key


def _names(before: Snapshot, after: Snapshot) -> Iterator[c.Change]:
    """What /run/netns says: a name is only a name, and may lead nowhere."""
    if before.names == after.names:
        return
    old, new = ({name.name: name for name in snapshot.names} for snapshot in (before, after))
    for text, name in new.items():
        if (was := old.get(text)) is None:
            yield c.NameAdded(_leads_to(after, name), name)
        elif was.netns != name.netns and name.netns is None:
            yield c.NameBroken(_leads_to(before, was), was, name)
        elif was.netns != name.netns:
            earlier = _leads_to(before, was, "another namespace") if was.netns is not None else "nowhere"
            yield c.NameMoved(_leads_to(after, name, "another namespace"), was, name, earlier)
    yield from (c.NameRemoved(_leads_to(after, name, ""), name) for text, name in old.items() if text not in new)


def _leads_to(snapshot: Snapshot, name: Name, unseen: str = "a namespace") -> str:
    node = snapshot.by_netns(name.netns) if name.netns is not None else None
    if node is not None:
        return node.name
    return "" if name.netns is None else unseen


Ends = dict[tuple[str, str], tuple[Node, Link]]


def link_changes(same: Identity) -> Iterator[c.Change]:
    """All changes of links, cables first: came, went, moved, renamed, up, down, plugged in, set, addressed."""
    buried = frozenset(map(id, same.nodes_gone))
    for node, link, far in _cables(same.links_gone):
        if far is None:
            yield c.LinkRemoved(node.name, link, quiet=link.kind == "loopback" or id(node) in buried)
        else:
            yield c.CableRemoved(node.name, link, far[0].name, far[1])
    moved = {(pair.node_before.name, pair.before.name): (pair.node.name, pair.after.name) for pair in same.links}
    for pair in same.links:
        if pair.moved:
            yield c.LinkMoved(pair.node.name, pair.node_before.name, pair.before, pair.after)
        elif pair.before.name != pair.after.name:
            yield c.LinkRenamed(pair.node.name, pair.before.name, pair.after.name)
    for node, link, far in _cables(same.links_new):
        if far is None:
            yield c.LinkAdded(node.name, link, quiet=link.kind == "loopback")
        else:
            yield c.CableAdded(node.name, link, far[0].name, far[1])
    for node, link in same.links_new:
        yield from newborn(node, link)
    for pair in same.links:
        if pair.before is not pair.after and (pair.before != pair.after or pair.moved):
            yield from _settings(pair, moved)


def newborn(node: Node, link: Link) -> Iterator[c.Change]:
    """What a link already has that has just come, beside what it is."""
    if link.up:
        yield c.LinkWentUp(node.name, link, quiet=link.kind == "loopback")
    if link.master is not None:
        yield c.PortJoined(node.name, link.name, link.master, pinned=_pinned(node, link.master))
    plain = link if link.port is None else replace(link, port=BridgePort(link.port.state))  # as it was when it was plugged in
    yield from (c.LinkSet(node.name, setting, plain, link) for setting in _PORT if _flag(link, setting) != _flag(plain, setting))
    unset = replace(link, options=tuple(own for own in link.options if own.of != "port"))
    if unset != link:
        yield c.LinkSet(node.name, "options", unset, link)
    yield from (c.AddressAdded(node.name, link.name, own, quiet=by_itself(own)) for own in link.addresses)


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


def _settings(pair: Pair, moved: dict[tuple[str, str], tuple[str, str]]) -> Iterator[c.Change]:
    before, after, node = pair.before, pair.after, pair.node.name
    if before.master != after.master and after.master != _renamed(pair.node_before.name, before.master, moved):
        if after.master is not None:
            yield c.PortJoined(node, after.name, after.master, before.master or "", _pinned(pair.node, after.master))
        else:
            yield c.PortLeft(node, after.name, before.master or "")
    if before.up != after.up:
        yield c.LinkWentUp(node, after) if after.up else c.LinkWentDown(node, after)
    if before.carrier != after.carrier:
        yield _carrier(pair)
    yield from _port(pair)
    for setting in _LINK:
        if getattr(before, setting.lower()) != getattr(after, setting.lower()) and (setting != "options" or reset_and_set(before, after)):
            quiet = setting == "MAC" and after.kind == "bridge" and not _pinned_by_hand(pair)
            yield c.LinkSet(node, setting, before, after, quiet=quiet)
    yield from _addresses(pair)


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
    return None if name is None else moved.get((node, name), (node, name))[1]


def _carrier(pair: Pair) -> c.Change:
    """Carrier follows from up: it is news when it comes from the other end of the cable."""
    after = pair.after
    by_other_end = pair.before.up == after.up and after.up and after.kind == "veth"
    cause = after.peer.name if by_other_end and after.peer is not None else ""
    return c.CarrierChanged(pair.node.name, after, cause, quiet=not by_other_end)


_LINK: Final[tuple[c.Setting, ...]] = ("MAC", "MTU", "stp", "arp", "promisc", "mode", "alias", "altnames", "vxlan", "programs", "options")
"""A link's settings, in small letters what a snapshot calls them."""
_PORT: Final[tuple[c.Setting, ...]] = ("hairpin", "isolated", "learning", "flood", "broadcast", "locked")
"""Those of a bridge's port."""


def _flag(link: Link, setting: c.Setting) -> bool:
    """A port's own setting; what is no port has those that a port is born with."""
    return bool(getattr(link.port or BridgePort(), setting))


def _port(pair: Pair) -> Iterator[c.Change]:
    before, after, node = pair.before.port, pair.after.port, pair.node.name
    if after is None or before == after:
        return
    state = before.state if before is not None else "disabled"
    if state != after.state:
        yield c.PortStateChanged(node, pair.after, state, after.state, quiet=after.state not in ("forwarding", "blocking"))
    for setting in _PORT:
        if _flag(pair.before, setting) != _flag(pair.after, setting):
            yield c.LinkSet(node, setting, pair.before, pair.after)


def _addresses(pair: Pair) -> Iterator[c.Change]:
    if pair.before.addresses == pair.after.addresses:
        return
    node, link = pair.node.name, pair.after.name
    old, new = ({own.given: own for own in side.addresses} for side in (pair.before, pair.after))
    yield from (c.AddressRemoved(node, link, own, quiet=own.family == 6 and by_itself(own)) for key, own in old.items() if key not in new)
    for key, own in new.items():
        if key not in old:
            by_hand = own.family == 4 and pair.before.up
            yield c.AddressAdded(node, link, own, quiet=by_itself(own) and not by_hand)
        elif own.duplicate and not old[key].duplicate:
            yield c.AddressDuplicate(node, link, own)
        elif old[key].tentative and not own.tentative:
            yield c.AddressReady(node, link, own, quiet=True)


def by_itself(own: Address) -> bool:
    """Loopback's own address and link-local ones come by themselves when the link is switched on; those of IPv6 go so too."""
    return own.scope == "host" or (own.family == 6 and own.scope == "link")


NO_MAC = ("", "00:00:00:00:00:00")


class Pair(msgspec.Struct, frozen=True):
    """One link before and after, and the nodes it was and is in."""

    node_before: Node
    before: Link
    node: Node
    after: Link

    @property
    def moved(self) -> bool:
        """Whether it changed its namespace."""
        return inode(self.node_before) != inode(self.node)


class Identity(msgspec.Struct, frozen=True):
    """Everything matched: nodes that stayed, links that stayed or moved, and what came and went."""

    nodes: tuple[tuple[Node, Node], ...]
    nodes_new: tuple[Node, ...]
    nodes_gone: tuple[Node, ...]
    links: tuple[Pair, ...]
    links_new: tuple[tuple[Node, Link], ...]
    links_gone: tuple[tuple[Node, Link], ...]

    def renamed(self, node: Node) -> dict[str, str]:
        """Old name to new name of the links that stayed in a node and are called otherwise now."""
        stayed = ((pair.before.name, pair.after.name) for pair in self.links if pair.node is node and not pair.moved)
        return {old: new for old, new in stayed if old != new}


def inode(node: Node) -> tuple[int, str]:
    """What identifies a node: its inode, or its name in a sketch that has none."""
    return (node.netns, "") if node.netns else (0, node.name)


def match(before: Snapshot, after: Snapshot) -> Identity:
    """Match everything."""
    old = {inode(node): node for node in before.nodes}
    new = {inode(node): node for node in after.nodes}
    nodes = tuple((old[key], node) for key, node in new.items() if key in old)
    pairs: list[Pair] = []
    gone: list[tuple[Node, Link]] = []
    came: list[tuple[Node, Link]] = []
    for key, node in new.items():
        was = {link.ifindex: link for link in old[key].links} if key in old else {}
        for link in node.links:
            earlier = was.get(link.ifindex)
            if earlier is not None and _same(earlier, link):
                pairs.append(Pair(old[key], was.pop(link.ifindex), node, link))
            else:
                came.append((node, link))
        if key in old:
            gone += [(old[key], link) for link in was.values()]
    for key, node in old.items():
        if key not in new:
            gone += [(node, link) for link in node.links]
    pairs += _moves(gone, came)
    nodes_new = tuple(node for key, node in new.items() if key not in old)
    nodes_gone = tuple(node for key, node in old.items() if key not in new)
    return Identity(nodes, nodes_new, nodes_gone, tuple(pairs), tuple(came), tuple(gone))


def _same(before: Link, after: Link) -> bool:
    """Whether a link with the same ifindex is the same link: an ifindex may be used again after a removal or a move."""
    return before.kind == after.kind and (before.mac == after.mac or before.name == after.name)


def _moves(gone: list[tuple[Node, Link]], came: list[tuple[Node, Link]]) -> list[Pair]:
    """Take out of both lists what only moved, the best match first: same MAC and kind always, then same peer, then same name."""
    found: list[Pair] = []
    left: dict[tuple[str, str], list[tuple[Node, Link]]] = {}
    for there, earlier in gone:
        left.setdefault((earlier.mac, earlier.kind), []).append((there, earlier))
    moved: set[int] = set()
    for node, link in came:
        alike = left.get((link.mac, link.kind), []) if link.mac not in NO_MAC else []
        choices = [choice for choice in alike if inode(choice[0]) != inode(node)]
        if choices:
            best = max(choices, key=lambda choice: (_same_peer(choice[1], link), choice[1].name == link.name))
            alike.remove(best)
            moved |= {id(best[1]), id(link)}
            found.append(Pair(best[0], best[1], node, link))
    for links in (gone, came):
        links[:] = [(node, link) for node, link in links if id(link) not in moved]
    return found


def _same_peer(before: Link, after: Link) -> bool:
    return before.peer is not None and after.peer is not None and before.peer.name == after.peer.name
