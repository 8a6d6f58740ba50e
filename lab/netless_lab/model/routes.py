"""A node's routing decision: the kernel's own answer when it was asked, else worked out from the tables of the snapshot. Pure.

Order and meaning as in ip-rule(8) and ip-route(8): rules by priority, in a table the longest prefix, then the lowest metric. Which
family's rules and routes count follows from the address that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from .addresses import is_address
from .evidence import Evidence, RouteAnswer
from .gates import Family, passes_on
from .local import own_addresses
from .netfilter.packet import common, network
from .snapshot import Link, Node, PolicyRule, Route

_ERRORS: Final = {"blackhole": "EINVAL", "unreachable": "EHOSTUNREACH", "prohibit": "EACCES"}
_OF_RULES: Final = _ERRORS | {"unreachable": "ENETUNREACH"}
"""A rule that refuses tells something else than a route does (fib4_rule_action(), net/ipv4/fib_rules.c)."""
_WORDS: Final = {
    "EINVAL": "Invalid argument",
    "EHOSTUNREACH": "No route to host",
    "EACCES": "Permission denied",
    "ENETUNREACH": "Network is unreachable",
}
LOCAL, MAIN, DEFAULT = 255, 254, 253
"""Tables every namespace has (/etc/iproute2/rt_tables)."""
USUAL: Final = frozenset({0, LOCAL, MAIN, DEFAULT})


def family_of(address: str) -> Family:
    """The family of an address, of a network, or of what looks like one."""
    return 6 if ":" in address else 4


def bits(family: Family) -> int:
    """How long an address is: the prefix of one host alone."""
    return 32 if family == 4 else 128


def answer(evidence: Evidence, node: Node, dst: str, src: str | None = None, iif: str | None = None) -> RouteAnswer:
    """What ``node`` does with a packet to ``dst``, sent by itself or come in by ``iif``."""
    asked = [given for given in evidence.routes if given.node == node.name and given.dst == dst and given.iif == iif]
    exact = [given for given in asked if given.src == src] or [given for given in asked if src is None or given.src is None]
    return exact[0] if exact else worked_out(node, dst, src, iif)


def worked_out(node: Node, dst: str, src: str | None = None, iif: str | None = None) -> RouteAnswer:
    """The same from the snapshot alone."""
    look = " ".join(["ip route get", dst, *(["from", src] if src and iif else []), *(["iif", iif] if iif else [])])
    family = family_of(dst)

    def failed(error: str) -> RouteAnswer:
        return RouteAnswer(node.name, dst, src, iif, error=error, words=_WORDS.get(error, error), look=look)

    if is_local(node, dst):
        return RouteAnswer(node.name, dst, src, iif, type="local", dev="lo", table=LOCAL, look=look)
    for rule in rules_for(node, dst, src, iif):
        if goes_on(rule):
            continue
        if rule.action != "lookup":
            return failed(_OF_RULES.get(rule.action, "ENETUNREACH"))
        found = best(node, dst, rule.table, rule.suppress)
        if found is None or found.type == "throw":
            continue
        if found.type == "local":
            return RouteAnswer(node.name, dst, src, iif, type="local", dev="lo", table=found.table, look=look)
        if found.type != "unicast":
            return failed(_ERRORS.get(found.type, "ENETUNREACH"))
        if iif and not forwards(node, iif, family):
            return failed("EHOSTUNREACH")
        return RouteAnswer(node.name, dst, src, iif, type="unicast", via=found.via, dev=found.dev, prefsrc=found.src, table=found.table,
                           look=look, mtu=_carried(found))
    return failed("EHOSTUNREACH" if iif and not forwards(node, iif, family) else "ENETUNREACH")


def source_of(sender: Node, found: RouteAnswer) -> str:
    """The address that a node's own packet leaves with (ip-route(8), src): the route's, else one of the way out, rather of the next hop's network."""
    if found.prefsrc or not found.dev:
        return found.prefsrc or ""
    links = sorted(sender.links, key=lambda link: link.name != found.dev)
    family = family_of(found.dst)
    held = [(link, address) for link in links if link.kind != "loopback" for address in link.addresses if address.family == family and address.scope != "link"]
    near = [address.address for link, address in held if link.name == found.dev and within(found.next_hop, address.cidr)]
    return next(iter((*near, *(address.address for _, address in held))), "")


def _carried(route: Route) -> int:
    """How much its path carries, as somebody has set it (``mtu 1400``, ``mtu lock 1400``); 0 for what the link carries."""
    return next((int(word.rpartition(" ")[2]) for word in route.others if word.startswith("mtu ")), 0)


def rules_for(node: Node, dst: str, src: str | None, iif: str | None) -> Iterator[PolicyRule]:
    """The policy rules that a packet without a mark meets, in order. Those that ask for what is not known of it are passed over."""
    return met(node, family_of(dst), lambda rule: not rule.oif and not rule.others and _selects(rule, dst, src, iif) != rule.negated)


