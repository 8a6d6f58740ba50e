"""The reverse path filter (RFC 3704, ip-sysctl): what it drops, and what an expert changes: the route, and only then the filter. Pure."""

from __future__ import annotations

from typing import Final

from ..model.journey import Fact
from ..model.netfilter.rules import Condition
from ..model.snapshot import Link, Node, Route, Rule
from . import routes
from .blame import blame
from .case import Case
from .cause import Cause, counted, inferred, said
from .mends import brings_back, without_route
from .near import route_fact, route_words

_COUNTER: Final = "TcpExtIPReversePathFilter"
_WAY_BACK: Final = frozenset({"fib", "saddr", "oif"})
"""Words of a question of nft(8) for the link that a packet's sender is reached by."""


def filtered(case: Case, node: Node, link: Link, source: str) -> Cause:
    """``node`` drops what comes from ``source`` by ``link``."""
    back = case.route(node.name, source)
    rose = case.rose(node.name, _COUNTER) > 0
    facts: list[Fact] = []
    if rose:
        facts.append(counted("the kernel's reverse path filter counted a packet", case.run(node.name, f"nstat -az {_COUNTER}")))
    refused = case.route(node.name, case.last.dst or case.last.asked, source, link.name)
    if refused.error in ("EXDEV", "EINVAL"):
        facts.append(said(f"routing says for it: {refused.words}", case.run(node.name, refused.look)))
    facts.append(inferred(f"rp_filter is on in {owner(case, node)}", case.run(node.name, "sysctl -a --pattern rp_filter$")))
    facts.append(route_fact(case, node, source))
    leads = f"by {back.dev}" + (f" via {back.via}" if back.via else "") if back.dev else "nowhere"
    return blame(case, "rp-filter", node.name, facts=facts, fix=_mend(case, node, link, source), src=source, iif=link.name, back=leads)


def disbelieved(case: Case, node: Node, dst: str, src: str, iif: str) -> bool:
    """Whether routing refuses a packet for its source, and the filter is on: EXDEV, from Linux 6.13 on EINVAL."""
    error = case.route(node.name, dst, src, iif).error
    filters = {case.knob(node.name, f"net/ipv4/conf/{link}/rp_filter") for link in ("all", iif)} | {case.setting(node.name, "rp_filter")}
    return error == "EXDEV" or (error == "EINVAL" and bool(filters & {"1", "2"}) and node.owner(src) is None)


def owner(case: Case, node: Node) -> str:
    """The node in words, as its sysctls are meant."""
    return "the host" if node.name == "host" else node.name


def _mend(case: Case, node: Node, link: Link, source: str) -> str:
    """A stray route that hides the connected one is taken away. Where both ways are meant (a node with two networks), the filter's loose
    mode lets in what can be reached by any link; switching it off only takes away the alarm.
    """
    return straightened(case, node, link, source) or case.run(node.name, f"sysctl -w net.ipv4.conf.{link.name}.rp_filter=2")


def straightened(case: Case, node: Node, link: Link, source: str) -> str:
    """The command that ends a stray route to ``source``, which lies in the subnet of ``link``; "" when there is none."""
    found = stray(case, node, link, source)
    return case.ip(node.name, f"route del {route_words(found)}") if found is not None else ""


def stray(case: Case, node: Node, link: Link, source: str) -> Route | None:
    """The route that somebody made, by which ``source``, in the subnet of ``link``, is looked for by another link."""
    chosen = routes.best(node, source, routes.MAIN)
    straight = any(routes.within(source, own.cidr) for own in case.own(link))
    return chosen if straight and chosen is not None and chosen.protocol != "kernel" and chosen.dev != link.name else None


def with_way_back(case: Case, name: str, rule: Rule | None, let: str) -> str:
    """The command that lets a packet through a firewall of a node, and what its answer needs to come back.

    Where the node looks for the sender by another link, the route that says so goes as well; it alone where the rule asks only for the way
    back, as a reverse path filter of nft(8) does. Nothing where that is not enough.
    """
    last, node = case.last, case.node(name)
    if brings_back(case, name, case.before):
        return let
    link = case.link(name, node.ip_device(last.iif)) if last.iif else None
    route = stray(case, node, link, last.src) if link is not None else None
    if route is None or not brings_back(case, name, without_route(name, route)(case.before)):
        return ""
    straight = case.ip(name, f"route del {route_words(route)}")
    if rule is not None and any(isinstance(part, Condition) and set(part.field.split()) >= _WAY_BACK for part in rule.parts):
        return straight
    return f"{let}; {straight}" if let else ""
