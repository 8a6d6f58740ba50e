"""Which of the earlier results that are gone a lost packet has need of: what is blamed must lie on its way. Pure.

What is on no way of it is no cause: the cable of a third one, the firewall of a host that it does not pass, a route to elsewhere. Where its way is not
known to the end, nothing is left out for lying beside it. Of what remains that is named which is nearest to an end of the packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_interface

from ..model.probe import Probe
from ..model.routes import connected, worked_out
from ..model.snapshot import Node, Snapshot
from ..primitives.address import HasAddress
from ..primitives.base import Expectation
from ..primitives.namespace import Named, NetnsExists, NoNetns, OnlyLo
from ..primitives.resolver import HasResolver
from ..primitives.route import HasRoute
from .further import Missing
from .probe_words import target
from .words import words_by_role

_NO_USE = (Named, NetnsExists, NoNetns, OnlyLo)
"""Who bears which name in /run/netns is all one to a packet, and so is what a node has not."""
_FAR = 16
"""Routers that a packet passes at most."""


def nearest(lacks: Iterable[tuple[Missing, Expectation]], probe: Probe, snapshot: Snapshot, homes: Mapping[str, str]) -> Missing | None:
    """What a packet of ``probe`` lacks most nearly; None when it has need of none of it. ``homes`` is where the lessons mean each address to live."""
    way = _Way(probe, snapshot, homes)
    needed = [(distance, missing) for missing, expectation in lacks if (distance := way.distance(expectation)) is not None]
    return min(needed, key=lambda own: own[0])[1] if needed else None


class _Way:
    """Whom a packet comes to, as far as addresses and routes tell; ``known``: as far as its end."""

    def __init__(self, probe: Probe, snapshot: Snapshot, homes: Mapping[str, str]) -> None:
        self._snapshot, self._sender, self._to = snapshot, probe.node, target(probe)
        owner = next((node.name for node in snapshot.nodes if self._to and node.owner(self._to)), None)
        self._home = homes.get(self._to, owner) if self._to else None
        self._nodes, self._known = self._walked()

    def distance(self, expectation: Expectation) -> int | None:
        """How near what is expected is to an end of the packet: 0 at one, 1 between them; None where the packet has no need of it."""
        if expectation.learned or isinstance(expectation, _NO_USE) or (isinstance(expectation, HasResolver) and self._to):
            return None
        nodes, links = (words_by_role((expectation,), role) for role in ("node", "link"))
        if "lo" in links and self._sender != self._home:
            return None
        if expectation.passing and (not self._routed() or any(name in (self._sender, self._home) for name in nodes)):
            return None
        if isinstance(expectation, HasRoute) and self._beside(expectation.node):
            return None
        guests = [frozenset(name for name in nodes if self._is_guest(name)), *map(self._guests_of, links)]
        if self._known and any(own and not own & self._nodes for own in guests):
            return None
        here = isinstance(expectation, HasAddress) and str(ip_interface(expectation.cidr).ip) == self._to
        return 0 if here or any(own & {self._sender, self._home} for own in guests) else 1

    def _walked(self) -> tuple[frozenset[str], bool]:
        nodes = {self._sender}
        here = self._snapshot.node(self._sender)
        for _ in range(_FAR):
            if here is None or not self._to or self._home is None:
                break
            if here.name == self._home or _next_door(here, self._to):
                return frozenset((*nodes, self._home)), True
            via = worked_out(here, self._to).via
            here = next((node for node in self._snapshot.nodes if via and node.owner(via)), None)
            nodes.update((here.name,) if here is not None else ())
        return frozenset(nodes), False

    def _routed(self) -> bool:
        """Whether somebody has to pass the packet on, for all that is known."""
        return not self._known or bool(self._nodes - {self._sender, self._home})

    def _beside(self, name: str) -> bool:
        """Whether a node needs no route that was made by hand, for whom it sends to is next door."""
        node, sender = self._snapshot.node(name), self._snapshot.node(self._sender)
        back = tuple(own.address for link in (sender.links if sender else ()) if link.kind != "loopback" for own in link.v4)
        asked = back if name == self._home else (self._to,) if self._to else ()
        return node is not None and any(_next_door(node, address) for address in asked)

    def _is_guest(self, name: str) -> bool:
        node = self._snapshot.node(name)
        return node is None or node.role == "container"

    def _guests_of(self, link: str) -> frozenset[str]:
        """The containers that a link of this name leads to, or lies in; none when one of that name does not."""
        found = [(node.name, own.peer.node if own.peer else None) for node in self._snapshot.nodes for own in node.links if own.name == link]
        guests = [{name for name in ends if name and self._is_guest(name)} for ends in found]
        return frozenset().union(*guests) if all(guests) else frozenset()


def _next_door(node: Node, address: str) -> bool:
    return any(link.kind != "loopback" for link in connected(node, address))
