"""Address translation: a request that arrives with an address nobody out there can answer, and answers that come home unrecognised."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from ...model.journey import Fact, Hop
from ...model.snapshot import Node, Rule
from .. import routes
from ..case import Case
from ..cause import Cause, at_gate, of_node, owner_words
from ..matching import failing
from ..ruleset import source_rules


def no_masquerade(case: Case) -> Cause | None:
    """The request arrived, still with a private source; the answer has no way back to it."""
    spot = case.spot
    source, target = _unanswerable(case)
    if not source:
        return None
    left = _last_router(case, target)
    if left is None:
        return None
    node = case.node(left.node)
    rules = source_rules(node)
    if case.node(target).role != "internet" and not rules:
        return None
    back = case.route(target, source)
    seen = Fact(
        f"the request left {owner_words(node.name)} by {left.link} with the source {source}",
        case.run(node.name, f"tcpdump -ni {left.link} host {source}"),
    )
    gone = Fact(
        f"{owner_words(target)} has no way back to {source}: {back.words or back.error or 'it leads elsewhere'}",
        case.ip(target, f"route get {source}"),
    )
    packet = case.packet("forward", spot.kind, source, left.dst, _came_by(case, left), left.link)
    failed = [(rule, failing(rule, packet)) for _, rule in rules]
    for rule, misses in failed:
        if misses:
            return _no_match(case, node, rule, misses[0], (seen, gone))
    if failed:
        text = f"{owner_words(node.name)} has a rule that should translate the source, {failed[0][0].text}, but the packet left as {source}"
        return Cause("masquerade-skipped", at_gate(node.name, "NAT"), text, (seen, gone))
    loose = _unhooked(node)
    why = f"; its rule stands in chain {loose}, which hangs on no hook" if loose else ""
    text = f"the answer cannot find its way back: {owner_words(node.name)} let the request out with the private source {source}, untranslated{why}"
    look = Fact(
        f"{owner_words(node.name)} has no masquerade or snat rule on the postrouting hook",
        case.run(node.name, "nft list ruleset"),
    )
    fix = case.run(node.name, f"nft add rule ip nat postrouting oifname {left.link} masquerade") if _has_nat_chain(node) else ""
    return Cause(
        "masquerade-missing", at_gate(node.name, "NAT"), text, (seen, gone, look), not case.blind and not node.xtables, fix
    )


def _unanswerable(case: Case) -> tuple[str, str]:
    """(the source, the node that cannot answer it); "" when this is not such a case."""
    spot = case.spot
    if spot.stage == "delivered" and spot.leg == "forward" and spot.node != case.probe.node:
        back = case.route(spot.node, spot.src)
        return (spot.src, spot.node) if back.error and _is_private(spot.src) else ("", "")
    if spot.leg == "return" and spot.stage in ("asking", "routing", "crossing") and _is_private(spot.dst):
        node = case.node(spot.node)
        if node.role == "internet":
            return spot.dst, spot.node
    return "", ""


def _is_private(address: str) -> bool:
    """Addresses of RFC 1918 and 6598: they mean nothing to the world."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in _PRIVATE)


_PRIVATE = tuple(ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


def _last_router(case: Case, target: str) -> Hop | None:
    """The last node that passed the request on before it came to ``target``, as it left there."""
    left = [
        hop for hop in case.hops if hop.direction == "out" and hop.leg == "forward" and hop.node not in (target, case.probe.node)
    ]
    routed = [hop for hop in left if (link := case.link(hop.node, hop.link)) is not None and not (link.master and link.port)]
    return routed[-1] if routed else None


def _came_by(case: Case, left: Hop) -> str | None:
    return next(
        (
            hop.link
            for hop in case.hops
            if hop.node == left.node and hop.direction == "in" and hop.leg == "forward" and hop.kind == left.kind
        ),
        None,
    )


def _no_match(case: Case, node: Node, rule: Rule, miss: tuple[str, str, str], facts: tuple[Fact, ...]) -> Cause:
    key, operator, wanted = miss
    shown = f"{key} {operator + ' ' if operator not in ('==', 'in') else ''}{wanted}"
    if key in ("ip saddr", "ct original ip saddr"):
        code, why = "masquerade-wrong-subnet", f"it is for {shown}, and the packet comes from {case.spot.src or case.spot.dst}"
    elif key in ("oifname", "oif", "iifname", "iif", "meta oifname", "meta iifname"):
        code, why = "masquerade-wrong-link", f"it asks for {shown}, and the packet goes another way"
    else:
        code, why = "masquerade-rule", f"it asks for {shown}, which does not fit this packet"
    text = f"{of_node(node.name)} rule {rule.text} does not translate this packet: {why}"
    rule_fact = Fact(f"the rule reads: {rule.text}", case.run(node.name, "nft -a list ruleset"))
    return Cause(code, at_gate(node.name, "NAT"), text, (rule_fact, *facts), not case.blind)


def _unhooked(node: Node) -> str:
    for chain in node.chains:
        if chain.hook is None and any(rule.verdict.startswith(("masquerade", "snat")) for rule in chain.rules):
            return f"{chain.family} {chain.table} {chain.name}"
    return ""


def _has_nat_chain(node: Node) -> bool:
    return any(
        (chain.family, chain.table, chain.name, chain.hook) == ("ip", "nat", "postrouting", "postrouting")
        for chain in node.chains
    )


def answer_from_another(case: Case) -> Cause | None:
    """An answer came home from another address than the one that was asked: it went round the node that had changed the destination."""
    asked = {hop.dst for hop in _first_out(case)}
    changed = [change for change in case.redirects if change.after_hop >= 0]
    if not changed or not asked:
        return None
    home = [
        hop
        for hop in case.hops
        if hop.node == case.probe.node and hop.leg == "return" and hop.direction == "in" and hop.kind != "icmp-error"
    ]
    strange = next((hop for hop in home if hop.src not in asked), None)
    if strange is None:
        return None
    where = changed[0].node
    text = (
        f"{owner_words(case.probe.node)} asked {next(iter(asked))} and the answer came from {strange.src}, straight over the bridge: it never passed "
        f"{owner_words(where)} again, which had changed the destination, so nothing changed it back"
    )
    facts = (
        Fact(f"in {owner_words(where)} {changed[0].before} became {changed[0].after}", case.run(where, "nft list ruleset")),
        Fact(f"the answer came home from {strange.src}", case.run(case.probe.node, "tcpdump -n")),
    )
    return Cause("no-hairpin", at_gate(where, "NAT"), text, facts, not case.blind)


def _first_out(case: Case) -> tuple[Hop, ...]:
    """The first packet of the probe as it left its node."""
    return case.seen(case.probe.node, None, "out")[:1]


def same_home(case: Case) -> Cause | None:
    """A published port that leads back to the very node that asks."""
    for change in case.redirects:
        after = change.after.rpartition(":")[0] or change.after
        owner = case.sender.owner(after)
        if owner is not None and case.spot.stage != "answered":
            text = f"{owner_words(change.node)} sends the packet back to {owner_words(case.probe.node)} itself, from its own address: it drops that as impossible"
            fact = Fact(
                f"in {owner_words(change.node)} {change.before} became {change.after}", case.run(change.node, "nft list ruleset")
            )
            return Cause("no-hairpin", at_gate(change.node, "NAT"), text, (fact,))
    return None


def private(address: str) -> bool:
    """Whether an address needs translation before the world can answer it."""
    return _is_private(address)


def known_route_back(case: Case, node: str, address: str) -> bool:
    """Whether ``node`` has a way to ``address``."""
    return not case.route(node, address).error and routes.is_address(address)
