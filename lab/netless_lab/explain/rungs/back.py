"""The way back: a request that arrives with an address nobody out there can answer, and answers that come home unrecognised or not at all; and
connection tracking: a flow that began under other rules keeps what they made of it, its translation and its mark, until it is forgotten.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final

from msgspec.structs import replace

from ...model import routes
from ...model.addresses import is_address
from ...model.journey import Fact, Hop, Rewrite
from ...model.journeys.flow import Flow
from ...model.journeys.packet import ICMP, ICMP6, TCP
from ...model.netfilter.conditions import Question, fields_of, words
from ...model.netfilter.packet import Packet, address, common, network, only
from ...model.netfilter.packet import first as anew
from ...model.netfilter.rules import Return
from ...model.netfilter.run import FAMILIES, Way, always, doubt, missed, through
from ...model.netfilter.translation import translated
from ...model.snapshot import REFUSING, Chain, Node, Rule
from ...primitives.base import device
from ..case import Case
from ..cause import Cause, beside, blame, inferred, of_node, owner_words, seen, state
from ..near import estranged, no_route
from ..packets import entering, first, led_on
from ..policy import refusing, route_fact
from ..rules import answers_zone, rewrites, rules_at, untracking, zoning
from .local import led_on_to_nobody

_PRIVATE: Final = tuple(ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
"""RFC 1918, 6598 and 4193: addresses that mean nothing to the world."""
_LINKS: Final = ("oifname", "iifname")


def no_way_back(case: Case) -> Cause | None:
    """The target has no route for its answer."""
    last = case.last
    if last.leg != "forward" or not last.src or not case.route(last.node, last.src).error:
        return None
    if (other := refusing(case, last.node, last.src, None, None) or estranged(case, last.node, last.src, None)) is not None:
        return other
    made = next((change for change in case.evidence.journey.rewrites if change.what == "source" and routes.host_of(change.after) == last.src), None)
    if made is not None and case.node(made.node).owner(last.src) is None:
        return whose_source(case, made, (route_fact(case, case.node(last.node), last.src),))
    plain = no_route(case, last.node, last.src, leg="return")
    return blame(case, "no-route-back", last.node, facts=plain.facts, fix=plain.fix, dst=last.src)


def no_masquerade(case: Case) -> Cause | None:
    """The request arrived, still with a private source; the answer has no way back to it."""
    source, target = _unanswerable(case)
    left = _last_router(case, target) if source else None
    if left is None:
        return None
    node = case.node(left.node)
    rules = [found for found in rules_at(node, "postrouting", FAMILIES[case.family]) if rewrites(found[2], source=True)]
    _, packet = entering(case, node.name, left.link)
    ways = translated(node, packet)
    if case.node(target).role != "internet" and not rules:
        return None
    if (refused := _refused(case, case.node(target), source)) is not None:
        return refused
    look = case.run(node.name, f"tcpdump -ni {left.link} host {source}")
    facts = (seen(f"the request left {owner_words(node.name)} by {left.link} with the source {source}", look),
             route_fact(case, case.node(target), source))
    if rules and (skipped := _untracked(case, node, packet, source, facts)) is not None:
        return skipped
    written = next((change for change in case.evidence.journey.rewrites if change.what == "source" and routes.host_of(change.after) == source), None)
    if written is not None:
        return whose_source(case, written, facts)
    weak = tuple(beside(fact) for fact in facts)
    unsure = always(ways, lambda way: way.source_rewritten) is None and (rules or any(way.end == "lost" for way in ways))
    guess = doubt(ways) if unsure else None
    if guess is not None:
        reads = inferred(f"the rule reads: {guess.rule.text}", case.listing(node.name, guess.chain))
        return blame(case, "masquerade-skipped", node.name, facts=(*weak, reads), how="unread", fix="", rule=guess.rule.text, src=source)
    taker = next((way for way in ways if way.rule is not None and not way.rewrites and way.end == "accept"), None)
    for base, chain, rule in rules:
        misses = missed(node, base, chain, rule, packet)
        if misses:
            return _no_match(case, node, chain, rule, misses[0], source, left, facts)
        before = taker.rule if taker is not None and taker.rule is not None else _returns(node, base, chain, rule, packet)
        if before is not None:
            reads = inferred(f"the chain reads, before it: {before.text}", case.listing(node.name, chain))
            fix = _without(case, node, before, packet)
            return blame(case, "masquerade-skipped", node.name, facts=(*weak, reads), how="before", fix=fix, rule=rule.text, before=before.text, src=source)
    if rules:
        return blame(case, "masquerade-skipped", node.name, facts=weak, rule=rules[0][2].text, src=source)
    loose = _unhooked(node)
    why = f"; its rule stands in chain {loose}, which hangs on no hook" if loose else ""
    none = inferred(f"{owner_words(node.name)} has no masquerade or snat rule on the postrouting hook", case.run(node.name, "nft list ruleset"))
    kept = (facts[0], *weak[1:], none)
    return blame(case, "masquerade-missing", node.name, facts=kept, fix=_masquerade(case, node, source, left.link), src=source, why=why)


def _refused(case: Case, target: Node, source: str) -> Cause | None:
    """A route or a policy rule that refuses the answer, where without all such there is a way back: the source is known there, private or not."""
    kept = tuple(own for own in target.routes if own.type not in REFUSING)
    plain = replace(target, routes=kept, policy=tuple(own for own in target.policy if own.action not in REFUSING))
    return refusing(case, target.name, source, None, None) if not routes.worked_out(plain, source).error else None


def whose_source(case: Case, change: Rewrite, facts: tuple[Fact, ...]) -> Cause:
    """NAT wrote in a source that is not the node's own: it is somebody else's, or nobody's."""
    address = routes.host_of(change.after)
    became = seen(f"the source {change.before} became {change.after} in {owner_words(change.node)}", case.run(change.node, "nft list ruleset"))
    owner = next((node.name for node, _ in case.owners(address)), "")
    holder = case.node(change.node).owner(address)
    left = next((hop for hop in reversed(case.hops) if hop.node == change.node and hop.direction == "out" and routes.host_of(hop.src) == address), None)
    out = case.link(change.node, left.link) if left is not None else None
    if holder is not None and out is not None and holder is not out:
        bare = [inferred(f"{out.name} has {case.lacking(out)}", case.ip(change.node, f"address show {device(out.name)}"))] if not case.own(out) else []
        why = f"; {out.name}, by which it leaves, has {case.lacking(out)} of its own to give it" if bare else ""
        return blame(case, "snat-wrong", change.node, facts=(became, *bare, *facts), how="own", address=address, holder=holder.name, why=why)
    return blame(case, "snat-wrong", change.node, facts=(became, *facts), how="other" if owner else "", address=address, owner=owner_words(owner))


