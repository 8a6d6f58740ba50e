"""Two who claim to be one: an address that several nodes have."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.snapshot import Link, Node
from ..case import Case
from ..cause import Cause, at_link, owner_words
from ..near import neighbours_of


def claimed_twice(case: Case) -> Cause | None:
    """The asked address is in more than one node, and one of them has no business with it."""
    dst = case.spot.dst or _target(case)
    owners = _rivals(case, dst)
    if len({node.name for node, _ in owners}) < 2:
        return None
    rightful = case.expected.get(dst)
    suspects = [pair for pair in owners if rightful is not None and pair[0].name != rightful]
    suspects += [pair for pair in owners if rightful is None and pair[0].name == case.spot.node]
    wrong = suspects[0] if suspects else owners[-1]
    right = next((pair for pair in owners if pair[0].name != wrong[0].name), owners[0])
    text = (
        f"{dst} belongs to {owner_words(right[0].name)} and to {owner_words(wrong[0].name)} at once ({wrong[1].name}): who answers the "
        f"neighbour's question first gets the packet"
    )
    facts = [
        Fact(f"{link.name} of {owner_words(node.name)} holds {dst}", case.ip(node.name, f"address show {link.name}"))
        for node, link in (right, wrong)
    ]
    answers = {hop.mac_src for hop in case.hops if hop.kind == "arp-reply" and hop.src == dst}
    if len(answers) > 1:
        facts.append(Fact(f"two machines answered the question who has {dst}: {' and '.join(sorted(answers))}"))
    return Cause("duplicate-address", at_link(wrong[0].name, wrong[1].name), text, tuple(facts), len(answers) > 1)


def _target(case: Case) -> str:
    return next((hop.dst for hop in case.hops if hop.leg == "forward"), "")


def _rivals(case: Case, dst: str) -> list[tuple[Node, Link]]:
    """Owners that can hear each other, that the packet was seen at, or that took it although it is another's."""
    owners = list(case.owners(dst)) if dst and not dst.startswith("127.") else []
    if len(owners) < 2:
        return owners
    rightful, here = case.expected.get(dst), case.spot.node
    if rightful != here and any(node.name == here for node, _ in owners):
        return owners
    node, link = owners[0]
    beside = {(other.name, far.name) for other, far in neighbours_of(case, node.name, link.name)}
    visited = {hop.node for hop in case.hops}
    return [owners[0], *(pair for pair in owners[1:] if (pair[0].name, pair[1].name) in beside or pair[0].name in visited)]


def sender_twice(case: Case) -> Cause | None:
    """The answer was sent to another node that has the sender's address as well."""
    spot = case.spot
    own = next(
        (hop.src for hop in case.hops if hop.node == case.probe.node and hop.direction == "out" and hop.leg == "forward"), ""
    )
    owners = _rivals(case, own)
    if (spot.leg != "return" and spot.stage not in ("asking", "stray", "crossing", "delivered")) or len(
        {node.name for node, _ in owners}
    ) < 2:
        return None
    wrong = next(((node, link) for node, link in owners if node.name != case.probe.node), None)
    if wrong is None:
        return None
    text = f"{own} is the address of {owner_words(case.probe.node)} and of {owner_words(wrong[0].name)} ({wrong[1].name}): the answer went to the other one"
    fact = Fact(
        f"{wrong[1].name} of {owner_words(wrong[0].name)} holds {own} too",
        case.ip(wrong[0].name, f"address show {wrong[1].name}"),
    )
    return Cause("duplicate-address", at_link(wrong[0].name, wrong[1].name), text, (fact,))
