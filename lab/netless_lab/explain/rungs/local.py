"""The target: the packet arrived where it was for, and nothing came of it, or a clear no."""

from __future__ import annotations

from ...model.addresses import with_port
from ...model.evidence import CLOSED_PORT
from ...model.journey import Fact
from ...model.netfilter.conditions import allowed, fields_of
from ...model.netfilter.packet import common, only
from ...model.netfilter.run import FAMILIES, missed
from ...model.probe import Connect, Fetch, Lookup, Udp
from ...model.routes import LOCAL, host_of, is_loopback
from ...model.snapshot import Listener, Node
from ...primitives.base import device
from ..case import Case
from ..cause import Cause, beside, blame, counted, inferred, of_node, owner_words, said, seen, state, unheard
from ..last_seen import truly
from ..packets import entering, led_in, led_on
from ..policy import route_fact
from ..rules import base_of, rewrites, rules_at

ANYBODY = ("0.0.0.0", "::", "*")
"""What a socket for every address is listed with."""
_OVERFLOW = "TcpExtListenOverflows"


def ignores_pings(case: Case) -> Cause | None:
    """The node is there, and does not answer pings."""
    last = case.last
    if last.leg != "forward" or last.kind != "echo-request":
        return None
    four = case.family == 4
    key = "net.ipv4.icmp_echo_ignore_all" if four else "net.ipv6.icmp.echo_ignore_all"
    value = case.setting(last.node, "icmp_echo_ignore_all") if four else case.knob(last.node, key)
    if value != "1":
        return None
    facts = (state(f"{key} is 1 in {owner_words(last.node)}", case.run(last.node, f"sysctl {key}")),
             inferred(f"the ping came in by {last.link}, and no answer left"))
    return blame(case, "icmp-ignored", last.node, facts=facts, key=key)


def not_local(case: Case) -> Cause | None:
    """The node has the address, and its routing does not know it: the entry of the local table is gone."""
    last = case.last
    if not last.iif:
        return None
    found = case.route(last.node, last.dst, last.src, last.iif)
    if found.type == "local" or found.error in ("EXDEV", "EINVAL") or found not in case.evidence.routes:
        return None
    fact = route_fact(case, case.node(last.node), last.dst, last.src, last.iif)
    rules = case.policy(last.node)
    if rules and not any(rule.table == LOCAL for rule in rules):
        none = state("ip rule shows no line for the table local", case.ip(last.node, "rule"))
        fix = case.ip(last.node, "rule add priority 0 lookup local")
        return blame(case, "policy-rule", last.node, facts=(none, beside(fact)), how="local", fix=fix, dst=last.dst)
    return blame(case, "local-route-missing", last.node, facts=(beside(fact),), dst=last.dst)


def refused(case: Case) -> Cause | None:
    """The port is closed: nobody listens, or only on another address."""
    if case.outcome.reason not in ("refused", "reset") or case.looking_up:
        return None
    port, node = case.port, _refuser(case)
    if port is None or node is None or not isinstance(case.probe, Connect | Fetch | Lookup) or not _is_for(case, node):
        return None
    if (stolen := _taken(case, node, port)) is not None:
        return stolen
    asked = _asked_port(case, node, port)
    listeners = [own for own in node.listeners if own.protocol == "tcp" and own.family == case.family]
    others = [own for own in node.listeners if own.protocol == "tcp" and own.family != case.family and own.port == asked]
    both = [own for own in others if own.family == 6 and own.address in ANYBODY]
    here = [own for own in listeners if own.port == asked]
    met = any(own.address in ANYBODY or own.address == case.last.dst for own in here)
    if case.outcome.reason == "reset" and (met or both):  # somebody listens, took the connection, and ended it
        fact = inferred(f"a socket listens on port {asked}, and the connection was opened before it was reset", case.run(node.name, "ss -ltnp"))
        return blame(case, "service-reset", node.name, facts=(fact,), port=asked)
    if met or (both and case.evidence.legacy):
        return None
    if both:  # a socket of [::] takes IPv4 too unless the program said otherwise (IPV6_V6ONLY, ipv6(7)); the kernel refused IPv4
        fact = inferred(f"a socket listens on [::]:{asked} and none on 0.0.0.0:{asked}, and the connection was refused", case.run(node.name, "ss -ltne"))
        return blame(case, "service-wrong-address", node.name, facts=(fact,), how="six", port=asked, asked=case.last.dst)
    if not here and others:
        fact = said(f"a socket listens on {others[0].address}:{asked}, and the connection to {case.last.dst} was refused", case.run(node.name, "ss -ltn"))
        return blame(case, "service-wrong-address", node.name, facts=(fact,), port=asked, address=others[0].address, asked=case.last.dst)
    if not here:
        return _missed_redirect(case, node, asked) or _for_others(case, node, asked) or _unhooked(case, node, asked) or _nobody(case, node, asked, listeners)
    only = next((own for own in here if is_loopback(own.address)), here[0])
    fact = said(f"a socket listens on {with_port(only.address, asked)}, and the connection was refused", case.run(node.name, "ss -ltn"))
    return elsewhere(case, node, only, fact, asked=case.last.dst or "the address asked for")