def _returns(node: Node, base: Chain, chain: Chain, rule: Rule, packet: Packet) -> Rule | None:
    """The rule that has the packet leave a chain before it comes to ``rule``."""
    earlier = chain.rules[: _place(chain, rule) - 1]
    return next((own for own in earlier if any(isinstance(part, Return) for part in own.parts) and not missed(node, base, chain, own, packet)), None)


def _without(case: Case, node: Node, rule: Rule, packet: Packet) -> str:
    """The command that takes a rule away; "" where the sender is not certainly translated then."""
    chain = next((own for own in node.chains if any(one is rule for one in own.rules) and own.engine == "nft"), None)
    if chain is None:
        return ""
    left = replace(chain, rules=tuple(own for own in chain.rules if own is not rule))
    mended = replace(node, chains=tuple(left if own is chain else own for own in node.chains))
    heals = always(translated(mended, packet), lambda way: way.source_rewritten)
    return case.run(node.name, f"nft delete rule {chain.family} {chain.table} {chain.name} handle {rule.handle}") if heals else ""


def _unanswerable(case: Case) -> tuple[str, str]:
    """(the source, the node that cannot answer it); "" when this is not such a case."""
    last = case.last
    if last.stage == "delivered" and last.leg == "forward" and last.node != case.probe.node:
        back = case.route(last.node, last.src)
        return (last.src, last.node) if back.error and _is_private(last.src) else ("", "")
    beside = last.stage == "asking" and last.asked == last.dst  # it takes it for a neighbour, so it has a way back
    if last.leg == "return" and last.stage != "delivered" and not beside and _is_private(last.dst) and case.node(last.node).role == "internet":
        return last.dst, last.node
    return "", ""


