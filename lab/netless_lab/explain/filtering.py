"""The reverse path filter (RFC 3704, ip-sysctl): what it drops, and what an expert changes: the route, and only then the filter. Pure."""

from __future__ import annotations

from typing import Final

from ..model.journey import Fact
from ..model.snapshot import Link, Node
from . import routes
from .blame import blame
from .case import Case
from .cause import Cause, counted, inferred, said
from .near import route_fact, route_words

_COUNTER: Final = "TcpExtIPReversePathFilter"


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
    chosen = routes.best(node, source, routes.MAIN)
    straight = any(routes.within(source, own.cidr) for own in case.own(link))
    stray = straight and chosen is not None and chosen.protocol != "kernel" and chosen.dev != link.name
    return case.ip(node.name, f"route del {route_words(chosen)}") if stray and chosen is not None else ""
