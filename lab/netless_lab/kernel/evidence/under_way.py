"""Who has a packet that nothing has been heard of: a kernel, which is done with it at once, or a program, which has to be scheduled first.

A kernel counts what it takes in for a program (IpInDelivers, RFC 4293; net/ipv4/ip_input.c, behind the rules of the input hook). Where nobody
has taken in anything since the probe began, its packet is lost on the way, and no program's answer is waited for. Nor is one that had no way
back: the kernel counts that too, when it refuses the packet (IpOutNoRoutes; net/ipv4/route.c and those who ask it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ...model.evidence import Count
from ...model.snapshot import Node, Snapshot

_TAKEN_IN: Final = frozenset({"IpInDelivers", "Ip6InDelivers"})
_FOR_THE_KERNEL: Final = frozenset({"IcmpInMsgs", "Icmp6InMsgs"})
"""Those of them that no program answers."""
_NO_WAY: Final = frozenset({"IpOutNoRoutes", "Ip6OutNoRoutes"})
"""What was to be sent from there, an answer for one, to where no route leads."""
_HANDS_OVER: Final = frozenset({"queue", "NFQUEUE"})
"""What rules say that let a program decide (nft(8), iptables-extensions(8))."""
_TICK_S: Final = 0.001


class UnderWay:
    """The hope that a probe which was sent after ``before`` is answered (``probe.patience.Hope``)."""

    def __init__(self, before: Snapshot, grace_s: float, look: Callable[[], Snapshot], counted: Callable[[], Iterable[Count]]) -> None:
        """``grace_s`` is how long a kernel may take; ``look`` and ``counted`` say what is there and what was counted since ``before``."""
        self._held = any(_may_hold(node) for node in before.nodes)
        self._grace_s, self._look, self._counted = grace_s, look, counted

    def more_s(self, waited_s: float, *, program: bool) -> float:
        """A grace for the kernels; then as long as a program, a queue or a question for a neighbour may have the packet."""
        if waited_s < self._grace_s - _TICK_S:
            return self._grace_s - waited_s
        return self._grace_s if self._held or (program and taken_in(self._counted())) or asking(self._look()) else 0.0


def asking(snapshot: Snapshot) -> bool:
    """Whether a node waits to hear who has an address."""
    return any(entry.state == "incomplete" for node in snapshot.nodes for entry in node.neighbours)


def taken_in(counts: Iterable[Count]) -> bool:
    """Whether a node has taken in more than its kernel answers itself, and more than was answered from there in vain."""
    left: dict[str, int] = {}
    for count in counts:
        by = count.by if count.name in _TAKEN_IN else -count.by if count.name in _FOR_THE_KERNEL | _NO_WAY else 0
        left[count.node] = left.get(count.node, 0) + by
    return any(by > 0 for by in left.values())


def _may_hold(node: Node) -> bool:
    """Whether something here keeps packets for a while that no kernel needs: a queue that delays, or a program that decides or carries them."""
    if any(link.programs or link.kind == "tun" for link in node.links):
        return True
    return any(not _HANDS_OVER.isdisjoint(rule.text.split()) for chain in (*node.chains, *node.legacy) for rule in chain.rules)
