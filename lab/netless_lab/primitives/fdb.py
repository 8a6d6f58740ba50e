"""What a bridge has learned: behind which port each MAC address was last seen (bridge(8), ``fdb``)."""

from __future__ import annotations

from typing import ClassVar

from ..model.snapshot import Snapshot
from .base import Expectation, Finding, Met, NotMet, Where
from .look import inside, listed, no_node, place
from .roles import LinkName, NodeName


class Learned(Expectation, frozen=True, rename={"who": "learned", "port": "behind", "node": "in"}):
    """``{ learned = "c1", behind = "veth2" }``: the bridge has seen a frame from an interface of c1 arrive at that port."""

    verb: ClassVar[str] = "learned"
    who: NodeName
    port: LinkName
    node: NodeName = "host"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """A learned entry (neither local nor permanent) whose MAC belongs to a link of ``who``."""
        claim = f"the bridge has learned that {self.who} is behind {self.port}"
        expected = f"a MAC of {self.who} learned at the port {self.port}{inside(self.node)}"
        look = where.run(self.node, "bridge fdb show dynamic")
        node, who = snapshot.node(self.node), snapshot.node(self.who)
        if node is None or who is None:
            return no_node(self.node if node is None else self.who, claim, expected)
        macs = {link.mac for link in who.links if link.mac and link.name != "lo"}
        if not macs:
            return NotMet(claim, expected, f"{place(who)} has no interface with a MAC yet", where.ip(self.who, "link show"))
        learned = tuple(entry for entry in node.fdb if entry.mac in macs and not entry.local and entry.state != "permanent")
        if any(entry.dev == self.port for entry in learned):
            return Met(claim)
        if learned:
            seen = f"{learned[0].mac} was learned behind {listed(tuple(entry.dev for entry in learned), '')}"
            return NotMet(claim, expected, seen, look, "It is the same container behind another port.")
        near = f"A bridge learns from what it hears: {self.who} has not sent a frame lately. Ping from it once."
        return NotMet(claim, expected, f"no entry for {listed(tuple(sorted(macs)), '')}", look, near)