def elsewhere(case: Case, node: Node, only: Listener, *facts: Fact, asked: str, fix: str = "") -> Cause:
    """A program has the port, on another address than the one that was asked."""
    code = "service-on-loopback" if is_loopback(only.address) and node.name != case.probe.node else "service-wrong-address"
    return blame(case, code, node.name, facts=facts, fix=fix, port=only.port, address=only.address, asked=asked)


def _is_for(case: Case, node: Node) -> bool:
    """Whether the node is the connection's end, and not a firewall on its way that answers in its place."""
    dst = case.last.dst
    ends = {dst, *(flow.reply.src for flow in case.evidence.flows if flow.destination_nat), *(host_of(change.after) for change in case.redirects)}
    return any(node.owner(end) is not None for end in ends) or _believes(case, node, dst)


def _believes(case: Case, node: Node, dst: str) -> bool:
    """Whether its routing takes packets for an address in that is none of its own (``ip route add local``)."""
    return any(answer.node == node.name and answer.dst == dst and answer.type == "local" for answer in case.evidence.routes)


def _taken(case: Case, node: Node, port: int) -> Cause | None:
    """Somebody else, who serves the port, has the address too: the packet never came to him."""
    dst = case.last.dst
    if case.redirects or any(own.port == port and own.protocol == "tcp" for own in node.listeners):
        return None
    others = [own for own, _ in case.owners(dst) if own.name != node.name and any(one.port == port and one.protocol == "tcp" for one in own.listeners)]
    place = node.owner(dst)
    if not others or (place is None and not _believes(case, node, dst)):
        return None
    serves = inferred(f"{owner_words(others[0].name)} has {dst} and listens on port {port}", case.run(others[0].name, "ss -ltn"))
    if place is None:
        reads = said(f"{of_node(node.name)} routing says for {dst}: local", case.ip(node.name, f"route get {dst}"))
        fix = case.ip(node.name, f"route del local {dst} table local")
        return blame(case, "route-wrong", node.name, facts=(reads, serves), how="local", fix=fix, dst=dst, right=owner_words(others[0].name))
    cidr = next(own.cidr for own in place.addresses if own.address == dst)
    look = case.ip(node.name, f"address show {device(place.name)}")
    holds = said(f"{place.name} of {owner_words(node.name)} holds {cidr}, and its kernel refused the connection", look)
    fix = case.ip(node.name, f"address del {cidr} dev {place.name}")
    return blame(case, "duplicate-address", node.name, place.name, facts=(holds, serves), how="taken", fix=fix, address=dst,
                 right=owner_words(others[0].name))


def _refuser(case: Case) -> Node | None:
    """The node whose kernel said no."""
    last = case.last
    return case.before.node(last.node) if last.stage == "refused" else next((node for node, _ in case.owners(last.dst)), None)


def _asked_port(case: Case, node: Node, port: int) -> int:
    """The port as it stood when the packet came in: destination NAT may have changed it."""
    for flow in case.evidence.flows:
        if flow.destination_nat and node.owner(flow.reply.src) is not None:
            return flow.reply.sport
    for change in case.redirects:
        changed = change.after.rpartition(":")[2]
        address = host_of(change.after)
        if address != change.after and changed.isdecimal() and node.owner(address) is not None:
            return int(changed)
    return port


def _missed_redirect(case: Case, node: Node, port: int) -> Cause | None:
    """There is a rule that publishes ports here, and this packet does not meet it."""
    hook, packet = entering(case, node.name)
    for at in ("prerouting", "output"):
        for base, chain, rule in rules_at(node, at, FAMILIES[case.family]):
            misses = missed(node, base, chain, rule, packet)
            if not rewrites(rule, source=False) or any("th dport" in fields_of(miss) for miss in misses):
                continue
            look = case.listing(node.name, chain)
            if (hook, at) == ("output", "prerouting"):
                fact = inferred(f"the rule stands on the hook prerouting: {rule.text}", look)
                return blame(case, "dnat-output", node.name, facts=(fact,), port=port)
            if misses:
                return blame(case, "dnat-rule", node.name, facts=(inferred(f"the rule reads: {rule.text}", look),), port=port, rule=rule.text)
    return None