def _is_private(address: str) -> bool:
    return is_address(address) and any(ip_address(address) in network for network in _PRIVATE)


def _last_router(case: Case, target: str) -> Hop | None:
    """The last node that passed the request on before it came to ``target``, as it left there."""
    left = [hop for hop in case.hops if hop.direction == "out" and hop.leg == "forward" and hop.node not in (target, case.probe.node)]
    return next(filter(case.at_end, reversed(left)), None)


def _untracked(case: Case, node: Node, packet: Packet, source: str, facts: tuple[Fact, ...]) -> Cause | None:
    """A rule keeps the packet from connection tracking, and the table has no entry for it: then no translation ever saw it."""
    if any(flow.node == node.name for flow in case.evidence.flows):
        return None
    empty = inferred(f"the connection table of {owner_words(node.name)} got no entry for it", case.run(node.name, "conntrack -L"))
    return _kept_out(case, node, packet, (facts[0], empty), src=source)


def answer_untracked(case: Case) -> Cause | None:
    """The answer is kept from connection tracking: nothing undoes the translation of its request, and it ends in the node that translated."""
    last = case.last
    flow, hop, node = case.flow(last.node), last.hop, case.node(last.node)
    if last.leg != "return" or hop is None or flow is None or not flow.source_nat or hop.dst != flow.reply.dst or node.owner(hop.dst) is None:
        return None
    came = first(case, last.kind, hop.src, hop.dst, last.iif, "").forgetting("th dport")
    waits = seen(f"the answer came into {owner_words(node.name)} for {hop.dst}, and was not given on to {flow.original.src}", case.run(node.name, "conntrack -L"))
    return _kept_out(case, node, came, (waits,), how="answer", asker=flow.original.src)


def _kept_out(case: Case, node: Node, packet: Packet, facts: tuple[Fact, ...], how: str = "", **words: str) -> Cause | None:
    """The rule that keeps such a packet from connection tracking, as a cause, if there is one."""
    found = untracking(node, "prerouting", packet)
    if found is None:
        return None
    chain, rule = found
    reads = inferred(f"the rule reads: {rule.text}", case.listing(node.name, chain))
    fix = case.run(node.name, f"{case.iptables} -t {chain.table} -D {chain.name} {_place(chain, rule)}") if chain.engine == "legacy" else None
    return blame(case, "untracked", node.name, facts=(reads, *facts), how=how, rule=rule.text, handle=rule.handle, fix=fix, more=words,
                 chain=f"table {chain.family} {chain.table}, chain {chain.name}", where=f"{chain.family} {chain.table} {chain.name}")


