"""Who is on the picture and in which lane: the snapshot, and the goal that reserves room for what is still to come.

A goal is an outline of the lesson's last network. Its links are matched to real ones by name, else by the part they play (same node,
same kind, a cable to the same node), so that a learner's own names take the places the lesson has reserved.
"""

from __future__ import annotations

import msgspec

from ..gates import Gate, gates_of
from ..snapshot import Link, Node, Snapshot
from .labels import addresses, is_cable_end, is_lo, safe, sits_on_lower
from .values import HUES, Place


class Part(msgspec.Struct, frozen=True):
    """One link of the picture. ``wish`` is the goal's version of it (of the same kind); ``real`` is false when only the goal has it."""

    place: Place
    link: Link
    real: bool = True
    wish: Link | None = None


class Actor(msgspec.Struct, frozen=True):
    """One node of the picture with its links; the loopback apart. ``frame`` is the style of its box."""

    name: str
    node: Node
    real: bool
    frame: str
    parts: tuple[Part, ...]
    lo: Link | None = None

    @property
    def label(self) -> str:
        """Its name, every character one cell wide."""
        return safe(self.name)


class Cable(msgspec.Struct, frozen=True):
    """A veth cable between two places. ``real`` is false when it is only in the goal."""

    one: Place
    other: Place
    real: bool = True

    def far(self, place: Place) -> Place:
        """The other end."""
        return self.other if place == self.one else self.one


class Figure(msgspec.Struct, frozen=True):
    """The whole cast: host in the middle, what is beyond its uplinks on the right, everybody else on the left.

    ``cables`` holds each cable under both its ends; ``wishes`` the cables of the goal alone, which say where a loose end will go.
    ``wanted_gates`` are the gates that matter in the lesson, None without a goal.
    """

    host: Actor | None
    left: tuple[Actor, ...]
    right: tuple[Actor, ...]
    parts: dict[Place, Part]
    cables: dict[Place, Cable]
    wishes: dict[Place, Place]
    gates: tuple[Gate, ...]
    wanted_gates: frozenset[str] | None
    dangling: tuple[str, ...]

    @property
    def actors(self) -> tuple[Actor, ...]:
        """Everybody, host first."""
        middle = (self.host,) if self.host is not None else ()
        return (*middle, *self.left, *self.right)

    def side(self, node: str) -> str:
        """The lane a node is in: "left", "host" or "right"."""
        if self.host is not None and self.host.name == node:
            return "host"
        return "right" if any(actor.name == node for actor in self.right) else "left"


def compose(snapshot: Snapshot, goal: Snapshot | None) -> Figure:
    """Cast the picture."""
    actors, renamed = _cast(snapshot, goal)
    parts = {part.place: part for actor in actors for part in actor.parts}
    cables: dict[Place, Cable] = {}
    for place, part in parts.items():
        if part.real and place not in cables:
            far = _peer(part.link, {})
            if far is not None and far in parts and far != place and parts[far].real and far not in cables:
                cables[place] = cables[far] = Cable(place, far)
    wishes: dict[Place, Place] = {}
    for place, part in parts.items():
        wished = part.link if not part.real else part.wish
        far = _peer(wished, renamed) if wished is not None else None
        if far is None or far not in parts or far == place or (parts[far].real and parts[far].wish is None):
            continue
        wishes[place] = far
        if place not in cables and far not in cables:
            cables[place] = cables[far] = Cable(place, far, real=False)
    host = next((actor for actor in actors if actor.node.role == "host"), None)
    right = tuple(actor for actor in actors if _goes_right(actor, host, cables))
    left = tuple(actor for actor in actors if actor is not host and actor not in right)
    return Figure(
        host=host, left=_by_bridge(left, host, cables, parts), right=right, parts=parts, cables=cables, wishes=wishes,
        gates=gates_of(host.node) if host is not None else (), wanted_gates=_wanted_gates(goal),
        dangling=tuple(safe(name.name) for name in snapshot.names if name.netns is None),
    )  # fmt: skip


def _cast(snapshot: Snapshot, goal: Snapshot | None) -> tuple[list[Actor], dict[Place, Place]]:
    """All actors, and for each link of the goal whose part a real one of another name plays, that one's place."""
    renamed: dict[Place, Place] = {}
    actors: list[Actor] = []
    order = list(snapshot.nodes)
    seen = {node.name for node in order}
    wishes = {node.name: node for node in goal.nodes} if goal is not None else {}
    order += [node for name, node in wishes.items() if name not in seen]
    hue = 0
    for node in order:
        frame = "node-unknown" if node.role not in ("host", "internet", "router", "container") else f"node-{node.role}"
        if node.role == "container":
            frame = f"container-{hue % HUES}"
            hue += 1
        real = node.name in seen
        if (wish := wishes.get(node.name)) is None:
            parts = tuple(Part((node.name, link.name), link) for link in node.links if _worth_a_row(link))
        else:
            parts = _match(node if real else None, wish, renamed)
        lo = next((link for link in node.links if is_lo(link)), None) if real else None
        actors.append(Actor(node.name, node, real, frame, parts, lo))
    return actors, renamed