def _for_others(case: Case, node: Node, port: int) -> Cause | None:
    """The rule that publishes the port is one for packets of the other family."""
    for _, chain, rule in rules_at(node, "prerouting", FAMILIES[10 - case.family][:1]):
        ports = allowed(rule, "th dport")
        if rewrites(rule, source=False) and ports is not None and common(ports, only(port)):
            other, mine = (f"IPv{number}" for number in (10 - case.family, case.family))
            met = f"{chain.family} {chain.table} {chain.name} is met by packets of {other} only: {rule.text}"
            return blame(case, "dnat-rule", node.name, facts=(inferred(met, case.listing(node.name, chain)),), how="family", port=port, rule=rule.text,
                         other=other, mine=mine)
    return None


def _unhooked(case: Case, node: Node, port: int) -> Cause | None:
    """The rule that publishes the port stands in a chain that no packet comes to."""
    for chain in node.chains:
        for rule in chain.rules if base_of(node, chain) is None else ():
            ports = allowed(rule, "th dport")
            if rewrites(rule, source=False) and ports is not None and common(ports, only(port)):
                reads = inferred(f"chain {chain.name} is on no hook, and no rule leads to it: {rule.text}", case.listing(node.name, chain))
                where = f"{chain.family} {chain.table} {chain.name}"
                return blame(case, "dnat-rule", node.name, facts=(reads,), how="unhooked", port=port, rule=rule.text, chain=where)
    return None


def led_on_to_nobody(case: Case, node: Node, port: int, fact: Fact, others: str = "") -> Cause | None:
    """A rule elsewhere sends what is for another on to ``node``, where nobody has the port."""
    led = led_on(case, node.name)
    if led is None:
        return None
    reads = inferred(f"the rule reads: {led.rule.text}", case.listing(led.node, led.chain))
    return blame(case, "no-listener", node.name, facts=(fact, reads), how="on", port=port, others=others, ruler=of_node(led.node), rule=led.rule.text,
                 asked=led.asked, address=led.address)


def _nobody(case: Case, node: Node, port: int, listeners: list[Listener]) -> Cause:
    known = ", ".join(str(own) for own in sorted({own.port for own in listeners}))
    fact = said(f"{owner_words(node.name)} has no socket on TCP port {port}, and its kernel refused the connection", case.run(node.name, "ss -ltn"))
    others, led = f" (it listens on {known})" if known else "", led_in(case, node.name)
    if led is None:
        return (led_on_to_nobody(case, node, port, fact, others)
                or blame(case, "no-listener", node.name, facts=(fact,), port=port, others=others))
    reads = inferred(f"the rule reads: {led[1].text}", case.listing(node.name, led[0]))
    return blame(case, "no-listener", node.name, facts=(fact, reads), how="led", port=port, others=others, rule=led[1].text, asked=case.last.dst)


def from_elsewhere(case: Case) -> Cause | None:
    """A datagram's answer came from another address than the one that was asked: who asked takes it from nobody else (udp(7), connect(2))."""
    last, first = case.last, next((hop for hop in case.hops if hop.leg == "forward" and hop.kind == "udp"), None)
    if last.kind != "udp" or last.leg != "return" or first is None or last.src in ("", first.dst) or case.redirects or last.hop is None:
        return None
    owner = next((node for node, _ in case.owners(last.src)), None)
    if owner is None or owner.owner(first.dst) is None:
        return None
    answered = seen(f"the answer came home from {last.src}", case.run(case.probe.node, "tcpdump -n udp"))
    asked, asker = first.dst, owner_words(case.probe.node)
    return blame(case, "answer-from-another", owner.name, facts=(answered,), port=case.port, address=last.src, asked=asked, asker=asker)


