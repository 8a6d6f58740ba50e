"""Which routes decide where the packets of a node to some network go: by the policy rules, the longest prefix and the metric (ip-route(8))."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Literal

from ..model.snapshot import Node, PolicyRule, Route

MAIN = 254
"""The routing table everybody means (RT_TABLE_MAIN, <linux/rtnetlink.h>)."""
_BORN_WITH = (PolicyRule(0, table=255), PolicyRule(32766, table=MAIN), PolicyRule(32767, table=253))
"""The policy rules of a namespace in which nobody changed any (ip-rule(8))."""
_Span = tuple[int, int]
"""The first and the last address of a network, as numbers: two networks are apart, or one lies in the other."""


def deciding(node: Node, dst: str, family: Literal[4, 6] = 4) -> tuple[Route, ...]:
    """The routes that the node's own packets to just anywhere in this network take: of the first table, in the order of the policy rules, that
    has any (``throw`` sends on to the next). None are met behind a rule that refuses (ip-rule(8)).

    Those to parts of it decide where together they are all of it, such as 0.0.0.0/1 and 128.0.0.0/1; else those to exactly it, of the lowest
    metric. Rules that speak of some packets only (of a sender, of a mark) are passed over: a packet that is about to be sent has neither yet.
    """
    for rule in _rules(node, dst, family):
        there = (own for own in node.routes if (own.table, own.family) == (rule.table, family) and own.type != "throw")
        told = (own for own in there if rule.suppress is None or _length(own.dst) > rule.suppress)
        if found := _over(_span(dst, family), [(own, _span(own.dst, family)) for own in told]):
            return found
    return ()


def _over(whole: _Span, routes: Sequence[tuple[Route, _Span]]) -> tuple[Route, ...]:
    """Of the routes of a table, each with its network, those that decide for all of a network."""
    parts: list[_Span] = []
    for first, last in sorted({span for _, span in routes}, key=lambda span: (span[0], -span[1])):
        if (first, last) != whole and whole[0] <= first and last <= whole[1] and not (parts and last <= parts[-1][1]):
            parts.append((first, last))
    ends = (whole[0] - 1, *(last for _, last in parts))
    if parts and ends[-1] == whole[1] and all(first == end + 1 for end, (first, _) in zip(ends, parts, strict=False)):
        return tuple(route for part in parts for route in _over(part, routes))
    exact = [route for route, span in routes if span == whole]
    return tuple(own for own in exact if own.metric == min(route.metric for route in exact))


def _span(dst: str, family: Literal[4, 6]) -> _Span:
    net = ip_network(("0.0.0.0/0" if family == 4 else "::/0") if plain(dst) == "default" else dst, strict=False)
    return int(net.network_address), int(net.broadcast_address)


def _length(dst: str) -> int:
    return 0 if plain(dst) == "default" else ip_network(dst, strict=False).prefixlen


def _rules(node: Node, dst: str, family: Literal[4, 6]) -> Iterator[PolicyRule]:
    """The rules by which a node looks up the way of any packet of its own to ``dst``, in order."""
    rules = sorted((rule for rule in node.policy if rule.family == family), key=lambda rule: rule.priority) or _BORN_WITH
    jump = 0
    for rule in rules:
        if rule.priority < jump or not _for_any(rule, dst):
            continue
        word, _, number = rule.action.partition(" ")
        if word == "lookup":
            yield rule
        elif word == "goto":
            jump = int(number)
        elif word != "nop":
            return


def _for_any(rule: PolicyRule, dst: str) -> bool:
    """Whether a rule is for a packet of which nothing is known but that it goes to ``dst`` and was made here, where its device is called lo."""
    if rule.others:
        return False
    fits = (rule.src, rule.oif, rule.mark) == ("all", None, None) and rule.iif in (None, "lo") and _leads(rule.dst, dst)
    return fits != rule.negated


def _leads(held: str, dst: str) -> bool:
    """Whether every packet to ``dst`` goes to the network of a rule."""
    if held == "all" or plain(dst) == "default":
        return held == "all"
    outer, inner = ip_network(held, strict=False), ip_network(dst, strict=False)
    return inner.network_address in outer and inner.prefixlen >= outer.prefixlen


def plain(dst: str) -> str:
    """One spelling of a destination: ``default``, or the network with its prefix."""
    if dst in ("default", "0.0.0.0/0", "::/0"):
        return "default"
    return str(ip_network(dst, strict=False))
