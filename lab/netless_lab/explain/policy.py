"""What takes a packet out of the usual routing: policy rules, routes whose only purpose is to refuse, and the reverse path filter (RFC 3704,
ip-sysctl), where an expert changes the route, and only then the filter. Pure.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from ..model import routes
from ..model.journey import Fact
from ..model.netfilter.packet import only
from ..model.netfilter.rules import Condition
from ..model.netfilter.run import run
from ..model.snapshot import REFUSING, Link, Node, PolicyRule, Route, Rule
from .case import Case, of_link
from .cause import Cause, Mended, blame, brings_back, counted, heals, inferred, of_node, owner_words, said, state, with_route, with_rule, without_route, without_rule
from .packets import entering

_BEFORE = 100
"""The priority of a rule that sends a subnet's packets back to the main table: before those that VPNs add."""


def route_words(route: Route) -> str:
    """A route as ``ip route del`` wants it: ``10.0.0.2/32 via 203.0.113.1 dev eth0``."""
    words = [*([route.type] if route.type != "unicast" else []), route.dst, *(["via", route.via] if route.via else [])]
    words += ["dev", route.dev] if route.dev and route.type == "unicast" else []
    words += ["metric", str(route.metric)] if route.metric and route.family == 4 else []
    return " ".join([*words, *(["table", str(route.table)] if route.table != routes.MAIN else [])])


def route_fact(case: Case, node: Node, dst: str, src: str | None = None, iif: str | None = None) -> Fact:
    """What the node's routing says; a refusal by the kernel itself is proof of it."""
    found = case.route(node.name, dst, src, iif)
    says = f"no way ({found.words or found.error})" if found.error else f"by {found.dev}" + (f" via {found.via}" if found.via else "")
    asked = f"{dst} from {src} that came in by {iif}" if src and iif else dst
    kind = said if found.error and found in case.evidence.routes else inferred
    return kind(f"{of_node(node.name)} routing says for {asked}: {says}", case.run(node.name, found.look or f"ip route get {dst}"))


def quoted(rule: PolicyRule) -> str:
    """``32765: not from all fwmark 0xca6c lookup 51820``"""
    return f"{rule.priority}: {rule.text}"


def policy(case: Case, name: str, dst: str, src: str | None = None, iif: str | None = None) -> Cause | None:
    """A policy rule that sends the packet to another table than the usual ones, or refuses it."""
    node = case.node(name)
    found = case.route(name, dst, src, iif)
    tables = {rule.table for rule in case.policy(name)}
    if found.error and tables and routes.MAIN not in tables and routes.best(node, dst, routes.MAIN):
        facts = (state("ip rule shows no line for the table main", case.ip(name, "rule")),)
        fix = case.ip(name, "rule add priority 32766 lookup main")
        return blame(case, "policy-rule", name, facts=facts, how="gone", fix=fix, dst=dst)
    for rule in routes.rules_for(node, dst, src or found.prefsrc, iif):
        if rule.action == "lookup" and rule.table in (routes.LOCAL, routes.MAIN, routes.DEFAULT):
            if rule.table != routes.LOCAL and routes.best(node, dst, rule.table, rule.suppress) is not None:
                return None
            continue
        if (rule.action == "lookup" and rule.table != found.table) or (routes.goes_on(rule) and not _leads_past(node, rule, dst, src, iif)):
            continue
        return _taken(case, node, rule, dst, src, iif)
    return None


def _leads_past(node: Node, rule: PolicyRule, dst: str, src: str | None, iif: str | None) -> bool:
    """Whether a packet has no way for a rule that jumps over those that would find one."""
    others = replace(node, policy=tuple(own for own in node.policy if own != rule))
    return bool(routes.worked_out(node, dst, src, iif).error) and not routes.worked_out(others, dst, src, iif).error


