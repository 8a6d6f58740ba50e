"""Objects that nobody asked for: mentioned beside a verdict, never punished."""

from __future__ import annotations

from ..model.snapshot import Node, Snapshot
from ..primitives.look import not_a_name
from .probe_words import who

_MOST = 8


def extras(snapshot: Snapshot, baseline: Snapshot, goal: Snapshot) -> tuple[str, ...]:
    """What is in ``snapshot`` beyond ``baseline`` (the lab's beginning) and ``goal`` (the sketch of all that the steps make).

    The goal must be drawn in the learner's own words. Rules and routes are left out: the same rule can be written in many ways.
    """
    found: list[str] = []
    for node in snapshot.nodes:
        before, wanted = baseline.node(node.name), goal.node(node.name)
        if before is None and wanted is None:
            found.append(_stranger(node))
            continue
        found.extend(_links(node, before, wanted))
    asked = {name.name for sketch in (baseline, goal) for name in sketch.names}
    asked.update(name for node in goal.nodes for name in node.names)
    strangers = {name for node in snapshot.nodes if baseline.node(node.name) is None for name in node.names}
    for name in snapshot.names:
        if name.name not in asked and name.name not in strangers:
            owner = snapshot.by_netns(name.netns) if name.netns is not None else None
            found.append(f"the name {name.name}, {f'a further name of {who(owner.name)}' if owner else f'which {not_a_name(name)}'}")
    if len(found) > _MOST:
        return (*found[: _MOST - 1], f"and {len(found) - _MOST + 1} more things that no step asked for")
    return tuple(found)


def _stranger(node: Node) -> str:
    return f"the container {node.name}" if node.role == "container" else f"the namespace {node.names[0] if node.names else node.name}"


def _links(node: Node, before: Node | None, wanted: Node | None) -> list[str]:
    found: list[str] = []
    for link in node.links:
        sketches = [own for own in (before.link(link.name) if before else None, wanted.link(link.name) if wanted else None) if own]
        place = "on the host" if node.name == "host" else f"in {who(node.name)}"
        if not sketches:
            found.append(f"the {link.kind} {link.name} {place}")
            continue
        asked = {address.address for own in sketches for address in own.addresses}
        for address in link.addresses:
            if address.scope == "global" and address.address not in asked:
                found.append(f"the address {address.cidr} of {link.name} {place}")
        if link.up and not any(own.up for own in sketches):
            found.append(f"{link.name} {place}, switched on")
    return found