def met(node: Node, family: Family, fits: Callable[[PolicyRule], bool]) -> Iterator[PolicyRule]:
    """The policy rules that fit, in the order in which the kernel asks them: a jump leaves out those before its target, and goes on with the next
    where there is no such (fib_rules_lookup(), net/core/fib_rules.c).
    """
    rules = sorted((rule for rule in node.policy if rule.family == family), key=lambda rule: rule.priority) or [
        PolicyRule(0, table=LOCAL, family=family),
        PolicyRule(32766, table=MAIN, family=family),
        PolicyRule(32767, table=DEFAULT, family=family),
    ]
    priorities, jump = {rule.priority for rule in rules}, 0
    for rule in rules:
        if rule.priority < jump or not fits(rule):
            continue
        yield rule
        word, _, target = rule.action.partition(" ")
        jump = int(target) if word == "goto" and int(target) in priorities else jump


def goes_on(rule: PolicyRule) -> bool:
    """Whether a rule decides nothing itself: it only jumps, or stands there to be jumped to (goto and nop, ip-rule(8))."""
    return rule.action.partition(" ")[0] in ("goto", "nop")


def _selects(rule: PolicyRule, dst: str, src: str | None, iif: str | None) -> bool:
    """Whether the selector as it stands, before a *not*, fits a packet without a mark."""
    addressed = within(dst, rule.dst) and (rule.src == "all" or (src is not None and within(src, rule.src)))
    return addressed and not rule.mark and (rule.iif is None or rule.iif == (iif or "lo"))


def best(node: Node, dst: str, table: int, suppress: int | None = None) -> Route | None:
    """The route of a table that wins for ``dst``; None too when its prefix is not longer than ``suppress``."""
    family = family_of(dst)
    found = [route for route in node.routes if route.family == family and route.table == table and within(dst, route.dst) and not of_one_service(route)]
    won = min(found, key=lambda route: (-prefix_of(route), route.metric), default=None)
    return None if won is None or (suppress is not None and prefix_of(won) <= suppress) else won


def of_one_service(route: Route) -> bool:
    """Whether a route is for packets of one type of service only (``tos 0x10``): those of a program that asks for none go by another."""
    return any(word.startswith("tos ") for word in route.others)


def ways_on(node: Node, dst: str) -> tuple[str, ...]:
    """The gateways among which the main table's route for ``dst`` chooses, when it has several next hops."""
    won = best(node, dst, MAIN)
    alike = [route for route in node.routes if won is not None and (route.dst, route.table, route.metric, route.family) == (won.dst, MAIN, won.metric, won.family)]
    return tuple(route.via for route in alike if route.via) if len(alike) > 1 else ()


def has_default(node: Node, family: Family) -> bool:
    """Whether the main table knows a way for everything else."""
    return any(route.family == family and route.table == MAIN and route.dst == "default" for route in node.routes)


def is_local(node: Node, address: str) -> bool:
    """Whether packets to ``address`` end here."""
    return is_address(address) and bool(common(own_addresses(node, family_of(address)), network(address)))


def forwards(node: Node, iif: str, family: Family) -> bool:
    """Whether a packet that came in by ``iif`` is known to leave again; "" is a device without a switch of its own."""
    return passes_on(node, iif, family) is True


def on_link(link: Link, address: str) -> bool:
    """Whether one of the link's subnets holds ``address``."""
    return any(own.prefix < bits(own.family) and within(address, own.cidr) for own in link.addresses)


def connected(node: Node, address: str) -> list[Link]:
    """The links, up or not, whose subnets hold ``address``: where it would be a neighbour. A link-local address says no link."""
    if is_link_local(address):
        return []
    return [link for link in node.links if link.kind != "loopback" and on_link(link, address)]


def within(address: str, network: str) -> bool:
    """Whether ``address`` lies in ``network``: a CIDR, "default" or "all"."""
    if network in ("default", "all"):
        return True
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def prefix_of(route: Route) -> int:
    """The length of a route's prefix; 0 for the default route."""
    return 0 if route.dst == "default" else int(route.dst.partition("/")[2] or bits(route.family))


def subnet(cidr: str) -> str:
    """``10.0.0.2/24`` -> ``10.0.0.0/24``"""
    return str(ip_network(cidr, strict=False))


def is_link_local(text: str) -> bool:
    """Whether ``text`` means something on one link only (RFC 4291, RFC 3927)."""
    return is_address(text) and ip_address(text).is_link_local


def is_loopback(text: str) -> bool:
    """Whether ``text`` means the node itself to everybody who says it (127.0.0.0/8, ::1)."""
    return is_address(text) and ip_address(text).is_loopback


def metric_words(route: Route | None) -> str:
    """What tells a route from others to the same network, as ip(8) takes it: without it ``replace`` makes a second one, of the usual metric."""
    usual = 1024 if route is not None and route.family == 6 else 0
    return f" metric {route.metric}" if route is not None and route.metric not in (0, usual) else ""


def is_group(text: str) -> bool:
    """Whether ``text`` is a multicast group: everybody who listens is meant, and nobody owns it."""
    return is_address(text) and ip_address(text).is_multicast


def host_of(text: str) -> str:
    """The address in ``10.0.0.3:80``, ``[fd00::3]:80``, ``10.0.0.3`` or ``fd00::3``."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text


def last_of(network: str) -> str:
    """The last address of a subnet: for IPv4 its broadcast address."""
    return str(ip_network(network, strict=False).broadcast_address)
