"""What is in a lab and no step has asked for: objects, by sketches of what the steps make, and rules, by what would be lost without them.

The same rule can be written in many ways, so one that no sketch has is asked what it is good for: where every expectation holds as well without it,
nobody has asked for it. A rule that does nothing with a packet, such as one that only counts, changes nothing, and is nobody's concern.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from msgspec.structs import replace

from ..model.gates import switched_on
from ..model.netfilter.run import acts
from ..model.snapshot import Chain, Node, Rule, Snapshot
from ..primitives.base import Expectation, Met, NotMet, Where
from ..primitives.look import inside, not_a_name, place_of
from .probe_words import who

_MOST = 8


def extras(
    snapshot: Snapshot, sketches: tuple[Snapshot, ...], expected: tuple[Expectation, ...] = (), commanded: Collection[str] = ()
) -> tuple[str, ...]:
    """What is in ``snapshot`` beyond the ``sketches``: the lab's beginning, and all that the steps make. ``expected`` is what the steps ask for.

    Sketches and expectations must be in the learner's own words. Routes are left out: there are many ways to the same place; and so are rules,
    forwarding and what is plugged into what in nodes that are ``commanded`` by command lines of the steps, for no sketch shows what those do.
    """
    found: list[str] = []
    for node in snapshot.nodes:
        known = _known(node, sketches)
        if known:
            found.extend(_links(node, known, plugs=node.name not in commanded))
            found.extend(_forwarding(node, known) if node.name not in commanded else ())
        else:
            found.append(f"the container {node.name}" if node.role == "container" else f"the namespace {node.names[0] if node.names else node.name}")
    asked = {name.name for sketch in sketches for name in sketch.names}
    asked.update(name for sketch in sketches for node in sketch.nodes for name in node.names)
    strangers = {name for node in snapshot.nodes if not _known(node, sketches) for name in node.names}
    for name in snapshot.names:
        if name.name not in asked and name.name not in strangers:
            owner = snapshot.by_netns(name.netns) if name.netns is not None else None
            found.append(f"the name {name.name}, {f'a further name of {who(owner.name)}' if owner else f'which {not_a_name(name)}'}")
    found.extend(islice(_surplus(snapshot, sketches, expected, commanded), _MOST))
    if len(found) > _MOST:
        return (*found[: _MOST - 1], f"and {len(found) - _MOST + 1} more things that no step asked for")
    return tuple(found)


def _known(node: Node, sketches: tuple[Snapshot, ...]) -> tuple[Node, ...]:
    """The node as it is in each of the sketches that have it."""
    return tuple(own for sketch in sketches if (own := sketch.node(node.name)) is not None)


def _links(node: Node, known: tuple[Node, ...], *, plugs: bool) -> Iterator[str]:
    for link in node.links:
        sketches = [own for sketch in known if (own := sketch.link(link.name)) is not None]
        place = inside(node.name)
        if not sketches:
            yield f"the {link.kind} {link.name}{place}"
            continue
        asked = {address.address for own in sketches for address in own.addresses}
        for address in link.addresses:
            if address.scope == "global" and address.address not in asked:
                yield f"the address {address.cidr} of {link.name}{place}"
        if link.up and not any(own.up for own in sketches):
            yield f"{link.name}{place}, switched on"
        if plugs and link.master and not any(own.master == link.master for own in sketches):
            yield f"{link.name}{place}, plugged into {link.master}"


def _forwarding(node: Node, known: tuple[Node, ...]) -> Iterator[str]:
    """Where a node forwards that no sketch has forwarding: a host by birth drops what is for others (ip-sysctl of the kernel)."""
    for knob, what in (("ip_forward", "forwarding"), ("v6.forwarding", "forwarding of IPv6")):
        if switched_on(node.sysctls.get(knob, "")) and not any(switched_on(own.sysctls.get(knob, "")) for own in known):
            yield f"{what}{inside(node.name)}, switched on"


def _surplus(
    snapshot: Snapshot, sketches: tuple[Snapshot, ...], expected: tuple[Expectation, ...], commanded: Collection[str]
) -> Iterator[str]:
    """Rules, and policies that drop, without which every expectation fares as well. Of two that are good for the same one is left."""
    left, fared = snapshot, None
    for node in (own for own in snapshot.nodes if own.name not in commanded):
        known = [chain for own in _known(node, sketches) for chain in (*own.chains, *own.legacy)]
        for chain in (*node.chains, *node.legacy):
            for rule in _unlike(chain, known):
                fared = fared or _fares(left, expected)
                without = _without(left, node.name, chain, rule)
                after = _fares(without, expected)
                if all(now >= then for now, then in zip(after, fared, strict=True)):
                    left, fared = without, after
                    what = f"the policy of {place_of(chain)}" if rule is None else f"the rule `{rule.text}` of {place_of(chain)}"
                    yield f"{what}{inside(node.name)}"


def _unlike(chain: Chain, known: list[Chain]) -> Iterator[Rule | None]:
    """The rules that stand at this hook in no sketch, and None for a policy that drops when none there does."""
    alike = [own for own in known if chain.hook is not None and own.hook == chain.hook]
    if chain.policy == "drop" and all(own.policy != "drop" for own in alike):
        yield None
    wanted = [rule.parts for own in alike for rule in own.rules]
    yield from (rule for rule in chain.rules if rule.parts not in wanted and any(acts(part) for part in rule.parts))


def _without(snapshot: Snapshot, name: str, gone: Chain, rule: Rule | None) -> Snapshot:
    """The snapshot without a rule of a chain, or with a policy that accepts."""

    def lighter(chain: Chain) -> Chain:
        if (chain.family, chain.table, chain.name, chain.engine) != (gone.family, gone.table, gone.name, gone.engine):
            return chain
        return replace(chain, policy="accept") if rule is None else replace(chain, rules=tuple(own for own in chain.rules if own is not rule))

    def rid(node: Node) -> Node:
        return replace(node, chains=tuple(map(lighter, node.chains)), legacy=tuple(map(lighter, node.legacy)))

    return replace(snapshot, nodes=tuple(rid(node) if node.name == name else node for node in snapshot.nodes))


def _fares(snapshot: Snapshot, expected: tuple[Expectation, ...]) -> tuple[int, ...]:
    """How well each expectation is met: not, nobody can tell, met."""
    findings = (own.check(snapshot, Where()) for own in expected)
    return tuple(2 if isinstance(own, Met) else 0 if isinstance(own, NotMet) else 1 for own in findings)