def answer_in_another_zone(case: Case) -> Cause | None:
    """The answer is looked for among the connections of another zone than the one its request was entered in: nothing undoes the translation."""
    flow = next((own for own in case.evidence.flows if own.source_nat or own.destination_nat), None)
    if flow is None:
        return None
    node, home = case.node(flow.node), case.node(flow.node).owner(flow.original.src) is not None
    came = next((hop for hop in case.seen(node.name, None, "in") if hop.leg == "return" and (hop.src, hop.dst) == (flow.reply.src, flow.reply.dst)), None)
    asked = next((hop for hop in case.seen(node.name, None, "in") if hop.leg == "forward"), None)
    if came is None or (asked is None and not home):
        return None
    hook, request = entering(case, node.name)
    answer = first(case, came.kind, came.src, came.dst, node.ip_device(came.link), "").forgetting("th dport")
    zones = answers_zone(node, hook, request), answers_zone(node, "prerouting", answer)
    found = zoning(node, "prerouting", answer) or zoning(node, hook, request)
    if found is None or None in zones or zones[0] == zones[1]:
        return None
    chain, rule = found
    reads = inferred(f"the rule reads: {rule.text}", case.listing(node.name, chain))
    waits = seen(f"the answer came into {owner_words(node.name)} for {came.dst}, and its translation was not undone", case.run(node.name, "conntrack -L"))
    fix = "" if all(zones) else case.run(node.name, f"{case.iptables} -t {chain.table} -D {chain.name} {_place(chain, rule)}") if chain.engine == "legacy" else None
    return blame(
        case, "zone-split", node.name, facts=(reads, waits), rule=rule.text, chain=f"table {chain.family} {chain.table}, chain {chain.name}",
        asked=str(zones[0]), answered=str(zones[1]), where=f"{chain.family} {chain.table} {chain.name}", handle=rule.handle, fix=fix,
    )  # fmt: skip


def _place(chain: Chain, rule: Rule) -> int:
    """The number of a rule in its chain, as iptables counts."""
    return 1 + next(number for number, one in enumerate(chain.rules) if one is rule)


def _no_match(case: Case, node: Node, chain: Chain, rule: Rule, miss: Question, source: str, left: Hop, facts: tuple[Fact, ...]) -> Cause:
    fields = fields_of(miss)
    code = "masquerade-wrong-subnet" if {"ip saddr", "ip6 saddr"} & {*fields} else "masquerade-wrong-link" if {*_LINKS} & {*fields} else "masquerade-rule"
    reads = inferred(f"the rule reads: {rule.text}", case.listing(node.name, chain))
    fix = _masquerade(case, node, source, left.link)
    return blame(case, code, node.name, facts=(reads, *facts), fix=fix, rule=rule.text, shown=words(miss), src=source)


def _masquerade(case: Case, node: Node, source: str, out: str) -> str:
    """The rule that is missing: for the source's own subnet, on the way out, in a chain made for it when there is none."""
    subnet = next((routes.subnet(own.cidr) for link in node.links for own in case.own(link) if routes.on_link(link, source)), source)
    return translating(case, node, f"ip saddr {subnet} oifname {out} masquerade")


def translating(case: Case, node: Node, rule: str) -> str:
    """The command that has a node translate by such a rule, which names addresses of either family by ``ip``; "" for IPv6 where nothing is
    translated so far: its way is a route back there, and translation nobody's first choice.
    """
    own = "ip" if case.family == 4 else "ip6"
    rule = rule.replace("ip saddr", f"{own} saddr").replace("ip daddr", f"{own} daddr")
    nat = (chain for chain in node.chains if chain.hook == "postrouting" and chain.type == "nat" and chain.family in FAMILIES[case.family])
    if (base := next(nat, None)) is not None:
        return case.run(node.name, f"nft add rule {base.family} {base.table} {base.name} {rule}")
    if case.family == 6 and not case.redirects:
        return ""
    steps = (f"nft add table {own} nat", f"nft 'add chain {own} nat postrouting {{ type nat hook postrouting priority srcnat; }}'",
             f"nft add rule {own} nat postrouting {rule}")  # fmt: skip
    return "; ".join(case.run(node.name, step) for step in steps)


def _unhooked(node: Node) -> str:
    loose = (own for own in node.chains if own.hook is None and any(rewrites(rule, source=True) for rule in own.rules))
    return next((f"{own.family} {own.table} {own.name}" for own in loose), "")