def _taken(case: Case, node: Node, rule: PolicyRule, dst: str, src: str | None, iif: str | None) -> Cause:
    name = node.name
    found = case.route(name, dst, src, iif)
    shown = inferred(f"ip rule: {quoted(rule)}", case.ip(name, "rule"))
    asked = _asked(case, name, dst, src, iif)
    if rule.action != "lookup":
        facts = (shown, asked)
        how = "refuses" if rule.action in REFUSING else "skips"
        return blame(case, "policy-rule", name, facts=facts, how=how, mended=without_rule(name, rule), rule=quoted(rule), dst=dst, priority=rule.priority)
    where = f", which leads by {found.dev}" if found.dev else ""
    fix, mended = _beside(case, node, rule, dst) or (_home(case, node, rule, src) if rule.negated and rule.mark else (None, without_rule(name, rule)))
    return blame(case, "policy-rule", name, facts=(shown, asked), rule=quoted(rule), dst=dst, table=rule.table, where=where,
                 priority=rule.priority, fix=fix, mended=mended)


def _beside(case: Case, node: Node, rule: PolicyRule, dst: str) -> tuple[str, Mended] | None:
    """For a rule that takes what goes anywhere, where the main table has a network with ``dst`` in it: a rule before it for that network, when it heals."""
    found = routes.best(node, dst, routes.MAIN)
    if rule.dst != "all" or found is None or found.type != "unicast" or routes.prefix_of(found) == 0:
        return None
    priority = _first(case, node)
    mended = with_rule(node.name, PolicyRule(priority, dst=found.dst, table=routes.MAIN, family=case.family))
    return (case.ip(node.name, f"rule add to {found.dst} lookup main priority {priority}"), mended) if heals(case, node.name, mended(case.before)) else None


def _first(case: Case, node: Node) -> int:
    """A priority before all that somebody has given."""
    return min(_BEFORE, min((own.priority for own in case.policy(node.name) if own.priority), default=_BEFORE + 1) - 1)


def _home(case: Case, node: Node, rule: PolicyRule, src: str | None) -> tuple[str, Mended | None]:
    """For a rule that takes all but its own traffic (a VPN's): not its end, but a rule before it for the subnet that the packet came from."""
    owner = next((own.cidr for link in node.links for own in case.own(link) if src and routes.on_link(link, src)), "")
    if not owner:
        return "", None
    network = routes.subnet(owner)
    priority = _first(case, node)
    extra = PolicyRule(priority, network, table=routes.MAIN, family=case.family)
    command = case.ip(node.name, f"rule add from {network} lookup main priority {priority}")
    return command, with_rule(node.name, extra)


def _asked(case: Case, name: str, dst: str, src: str | None, iif: str | None) -> Fact:
    """What routing says of this very packet, its source and the link it came by included."""
    found = case.route(name, dst, src, iif)
    says = f"no way ({found.words or found.error})" if found.error else f"by {found.dev}" + (f" via {found.via}" if found.via else "")
    words = " ".join([dst, *(["from", src] if src else []), *(["iif", iif] if iif else [])])
    kind = said if found.error and found in case.evidence.routes else inferred
    return kind(f"routing says for {words}: {says}", case.ip(name, f"route get {words}"))


def marked(case: Case, name: str) -> Cause | None:
    """A policy rule for packets with a mark: no question to the routing shows that."""
    rule = next((own for own in case.policy(name) if own.mark and not own.negated and own.table not in (routes.MAIN, routes.LOCAL)), None)
    if rule is None:
        return None
    hook, packet = entering(case, name)
    marks = any(way.packet.possible("meta mark") != only(0) for way in run(case.node(name), hook, packet))
    if not marks and case.last.node != name:
        return None
    way = routes.best(case.node(name), case.last.dst, rule.table) if rule.table and case.last.dst else None
    facts = [inferred(f"ip rule: {quoted(rule)}", case.ip(name, "rule"))]
    facts += [inferred("its firewall marks packets", case.run(name, "nft list ruleset"))] if marks else []
    where = f": table {rule.table} leads by {way.dev}" if way is not None and way.dev else ""
    return blame(case, "policy-rule", name, facts=facts, how="marked", rule=quoted(rule), where=where, priority=rule.priority)


