"""The difference of two snapshots, as changes a person would name: a move is a move and a rename is a rename.

Counters and the time a snapshot was taken are no changes at all. What comes and goes by itself is there but marked quiet.
"""

from __future__ import annotations

from msgspec.structs import replace

from .changes import Change, NameAdded, NameBroken, NameMoved, NameRemoved, NodeAppeared, NodeRenamed, NodeReplaced, NodeVanished
from .diff_links import link_changes
from .diff_tables import table_changes
from .identity import match
from .snapshot import Name, Node, Snapshot


def diff(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """What changed, in the order a person would tell it: nodes, names, links and their settings, then each node's tables."""
    if before is after:
        return ()
    same = match(before, after)
    changes: list[Change] = []
    gone = {node.name: node for node in same.nodes_gone}
    new = {node.name for node in same.nodes_new}
    changes += [NodeReplaced(node.name, gone[node.name], node) for node in same.nodes_new if node.name in gone]
    changes += [NodeVanished(node.name, node) for node in same.nodes_gone if node.name not in new]
    changes += [NodeAppeared(node.name, node) for node in same.nodes_new if node.name not in gone]
    changes += [NodeRenamed(now.name, was.name) for was, now in same.nodes if was.name != now.name]
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


def _names(before: Snapshot, after: Snapshot) -> list[Change]:
    """What /run/netns says: a name is only a name, and may lead nowhere."""
    if before.names == after.names:
        return []
    old, new = ({name.name: name for name in snapshot.names} for snapshot in (before, after))
    found: list[Change] = []
    for text, name in new.items():
        was = old.get(text)
        if was is None:
            found.append(NameAdded(_leads_to(after, name), name))
        elif was.netns != name.netns:
            if name.netns is None:
                found.append(NameBroken(_leads_to(before, was), was, name))
            else:
                there = _leads_to(after, name, "another namespace")
                earlier = _leads_to(before, was, "another namespace") if was.netns is not None else "nowhere"
                found.append(NameMoved(there, was, name, earlier))
    for text, name in old.items():
        if text not in new:
            node = after.by_netns(name.netns) if name.netns is not None else None
            found.append(NameRemoved(node.name if node is not None else "", name))
    return found


def _leads_to(snapshot: Snapshot, name: Name, unseen: str = "a namespace") -> str:
    node = snapshot.by_netns(name.netns) if name.netns is not None else None
    if node is not None:
        return node.name
    return "" if name.netns is None else unseen