def answer_from_another(case: Case) -> Cause | None:
    """An answer came home from another address than the one that was asked: it went round the node that had changed the destination."""
    first = case.seen(case.probe.node, None, "out")[:1]
    changed = [change for change in case.redirects if change.after_hop >= 0]
    if not changed or not first:
        return None
    asked = first[0].dst
    home = [hop for hop in case.hops
            if hop.node == case.probe.node and hop.leg == "return" and hop.direction == "in" and hop.kind != "icmp-error"]
    strange = next((hop for hop in home if hop.src != asked), None)
    if strange is None:
        return None
    where = changed[0].node
    if (other := _refusal(case, strange) or _taken_from(case, asked, strange)) is not None:
        return other
    facts = (inferred(f"in {owner_words(where)} {changed[0].before} became {changed[0].after}", case.run(where, "nft list ruleset")),
             seen(f"the answer came home from {strange.src}", case.run(case.probe.node, "tcpdump -n")))
    return blame(case, "no-hairpin", where, facts=facts, fix=turning_round(case, where, first[0].src, strange.src), asker=owner_words(case.probe.node),
                 asked=asked, address=strange.src)


def _taken_from(case: Case, asked: str, answer: Hop) -> Cause | None:
    """Who has changed the destination took what is for somebody else: no published port, and translated on its way back it would still be the wrong answer."""
    end = next((node for node, _ in case.owners(answer.src)), None)
    led = led_on(case, end.name) if end is not None else None
    meant = next((node for node, _ in case.owners(asked, led.node) if node is not end), None) if led is not None and led.asked == asked else None
    if led is None or meant is None:
        return None
    facts = (inferred(f"the rule reads: {led.rule.text}", case.listing(led.node, led.chain)),
             seen(f"the answer came home from {answer.src}", case.run(case.probe.node, "tcpdump -n")))
    where = f"{led.chain.family} {led.chain.table} {led.chain.name}"
    fix = case.run(led.node, f"nft delete rule {where} handle {led.rule.handle}") if led.chain.engine == "nft" else ""
    return blame(case, "dnat-wrong", led.node, facts=facts, how="taken", fix=fix, rule=led.rule.text, asked=asked, owner=owner_words(meant.name),
                 address=answer.src)


def _refusal(case: Case, answer: Hop) -> Cause | None:
    """The answer that went round who had changed the destination is a no: back by there it would be one too."""
    refused = any("RST" in run.flags and run.leg == "return" and any(case.hops[number] == answer for number in run.hops) for run in case.evidence.runs)
    end, port = next((node for node, _ in case.owners(answer.src)), None), case.port_at(answer.src)
    if not refused or end is None or port is None or any(own.protocol == "tcp" and own.port == port for own in end.listeners):
        return None
    says = seen(f"{owner_words(end.name)}, which has no socket on TCP port {port}, answered with a refusal (RST)", case.run(end.name, "ss -ltn"))
    return led_on_to_nobody(case, end, port, says)


def turning_round(case: Case, node: str, asker: str, target: str) -> str:
    """The rule by which answers come back through who changed the destination: to whom it leads, the asker is that node itself."""
    return translating(case, case.node(node), f"ip saddr {asker} ip daddr {target} masquerade")


def same_home(case: Case) -> Cause | None:
    """A published port that leads back to the very node that asks."""
    for change in case.redirects:
        own = routes.host_of(change.after)
        if case.sender.owner(own) is not None:
            fact = inferred(f"in {owner_words(change.node)} {change.before} became {change.after}", case.run(change.node, "nft list ruleset"))
            fix = turning_round(case, change.node, own, own)
            return blame(case, "no-hairpin", change.node, facts=(fact,), fix=fix, how="same", asker=owner_words(case.probe.node))
    return None


def stale(case: Case) -> Cause | None:
    """The packet went by an entry from before, and the same packet as a new flow was treated otherwise, and answered."""
    afresh = case.evidence.afresh
    if afresh is None or afresh.outcome.result != "answered":
        return None
    for flow in case.evidence.flows:
        new = next((own for own in afresh.flows if (own.node, own.asked) == (flow.node, flow.asked)), None) if flow.event == "known" else None
        differs = _difference(flow, new) if new is not None else ""
        if differs and not _possible_today(case, flow):
            answered = seen(f"the same, sent from a port that no flow had used, was answered: {afresh.outcome.text}")
            return blame(case, "stale-flow", flow.node, facts=(_entry(case, flow), answered), fix=case.run(flow.node, flow.forgetting), differs=differs)
    return None


