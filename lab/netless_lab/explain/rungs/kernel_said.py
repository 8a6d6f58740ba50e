"""The last resort: what the kernel itself says about the packet it threw away, when it could be asked."""

from __future__ import annotations

from typing import Final

from ...model.journey import Fact
from ..case import Case
from ..cause import Cause, at_gate, at_link, owner_words

NOISE: Final = frozenset({"NO_SOCKET", "QUEUE_PURGE", "CONSUMED", "NOT_SPECIFIED", "OTHERHOST", "NEIGH_FAILED", "IP_NOPROTO"})
"""Reasons that come with every successful ping, or with closing a socket."""
_FIREWALLS: Final = frozenset({"NETFILTER_DROP", "BPF_CGROUP_EGRESS", "SOCKET_FILTER"})
_QUEUES: Final = frozenset(
    {"QDISC_DROP", "TC_INGRESS", "TC_EGRESS", "QDISC_EDT_HORIZON", "QDISC_OVERLIMIT", "TC_CHAIN_NOTFOUND", "TC_RECLASSIFY_LOOP"}
)


def reason(case: Case) -> Cause | None:
    """A drop reason, quoted."""
    for drop in case.evidence.drops or ():
        if drop.reason in NOISE:
            continue
        fact = Fact(
            f"the kernel dropped it in {drop.function}() at {drop.link or 'no interface'} of {owner_words(drop.node)}: {drop.reason} ({drop.words})"
        )
        where = owner_words(drop.node)
        if drop.reason in _FIREWALLS:
            text = f"a filter in {where} dropped the packet: {drop.words}"
            return Cause("filtered", at_gate(drop.node, "fw"), text, (fact,), False)
        if drop.reason in _QUEUES:
            look = case.run(drop.node, f"tc -s qdisc show dev {drop.link}") if drop.link else ""
            text = f"the queue of {drop.link} in {where} dropped the packet: {drop.words}"
            return Cause("queue-drop", at_link(drop.node, drop.link), text, (Fact(fact.text, look),), False)
        return Cause(f"kernel-{drop.reason.lower().replace('_', '-')}", at_link(drop.node, drop.link) if drop.link else drop.node,
                     f"the kernel of {where} dropped the packet: {drop.words}", (fact,), False)  # fmt: skip
    return None
