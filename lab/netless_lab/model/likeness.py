"""Two labs compared by what a person would call the same: names, not the numbers that the kernel deals out anew at every rebuild. Pure.

A sketch has a MAC only where the lab gave one: of all other links any will do. ``births`` knows which of those somebody gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from zlib import crc32

from msgspec.structs import replace

from . import changes as c
from .clearing import Clearing
from .diff import NO_MAC, diff
from .netfilter import changes as fw
from .snapshot import Chain, Link, Name, Node, Snapshot
from .telling import sentence

_DEFAULT_TABLES = (253, 254, 255)
"""Every new namespace has a rule for each of these (default, main, local); a sketch does not draw them."""

_REMOVALS = (
    c.NodeVanished, c.NodeReplaced, c.NameRemoved, c.NameBroken, c.CableRemoved, c.LinkRemoved, c.PortLeft, c.AddressRemoved, c.RouteRemoved,
    c.PolicyRuleRemoved, c.NeighbourUnset, c.FdbUnset, c.LinkWentDown,
    fw.TableRemoved, fw.SetRemoved, fw.SetElementRemoved, fw.ChainRemoved, fw.RuleRemoved,
)  # fmt: skip
"""Changes after which something is not there any more, or not up; after all others something is there, or is as it was."""


def differences(now: Snapshot, wanted: Snapshot) -> tuple[c.Change, ...]:
    """What would change if the lab became like ``wanted``; what comes and goes by itself is left out, and who listens: that goes with a program."""
    given = _given(now) & _given(wanted)
    return tuple(change for change in diff(_by_name(now, given), _by_name(wanted, given)) if not change.quiet)


def unlike(now: Snapshot, wanted: Snapshot) -> Clearing:
    """These ``differences`` in words."""
    told = [(sentence(change), _takes_away(change)) for change in differences(now, wanted)]
    return Clearing(tuple(words for words, away in told if away), tuple(words for words, away in told if not away))


def _takes_away(change: c.Change) -> bool:
    match change:
        case c.ResolversChanged(after=left) | fw.XtablesChanged(after=left):
            return not left
        case c.LinkSet(setting="alias" | "altnames" | "options" | "programs" as setting, after=link):
            return not getattr(link, setting)
        case _:
            return isinstance(change, _REMOVALS)


def _given(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """(node, link) of those whose MAC is known and is their own: a bridge takes those of its ports."""
    return frozenset((node.name, link.name) for node in snapshot.nodes for link in node.links if link.kind != "bridge" and link.mac not in NO_MAC)


def _by_name(snapshot: Snapshot, given: Collection[tuple[str, str]]) -> Snapshot:
    nodes = tuple(_node(node, given) for node in snapshot.nodes)
    live = {name: Name(name, _number(node.name)) for node in snapshot.nodes for name in node.names}
    dead = {own.name: Name(own.name, None) for own in snapshot.names if own.name not in live}
    return replace(snapshot, nodes=nodes, names=tuple({**dead, **live}.values()))


def _node(node: Node, given: Collection[tuple[str, str]]) -> Node:
    """Without what nobody builds with commands of the network; who listens is a program, and programs are told by themselves."""
    return replace(
        node,
        netns=_number(node.name),
        pid=None,
        policy=tuple(rule for rule in node.policy if rule.table not in _DEFAULT_TABLES or rule.src != "all"),
        links=tuple(_link(link, given=(node.name, link.name) in given) for link in node.links),
        chains=tuple(_chain(chain) for chain in node.chains),
        neighbours=tuple(own for own in node.neighbours if own.state == "permanent"),
        fdb=tuple(own for own in node.fdb if (own.state == "permanent" and own.dst is not None) or own.state == "static"),
        tables=(),
        listeners=(),
    )


def _link(link: Link, *, given: bool) -> Link:
    peer = replace(link.peer, ifindex=0) if link.peer is not None else None
    lasting = tuple(own for own in link.addresses if own.family == 4 or own.scope != "link")
    return replace(link, ifindex=_number(f"{link.kind} {link.name}"), mac=link.mac if given else "", peer=peer, addresses=lasting)


def _chain(chain: Chain) -> Chain:
    """Handles number the rules of a ruleset; here equal rules of a chain get equal numbers."""
    seen: Counter[str] = Counter()
    rules = []
    for rule in chain.rules:
        seen[rule.text] += 1
        rules.append(replace(rule, handle=_number(f"{seen[rule.text]} {rule.text}"), packets=None, bytes=None))
    return replace(chain, rules=tuple(rules))


def _number(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogateescape")) or 1