def selected(case: Case, name: str) -> Cause | None:
    """A policy rule that asks for a protocol or a port: of such no question to the routing that names addresses only is told."""
    last = case.last
    for rule in case.policy(name):
        plain = replace(rule, others=())
        usual = rule.action == "lookup" and rule.table in (routes.LOCAL, routes.MAIN, routes.DEFAULT)
        if not rule.others or usual or not all(_fits(case, word) for word in rule.others):
            continue
        if plain not in [*routes.rules_for(replace(case.node(name), policy=(plain,)), last.dst, last.src or None, last.iif)]:
            continue
        way = routes.best(case.node(name), last.dst, rule.table) if rule.action == "lookup" else None
        if rule.action == "lookup" and way is None:
            continue
        facts = [inferred(f"ip rule: {quoted(rule)}", case.ip(name, "rule"))]
        if way is not None:
            reads = f"{way.type} {way.dst}" if way.type != "unicast" else f"{way.dst} dev {way.dev}"
            facts.append(inferred(f"table {rule.table} reads: {reads}", case.ip(name, f"route show table {rule.table}")))
        where = f": table {rule.table} " + (f"ends it there ({way.type})" if way.type != "unicast" else f"leads by {way.dev}") if way is not None else ""
        return blame(case, "policy-rule", name, facts=facts, how="selected", rule=quoted(rule), where=where, priority=rule.priority)
    return None


def _fits(case: Case, selector: str) -> bool:
    """Whether a packet of the probe certainly has what a further selector asks for; the ports of an answer are the other way round."""
    word, _, value = selector.partition(" ")
    last = case.last
    if word == "ipproto":
        return value == {"tcp": "tcp", "udp": "udp"}.get(last.kind, "icmp" if case.family == 4 else "ipv6-icmp")
    if word == ("dport" if last.leg == "forward" else "sport") and case.port is not None and last.kind in ("tcp", "udp"):
        least, _, most = value.partition("-")
        return int(least) <= case.port <= int(most or least)
    return False


def refusing(case: Case, name: str, dst: str, src: str | None, iif: str | None) -> Cause | None:
    """A route, or a policy rule, whose only purpose is to refuse."""
    node = case.node(name)
    for rule in routes.rules_for(node, dst, src, iif):
        if routes.goes_on(rule) and not _leads_past(node, rule, dst, src, iif):
            continue
        if rule.action != "lookup":
            return policy(case, name, dst, src, iif)
        found = routes.best(node, dst, rule.table, rule.suppress)
        if found is None or found.type == "throw":
            continue
        return _ends(case, name, found, rule, dst) if found.type in REFUSING else None
    return None


def throwing(case: Case, name: str, dst: str, refused: Fact) -> Cause | None:
    """A route that ends the search of its table as if that held none (throw, ip-route(8)), where the table has another for the address."""
    node = case.node(name)
    for rule in routes.rules_for(node, dst, None, None):
        found = routes.best(node, dst, rule.table, rule.suppress) if rule.action == "lookup" else None
        if found is None or found.type != "throw":
            continue
        others = replace(node, routes=tuple(route for route in node.routes if route != found))
        if routes.worked_out(others, dst).error:
            continue
        table = "" if rule.table == routes.MAIN else f" table {rule.table}"
        fact = state(f"the routing table{table} reads: throw {found.dst}", case.ip(name, f"route show{table}"))
        return blame(case, "blackhole-route", name, facts=(fact, refused), how="throw", mended=without_route(name, found), dst=dst,
                     table=f" ({table.strip()})" if table else "", route=f"throw {found.dst}{table}", network=found.dst)
    return None