def full(case: Case) -> Cause | None:
    """Nobody takes the connections that wait for the program: their queue is full, and the kernel drops who comes next (listen(2))."""
    last, port = case.last, case.port
    if last.kind != "tcp" or last.leg != "forward" or port is None or not case.evidence.count(last.node, _OVERFLOW):
        return None
    asked = _asked_port(case, case.node(last.node), port)
    rose = f"{owner_words(last.node)} counted a connection that found no room in the queue of its listener ({_OVERFLOW})"
    fact = counted(rose, case.run(last.node, f"nstat -az {_OVERFLOW}"))
    shown = inferred("Recv-Q against Send-Q of the listener is how many wait, and how many may", case.run(last.node, f"ss -ltn sport = :{asked}"))
    return blame(case, "backlog-full", last.node, facts=(fact, shown), port=asked)


def closed(case: Case) -> Cause | None:
    """The datagram came to a port that no program has, and the word about it did not come home, or was never said."""
    port = case.port
    if not (isinstance(case.probe, Udp) or case.talks_dns) or port is None or case.outcome.reason != "silence":
        return None
    met = {hop.node for hop in case.hops if hop.leg == "forward" and hop.direction == "in" and case.node(hop.node).owner(truly(case.evidence, hop)[1])}
    counter = CLOSED_PORT[case.family]
    node = next((own for own in case.before.nodes if own.name in met and case.evidence.count(own.name, counter)), None)
    if node is None:
        return None
    asked = _asked_port(case, node, port)
    bound = next((own for own in _at_udp(case, node) if own.port == asked), None)
    rose = f"{owner_words(node.name)} counted a datagram for a port that nobody has ({counter})"
    if bound is not None and bound.address not in ANYBODY:
        listens = counted(f"a socket listens on {with_port(bound.address, asked)} only, and {rose}", case.run(node.name, "ss -lun"))
        return elsewhere(case, node, bound, listens, asked=case.last.dst)
    known = ", ".join(str(port) for port in sorted({own.port for own in _at_udp(case, node)}))
    told = [error for error in case.evidence.errors if error.made_by == node.name]
    fate, held = unheard(case, told) if told else _unsaid(case, node)
    others = f" (it listens on {known})" if known else ""
    count = counted(rose, case.run(node.name, f"nstat -az {counter}"))
    if (led := led_on_to_nobody(case, node, asked, count, others)) is not None:
        return led
    facts = (count, *held)
    return blame(case, "no-listener", node.name, facts=facts, how="udp", port=asked, others=others, fate=fate)


def _unsaid(case: Case, node: Node) -> tuple[str, tuple[Fact, ...]]:
    """Why a node did not say that nobody listens: what it may say is limited, and its rules may be against it."""
    key, counter = ("net.ipv4.icmp_ratelimit", "IcmpOutRateLimitHost") if case.family == 4 else ("net.ipv6.icmp.ratelimit", "Icmp6OutRateLimitHost")
    if not case.evidence.count(node.name, counter):
        return f"it was not seen to say so: a rule of its own may be against it, or the limit for ICMP errors ({key})", ()
    rose = counted(f"{owner_words(node.name)} counted an ICMP message that it did not send ({counter})", case.run(node.name, f"nstat -az {counter}"))
    return f"it did not say so: ICMP errors are limited ({key})", (rose,)


def _at_udp(case: Case, node: Node) -> list[Listener]:
    return [own for own in node.listeners if own.protocol == "udp" and (own.family == case.family or own.address in ANYBODY)]


def keeps_silent(case: Case) -> Cause | None:
    """The connection stands, the request arrived, and the program says nothing."""
    last = case.last
    if (isinstance(case.probe, Udp) or case.talks_dns) and case.port is not None and last.leg == "forward" and last.kind == "udp":
        asked = _asked_port(case, case.node(last.node), case.port)
        own = next((own for own in _at_udp(case, case.node(last.node)) if own.port == asked and own.address in (*ANYBODY, last.dst)), None)
        if own is None:
            return None
        fact = inferred(f"a socket listens on {own.address}:{asked}, and no answer left", case.run(last.node, "ss -lun"))
        return blame(case, "service-silent", last.node, facts=(fact,), how="udp", port=asked)
    if not isinstance(case.probe, Fetch) or last.leg != "forward" or case.outcome.reason != "silence":
        return None
    runs = [run for run in case.evidence.runs if run.kind == "tcp"]
    open_ = any(run.flags == "SYN,ACK" and run.arrived for run in runs)
    asked = any(run.leg == "forward" and run.size > 0 and run.arrived for run in runs)
    if not open_ or not asked or any(run.leg == "return" and run.size > 0 for run in runs):
        return None
    fact = inferred("SYN, SYN-ACK and the request all arrived; no answer left", case.run(last.node, "ss -tn"))
    return blame(case, "service-silent", last.node, facts=(fact,))
