"""A node's routing decision: the kernel's own answer when it was asked, else worked out from the tables of the snapshot. Pure.

Order and meaning as in ip-rule(8) and ip-route(8): rules by priority, in a table the longest prefix, then the lowest metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Final

from ..model.evidence import Evidence, RouteAnswer
from ..model.gates import switched_on
from ..model.snapshot import Link, Node, PolicyRule, Route

_ERRORS: Final = {"blackhole": "EINVAL", "unreachable": "EHOSTUNREACH", "prohibit": "EACCES"}
_WORDS: Final = {
    "EINVAL": "Invalid argument",
    "EHOSTUNREACH": "No route to host",
    "EACCES": "Permission denied",
    "ENETUNREACH": "Network is unreachable",
}
LOCAL, MAIN, DEFAULT = 255, 254, 253
"""Tables every namespace has (/etc/iproute2/rt_tables)."""


def answer(evidence: Evidence, node: Node, dst: str, src: str | None = None, iif: str | None = None) -> RouteAnswer:
    """What ``node`` does with a packet to ``dst``, sent by itself or come in by ``iif``."""
    asked = [given for given in evidence.routes if given.node == node.name and given.dst == dst and given.iif == iif]
    exact = [given for given in asked if given.src == src] or [given for given in asked if src is None or given.src is None]
    return exact[0] if exact else worked_out(node, dst, src, iif)


def worked_out(node: Node, dst: str, src: str | None = None, iif: str | None = None) -> RouteAnswer:
    """The same from the snapshot alone."""
    look = " ".join(["ip route get", dst, *(["from", src] if src and iif else []), *(["iif", iif] if iif else [])])

    def failed(error: str) -> RouteAnswer:
        return RouteAnswer(node.name, dst, src, iif, error=error, words=_WORDS.get(error, error), look=look)

    if is_local(node, dst):
        return RouteAnswer(node.name, dst, src, iif, type="local", dev="lo", table=LOCAL, look=look)
    for rule in rules_for(node, dst, src, iif):
        if rule.action != "lookup":
            return failed(_ERRORS.get(rule.action, "ENETUNREACH"))
        found = best(node, dst, rule.table)
        if found is None or found.type == "throw":
            continue
        if found.type != "unicast":
            return failed(_ERRORS.get(found.type, "ENETUNREACH"))
        if iif and not forwards(node, iif):
            return failed("EHOSTUNREACH")
        return RouteAnswer(
            node.name,
            dst,
            src,
            iif,
            type="unicast",
            via=found.via,
            dev=found.dev,
            prefsrc=found.src,
            table=found.table,
            look=look,
        )
    return failed("EHOSTUNREACH" if iif and not forwards(node, iif) else "ENETUNREACH")


def rules_for(node: Node, dst: str, src: str | None, iif: str | None) -> Iterator[PolicyRule]:
    """The policy rules that a packet meets, in order; those that ask for a mark are passed over."""
    rules = [rule for rule in node.policy if rule.family == 4] or [
        PolicyRule(0, table=LOCAL),
        PolicyRule(32766, table=MAIN),
        PolicyRule(32767, table=DEFAULT),
    ]
    for rule in sorted(rules, key=lambda rule: rule.priority):
        fits = within(dst, rule.dst) and (rule.src == "all" or (src is not None and within(src, rule.src)))
        if fits and not rule.mark and not rule.oif and (rule.iif is None or rule.iif == (iif or "lo")):
            yield rule


def best(node: Node, dst: str, table: int) -> Route | None:
    """The route of a table that wins for ``dst``."""
    found = [route for route in node.routes if route.family == 4 and route.table == table and within(dst, route.dst)]
    return min(found, key=lambda route: (-prefix_of(route.dst), route.metric), default=None)


def has_default(node: Node) -> bool:
    """Whether the main table knows a way for everything else."""
    return any(route.family == 4 and route.table == MAIN and route.dst == "default" for route in node.routes)


def is_local(node: Node, address: str) -> bool:
    """Whether packets to ``address`` end here. A link that is down takes its addresses with it."""
    if within(address, "127.0.0.0/8"):
        return any(link.name == "lo" and link.up for link in node.links)
    return any(link.up and any(own.address == address for own in link.v4) for link in node.links)


def forwards(node: Node, iif: str) -> bool:
    """Whether a packet that came in by ``iif`` may leave again: the device's own switch counts (ip-sysctl, conf/DEV/forwarding).

    With ``iif`` "" by a device that has no switch of its own.
    """
    return switched_on(node.sysctls.get(f"forwarding/{iif}", node.sysctls.get("ip_forward", "")))


def on_link(link: Link, address: str) -> bool:
    """Whether one of the link's subnets holds ``address``."""
    return any(own.prefix < 32 and within(address, own.cidr) for own in link.v4)


def connected(node: Node, address: str) -> list[Link]:
    """The links, up or not, whose subnets hold ``address``: where it would be a neighbour."""
    return [link for link in node.links if link.kind != "loopback" and on_link(link, address)]


def within(address: str, network: str) -> bool:
    """Whether ``address`` lies in ``network``: a CIDR, "default" or "all"."""
    if network in ("default", "all"):
        return True
    try:
        return ip_address(address) in IPv4Network(network, strict=False)
    except ValueError:
        return False


def prefix_of(network: str) -> int:
    """The length of a route's prefix; 0 for the default route."""
    return 0 if network == "default" else int(network.partition("/")[2] or 32)


def subnet(cidr: str) -> str:
    """``10.0.0.2/24`` -> ``10.0.0.0/24``"""
    return str(IPv4Network(cidr, strict=False))


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 address."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def last_of(network: str) -> str:
    """The broadcast address of a subnet."""
    return str(IPv4Network(network, strict=False).broadcast_address)