def _ends(case: Case, name: str, found: Route, rule: PolicyRule, dst: str) -> Cause:
    table = "" if rule.table == routes.MAIN else f" table {rule.table}"
    shown = case.ip(name, f"route show{table}")
    fact = state(f"the routing table{table} reads: {found.type} {found.dst}", shown)
    refused = _asked(case, name, dst, None, None)
    node = case.node(name)
    only = [own for own in node.routes if (own.dst, own.table, own.family) == (found.dst, found.table, found.family)] == [found]
    # by its type the kernel finds no route that has it from its next hop (ip nexthop add ... blackhole)
    route, mended = f"{found.dst if only else f'{found.type} {found.dst}'}{table}", without_route(name, found)
    if rule.table in (routes.MAIN, routes.DEFAULT):
        how = "" if found.type == "blackhole" else found.type
        facts = (fact, refused) if refused.kind == "said" else (fact,)
        where = f" ({table.strip()})" if table else ""
        return blame(case, "blackhole-route", name, facts=facts, how=how, mended=mended, table=where, route=route, network=found.dst)
    facts = (fact, inferred(f"ip rule: {quoted(rule)}", case.ip(name, "rule")))
    return blame(case, "policy-rule", name, facts=facts, how="route", fix=case.ip(name, f"route del {route}"), mended=mended,
                 kind=found.type, table=rule.table, rule=quoted(rule), network=found.dst)


_COUNTER: Final = "TcpExtIPReversePathFilter"
_WAY_BACK: Final = frozenset({"fib", "saddr", "oif"})
"""Words of a question of nft(8) for the link that a packet's sender is reached by."""


def filtered(case: Case, node: Node, link: Link, source: str) -> Cause:
    """``node`` drops what comes from ``source`` by ``link``."""
    back = case.route(node.name, source)
    rose = case.evidence.count(node.name, _COUNTER) > 0
    facts: list[Fact] = []
    if rose:
        facts.append(counted("the kernel's reverse path filter counted a packet", case.run(node.name, f"nstat -az {_COUNTER}")))
    refused = case.route(node.name, case.last.dst or case.last.asked, source, link.name)
    if refused.error in ("EXDEV", "EINVAL"):
        facts.append(said(f"routing says for it: {refused.words}", case.run(node.name, refused.look)))
    facts.append(inferred(f"rp_filter is on in {owner_words(node.name)}", case.run(node.name, "sysctl -a --pattern rp_filter$")))
    facts.append(route_fact(case, node, source))
    leads = f"by {back.dev}" + (f" via {back.via}" if back.via else "") if back.dev else "nowhere"
    # a stray route that hides the connected one is taken away; where both ways are meant (a node with two networks), the filter's loose mode
    # lets in what can be reached by any link: switching it off only takes away the alarm
    loose = case.run(node.name, f"sysctl -w {of_link(4, link.name, 'rp_filter')}=2")
    fix = straightened(case, node, link, source) or (loose if brings_back(case, node.name, case.before) else _back_by(case, node, link, source))
    return blame(case, "rp-filter", node.name, facts=facts, fix=fix, src=source, iif=link.name, back=leads)


def _back_by(case: Case, node: Node, link: Link, source: str) -> str:
    """The command that has answers go back by who passed the packet on to ``link``, where its sender is reached by no other way; "" where it does not."""
    mac = case.last.hop.mac_src if case.last.hop is not None else ""
    senders = (own.address for other in case.before.nodes for far in other.links if mac and far.mac == mac for own in case.own(far))
    via = next((own for own in senders if any(routes.within(own, mine.cidr) for mine in case.own(link))), "")
    network = next((routes.subnet(own.cidr) for _, far in case.owners(source) for own in case.own(far) if own.address == source), "")
    if not via or not network:
        return ""
    after = with_route(node.name, Route(network, via, link.name, family=case.family))(case.before)
    return case.ip(node.name, f"route add {network} via {via}") if brings_back(case, node.name, after) else ""


def disbelieved(case: Case, node: Node, dst: str, src: str, iif: str) -> bool:
    """Whether the filter has counted a packet, or is on and routing refuses this one for its source: EXDEV, from Linux 6.13 on EINVAL."""
    if case.evidence.count(node.name, _COUNTER):
        return True
    error = case.route(node.name, dst, src, iif).error
    filters = {case.knob(node.name, of_link(4, link, "rp_filter")) for link in ("all", iif)} | {case.setting(node.name, "rp_filter")}
    return error == "EXDEV" or (error == "EINVAL" and bool(filters & {"1", "2"}) and node.owner(src) is None)


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