def older(case: Case) -> Cause | None:
    """The probe was answered, and a flow that asks for the same, in use and begun before, is treated otherwise than the probe was."""
    for flow in case.evidence.older:
        new = next((own for own in case.evidence.flows if (own.node, own.asked) == (flow.node, flow.asked) and own.event != "known"), None)
        differs = _difference(flow, new) if new is not None else ""
        if new is not None and differs and not _possible_today(case, flow):
            now = seen(f"the probe, a new flow, got the entry {new.text}")
            return blame(case, "stale-flow", flow.node, facts=(_entry(case, flow), now), how="beside", fix=_forget(case, flow, new), differs=differs)
    return None


def _forget(case: Case, flow: Flow, new: Flow) -> str:
    """What has the flow treated like a new one, "" where that mends nothing: one that is answered works, and TCP cannot change its ends halfway."""
    works = flow.replied and flow.reply.src == new.reply.src
    return "" if works or flow.original.proto == TCP else case.run(flow.node, flow.forgetting)


def _entry(case: Case, flow: Flow) -> Fact:
    text = f"{of_node(flow.node)} connection table has had the entry {flow.text} since before the probe"
    return state(text, case.run(flow.node, f"conntrack -L -p {flow.text.partition(' ')[0]} -s {flow.original.src} -d {flow.original.dst}"))


def _possible_today(case: Case, flow: Flow) -> bool:
    """Whether a new flow might get the very same entry: rules may choose (a service with many servers), or be such as nobody can read here."""
    node, talk = case.node(flow.node), flow.original
    packet = anew(routes.family_of(talk.src), source=network(talk.src), destination=network(talk.dst), protocol=talk.proto)
    if talk.proto not in (ICMP, ICMP6):
        packet = packet.listing("th sport", only(talk.sport)).listing("th dport", only(talk.dport))
    own = node.owner(talk.src) is not None
    packet = packet.between(*_links(case, flow))
    ways = through(node, ("output", "postrouting"), packet) if own else translated(node, packet)
    return any(_gives(way, flow) for way in ways)


def _links(case: Case, flow: Flow) -> tuple[str, str]:
    """(the link that such a packet comes in by, the one it leaves by), as the node's rules see them; "" where the probe was not seen."""
    hops = [hop for hop in case.seen(flow.node) if hop.leg == "forward"]
    came = next((hop.link for hop in hops if hop.direction == "in"), "")
    out = next((hop.link for hop in reversed(hops) if hop.direction == "out" and hop.link != came), "")
    node = case.node(flow.node)
    return node.ip_device(came), node.ip_device(out)


def _gives(way: Way, flow: Flow) -> bool:
    """Whether a packet that goes this way may get the entry."""
    packet = way.packet
    wanted = ((packet.destination, address(flow.reply.src)), (packet.source, address(flow.reply.dst)), ("ct mark", flow.mark))
    fits = all((may := packet.possible(field)) is None or common(may, only(value)) for field, value in wanted)
    return way.end == "lost" or (way.end == "accept" and fits)


def _difference(old: Flow, new: Flow) -> str:
    """What the table does with packets of an old flow and of a new one, where it is not the same; addresses only, ports may be any."""
    if old.reply.src != new.reply.src:
        return f"it goes to {old.reply.src}, a new one to {new.reply.src}"
    if old.reply.dst != new.reply.dst:
        plain = " untranslated," if not old.source_nat else ""
        return f"it leaves {owner_words(old.node)}{plain} as {old.reply.dst}, a new one as {new.reply.dst}"
    if old.mark != new.mark:
        return f"it has the mark {old.mark:#x}, a new one {new.mark:#x}"
    return ""