def _worth_a_row(link: Link) -> bool:
    return not is_lo(link) or bool(addresses(link))


def _match(node: Node | None, wish: Node, renamed: dict[Place, Place]) -> tuple[Part, ...]:
    links = [link for link in node.links if _worth_a_row(link)] if node is not None else []
    wanted = [link for link in wish.links if not is_lo(link)]
    taken: dict[str, Link] = {}
    by_name = {link.name: link for link in links}
    for link in wanted:
        if link.name in by_name:
            taken[link.name] = by_name.pop(link.name)
    for link in wanted:
        if link.name not in taken:
            for own in by_name.values():
                if own.kind == link.kind and _far_node(own) == _far_node(link):
                    taken[link.name] = by_name.pop(own.name)
                    renamed[(wish.name, link.name)] = (wish.name, own.name)
                    break
    parts = []
    for link in wanted:
        own = taken.get(link.name, link)
        parts.append(Part((wish.name, own.name), own, link.name in taken, link if own.kind == link.kind else None))
    parts += [Part((wish.name, link.name), link) for link in by_name.values()]
    return tuple(parts)


def _far_node(link: Link) -> str | None:
    return link.peer.node if link.peer is not None else None


def _peer(link: Link, renamed: dict[Place, Place]) -> Place | None:
    if link.peer is None or not is_cable_end(link):
        return None
    place = (link.peer.node, link.peer.name)
    return renamed.get(place, place)


def _goes_right(actor: Actor, host: Actor | None, cables: dict[Place, Cable]) -> bool:
    """The internet goes right, and so does a router that is cabled to the host."""
    if actor.node.role == "internet":
        return True
    if actor.node.role != "router" or host is None:
        return False
    return any(part.place in cables and cables[part.place].far(part.place)[0] == host.name for part in actor.parts)


def _by_bridge(left: tuple[Actor, ...], host: Actor | None, cables: dict[Place, Cable], parts: dict[Place, Part]) -> tuple[Actor, ...]:
    """With several bridges on the host, the nodes of one bridge stay together, so that their wires need not cross."""
    if host is None:
        return left
    bridges = [part for part in host.parts if part.link.kind == "bridge"]
    if len(bridges) < 2:
        return left

    places = tuple(reversed(tuple(enumerate(bridges))))  # of two with one name the first counts
    now = {bridge.link.name: place for place, bridge in places}
    later = {goal_name(bridge): place for place, bridge in places}

    def rank(part: Part) -> int:
        cable = cables.get(part.place)
        far = parts.get(cable.far(part.place)) if cable is not None else None
        if far is None or far.place[0] != host.name:
            return len(bridges)
        if far.link.master is not None:
            return now.get(far.link.master, len(bridges))
        wished = far.wish.master if far.wish is not None else None
        return later.get(wished, len(bridges)) if wished is not None else len(bridges)

    sorted_parts = [msgspec.structs.replace(actor, parts=tuple(sorted(actor.parts, key=rank))) for actor in left]
    return tuple(sorted(sorted_parts, key=lambda actor: min(map(rank, actor.parts), default=len(bridges))))


def _wanted_gates(goal: Snapshot | None) -> frozenset[str] | None:
    """Gates of the goal. One that does not forward says that the lesson has not come to forwarding, not that it must be off."""
    host = next((node for node in goal.nodes if node.role == "host"), None) if goal is not None else None
    if host is None:
        return None
    gates = [(gate.name, gate.state) for gate in gates_of(host)]
    return frozenset(name for name, state in gates if state in ("open", "narrow") or (name, state) == ("fw", "closed"))


def will_join(part: Part, bridge: Part) -> bool:
    """Whether the goal makes a link, free now, a port of this bridge (which may have another name than the goal's)."""
    if part.link.master is not None or part.wish is None or part.wish.master is None:
        return False
    return part.wish.master == goal_name(bridge)


def goal_name(part: Part) -> str:
    """What the goal calls a link."""
    return part.wish.name if part.wish is not None else part.link.name


def lower_of(part: Part) -> Place | None:
    """The device a macvlan or the like sits on."""
    peer = part.link.peer
    return (peer.node, peer.name) if peer is not None and sits_on_lower(part.link) else None
