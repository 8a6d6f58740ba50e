"""What a network will look like: the sketch of a step or lesson before anything is done. Only for drawing and for names.

The judge never looks at a sketch; it reads the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..model.outside import FarHost
from ..model.snapshot import Address, Link, Node, Peer, Route, Snapshot
from ..primitives.base import Action
from ..primitives.fuse import fuse
from ..primitives.run import Run
from .bindings import UNBOUND, Bindings, apply
from .step import Course, World


def outline(base: Snapshot, actions: Iterable[Action]) -> Snapshot:
    """``base`` with every action's mark on it, in order. What is born where it will be in the end is never in the way of anything on its way."""
    for action in fuse(tuple(actions)):
        base = action.outline(base)
    return base


def placed(actions: Iterable[Action], now: Snapshot) -> tuple[Action, ...]:
    """These actions as they are done one after the other where ``now`` is there. After somebody's own command line (``Run``) nobody knows what is:
    what follows it stays as it stands in the lesson.
    """
    found: list[Action] = []
    foretold = True
    for action in actions:
        found.append(action.placed(now) if foretold else action)
        foretold = foretold and not isinstance(action, Run)
        now = found[-1].outline(now)
    return tuple(found)


def lesson_actions(course: Course, lesson_id: str) -> tuple[Action, ...]:
    """Every action of the course up to and including the lesson, in order."""
    found: list[Action] = []
    for lesson in course.lessons:
        found.extend(action for step in lesson.steps for action in step.do)
        if lesson.id == lesson_id:
            break
    return tuple(found)


def goal(course: Course, lesson_id: str, base: Snapshot, bindings: Bindings = UNBOUND) -> Snapshot:
    """The picture at the end of a lesson in the learner's words, drawn over ``base``: the lab as it was when the course began."""
    return outline(base, (apply(action, bindings) for action in lesson_actions(course, lesson_id)))


def commanded(sketch: Snapshot, actions: Iterable[Action]) -> frozenset[str]:
    """The nodes of which a sketch may not show all, for a command line was run there; one of a host may enter any."""
    nodes = frozenset(action.node for action in actions if isinstance(action, Run))
    return frozenset(node.name for node in sketch.nodes) if any(node.role == "host" and node.name in nodes for node in sketch.nodes) else nodes


def owners(sketch: Snapshot) -> dict[str, str]:
    """Which node holds each address, loopbacks left out: ``{"10.0.0.2": "c1"}``."""
    return {own.address: node.name for node in sketch.nodes for link in node.links if link.kind != "loopback" for own in link.addresses}


def start(world: World) -> Snapshot:
    """A sketch of a course's first moment: the host with its uplink, the pretend internet, containers, and what they have already."""
    beyond = world.outside
    name = beyond.uplink
    uplink = _end(name, 2, Peer("internet", name, 2), Address(beyond.host_address, beyond.prefix))
    router = _end(name, 2, Peer("host", name, 2), Address(beyond.router, beyond.prefix))
    host = Node("host", "host", netns=1, pid=1, links=(_lo(up=True), uplink), routes=(Route("default", beyond.router, name),))
    far = tuple(_far(own, 1000 + place) for place, own in enumerate(world.hosts))
    peers = tuple((3 + place, own, Peer(own.name, own.uplink, 2)) for place, own in enumerate(world.hosts))
    ends = tuple(_end(own.name, index, peer, Address(own.router, own.prefix)) for index, own, peer in peers)
    internet = Node("internet", "internet", netns=2, links=(_lo(up=True), router, *ends), sysctls={"ip_forward": "1"})
    containers = tuple(Node(name, "container", netns=3 + place, links=(_lo(up=False),)) for place, name in enumerate(world.containers))
    return outline(Snapshot((host, internet, *far, *containers)), world.do)


def _far(own: FarHost, netns: int) -> Node:
    uplink = _end(own.uplink, 2, Peer("internet", own.name, 3), Address(own.own_address, own.prefix))
    return Node(own.name, "host", netns=netns, links=(_lo(up=True), uplink), routes=(Route("default", own.router, own.uplink),))


def _end(name: str, index: int, peer: Peer, own: Address) -> Link:
    """An end of a cable that works."""
    return Link(name, index, "veth", up=True, carrier=True, peer=peer, addresses=(own,))


def _lo(*, up: bool) -> Link:
    addresses = (Address("127.0.0.1", 8, 4, "host"),) if up else ()
    return Link("lo", 1, "loopback", up=up, carrier=up, mtu=65536, addresses=addresses)
