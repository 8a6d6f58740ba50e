"""Names: no name server, the wrong one, or no such name."""

from __future__ import annotations

from ...model import dns
from ...model.addresses import is_address, with_port
from ...model.journey import Fact
from ...model.probe import Lookup
from ...model.routes import is_loopback
from ...model.snapshot import Listener, Node
from ...primitives.base import word
from ..case import Case
from ..cause import Cause, blame, inferred, owner_words, said, seen, state
from ..packets import led_in, led_on
from .local import ANYBODY, elsewhere, led_on_to_nobody


def no_resolver(case: Case) -> Cause | None:
    """/etc/resolv.conf names nobody, or by a name."""
    if case.outcome.reason != "no-resolver":
        return None
    named = ", ".join(case.sender.resolvers)
    if named:
        told = said(case.outcome.text, _look(case))
        return blame(case, "resolver-wrong", case.probe.node, facts=(told,), how="name", fix=_fix(case), server=named)
    fact = said("resolv.conf names no name server", _look(case))
    return blame(case, "resolver-missing", case.probe.node, facts=(fact,), fix=_fix(case))


def no_such_name(case: Case) -> Cause | None:
    """The server answered, and knows no such name."""
    outcome = case.outcome
    if outcome.reason not in ("no-such-name", "bad-answer") or not outcome.by:
        return None
    name, node = case.name, case.probe.node
    fact = said(outcome.text, case.run(node, f"dig @{word(outcome.by)} {word(name)}"))
    if outcome.reason == "bad-answer":
        if not case.talks_dns and not isinstance(case.probe, Lookup):
            return None
        return blame(case, "resolver-refuses", node, facts=(fact,), server=outcome.by, said=outcome.text)
    return blame(case, "no-such-name", node, facts=(fact,), server=outcome.by, name=name)


def wrong_hosts(case: Case) -> Cause | None:
    """The sender's own /etc/hosts has the name, and leads to where nobody is, or to another address than the one that its service listens on."""
    address = _by_hosts(case)
    if not address:
        return None
    node, name, last = case.probe.node, case.name, case.last
    reads = inferred(f"no name server was asked, so the /etc/hosts of {owner_words(node)} says that {name} is {address}",
                     case.where.files(node, f"grep -wF {word(name)} /etc/hosts"))
    owner = next((own for own, _ in case.owners(address)), None)
    if owner is None:
        nobody = (last.stage == "asking" and last.asked == address) or (last.stage == "routing" and case.node(last.node).role == "internet")
        return blame(case, "hosts-wrong", node, facts=(reads, inferred(f"no node of this lab has the address {address}")), how="nobody", name=name,
                     address=address) if nobody and last.dst == address and last.leg == "forward" else None
    there = [own for own in owner.listeners if own.protocol == "tcp" and own.port == case.port and own.family == case.family]
    if case.outcome.reason != "refused" or case.redirects or not there or any(own.address in (address, *ANYBODY) or is_loopback(own.address) for own in there):
        return None
    known = there[0].address
    refuses = inferred(f"a socket listens on {with_port(known, there[0].port)}, and the connection to {address} was refused", case.run(owner.name, "ss -ltn"))
    return blame(case, "hosts-wrong", node, facts=(reads, refuses), name=name, address=address, port=there[0].port, owner=owner_words(owner.name), known=known)


def _by_hosts(case: Case) -> str:
    """The address of the name that was asked for where no name server told it: hosts(5) is read first. "" for none."""
    found, servers = case.outcome.answer or "", case.sender.resolvers
    asked = any(hop.kind == "udp" and (hop.src in servers or hop.dst in servers) for hop in case.hops)
    return "" if case.looking_up or asked or is_address(case.name) or not is_address(found) else found


def wrong_resolver(case: Case) -> Cause | None:
    """The question went out, to an address where no name server is."""
    if not _asks(case):
        return None
    servers = case.sender.resolvers if not (isinstance(case.probe, Lookup) and case.probe.server) else (case.probe.server,)
    server = case.last.dst if is_address(case.last.dst) else (servers[0] if servers else "")
    original = next((own for own in servers if own == server), servers[0] if servers else server)
    if not original:
        return None
    return _loopback(case, original) or _led_in(case, original) or _closed(case, original) or _nowhere(case, original)


def late(case: Case) -> Cause | None:
    """The name was found, by a server that is asked only after another has kept silent: so every program waits, each time."""
    probe, node = case.probe, case.sender
    servers = node.resolvers
    if is_address(case.name) or (isinstance(probe, Lookup) and probe.server) or case.evidence.errors:
        return None
    heard = {hop.src for hop in case.evidence.journey.hops if hop.kind == "udp" and hop.leg == "return"}
    told = case.outcome.by if isinstance(probe, Lookup) else next((own for own in servers if own in heard), None)
    before = servers[: servers.index(told)] if told in servers else ()
    silent = next((own for own in before if is_address(own) and not case.route(node.name, own).error), None)
    if silent is None or told is None or silent in heard:
        return None
    facts = (inferred(f"resolv.conf names {silent} before {told}", _look(case)),
             seen(f"{silent} did not answer, and {told} did", case.run(node.name, f"dig +tries=1 +time=1 @{silent} {word(case.name)}")))
    fix = case.where.files(node.name, f'echo "$(grep -v "^nameserver *{silent}$" /etc/resolv.conf)" > /etc/resolv.conf')
    return blame(case, "resolver-wrong", node.name, facts=facts, how="late", fix=fix, server=silent, other=told)


def _asks(case: Case) -> bool:
    """Whether the probe died while it looked for an address."""
    if isinstance(case.probe, Lookup):
        return True
    name = case.name
    unanswered = bool(name) and not is_address(name) and case.outcome.answer is None
    return unanswered and (case.last.kind in ("udp", "icmp-error") or case.last.stage == "unsent")


def _loopback(case: Case, server: str) -> Cause | None:
    """127.0.0.53 and its kin: the machine's own stub, which does not exist in another namespace."""
    node = case.sender
    if not (server.startswith("127.") or server == "::1") or _listens(node, server):
        return None
    if (other := _bound(node, dns.PORT)) is not None:
        return elsewhere(case, node, other, _named(case, server), state(*_on(case, node, other)), asked=server, fix=_fix(case))
    facts = (_named(case, server), state("nothing listens on UDP port 53", case.run(node.name, "ss -lun")))
    return blame(case, "resolver-wrong", node.name, facts=facts, how="itself", fix=_fix(case), server=server)


def _led_in(case: Case, server: str) -> Cause | None:
    """A rule of a node on the way takes the question for its own, and no name server runs there."""
    if case.outcome.reason != "refused":
        return None
    for flow in case.evidence.flows:
        led = led_in(case, flow.node) if flow.destination_nat and flow.original.dst == server else None
        if led is not None:
            chain, rule = led
            reads = inferred(f"the rule reads: {rule.text}", case.listing(flow.node, chain))
            node = case.node(flow.node)
            if (other := _bound(node, flow.reply.sport)) is not None:
                return elsewhere(case, node, other, said(*_on(case, node, other)), reads, asked=flow.reply.src)
            closed = said(f"nothing listens on UDP port {flow.reply.sport} in {owner_words(flow.node)}", case.run(flow.node, "ss -lun"))
            return blame(case, "no-listener", flow.node, facts=(closed, reads), how="led", port=flow.reply.sport, others="",
                         rule=rule.text, asked=server)
    return _led_on(case, server)


def _led_on(case: Case, server: str) -> Cause | None:
    """A rule of a node on the way sends the question on to somebody else, who has no name server there."""
    for end in case.before.nodes:
        led = led_on(case, end.name)
        port = case.port_at(led.address) if led is not None and led.asked == server else None
        if led is not None and port is not None and not any(
            own.protocol == "udp" and own.port == port and own.address in (led.address, *ANYBODY) for own in end.listeners
        ):
            closed = said(f"nothing listens on UDP port {port} of {led.address} in {owner_words(end.name)}", case.run(end.name, "ss -lun"))
            return led_on_to_nobody(case, end, port, closed)
    return None


def _closed(case: Case, server: str) -> Cause | None:
    """Somebody has the address, and no name server runs there."""
    if case.last.stage not in ("refused", "delivered") and case.outcome.reason != "refused":
        return None
    owners = case.owners(server)
    if not owners or any(_listens(node, server) for node, _ in owners):
        return None
    node, owner = owners[0].node, owner_words(owners[0].node.name)
    proof = said if case.outcome.reason == "refused" else inferred
    if (other := _bound(node, dns.PORT)) is not None:
        return elsewhere(case, node, other, _named(case, server), proof(*_on(case, node, other)), asked=server, fix=_fix(case))
    closed = proof(f"nothing listens on UDP port 53 in {owner}", case.run(node.name, "ss -lun"))
    return blame(case, "resolver-wrong", case.probe.node, facts=(_named(case, server), closed), how="closed", fix=_fix(case),
                 server=server, owner=owner)


def _nowhere(case: Case, server: str) -> Cause | None:
    """Nobody has the address, and the question went as far as it could."""
    last = case.last
    if case.owners(server) or last.dst not in ("", server):
        return None
    if not (last.stage == "asking" and last.asked == server) and case.node(last.node).role != "internet":
        return None
    facts = (_named(case, server), inferred(f"no node of this lab has the address {server}"))
    return blame(case, "resolver-wrong", case.probe.node, facts=facts, fix=_fix(case), server=server)


def _named(case: Case, server: str) -> Fact:
    return inferred(f"resolv.conf names {server}", _look(case))


def _listens(node: Node, address: str) -> bool:
    return any(own.protocol == "udp" and own.port == 53 and own.address in (address, *ANYBODY) for own in node.listeners)


def _bound(node: Node, port: int) -> Listener | None:
    """A program that has the port, where none listens on the address that was asked."""
    return next((own for own in node.listeners if own.protocol == "udp" and own.port == port), None)


def _on(case: Case, node: Node, other: Listener) -> tuple[str, str]:
    return f"a socket of {owner_words(node.name)} listens on {with_port(other.address, other.port)} only", case.run(node.name, "ss -lun")


def _other_server(case: Case) -> str:
    """A name server of the lab."""
    known = (own.address for node in case.before.nodes for own in node.listeners if own.protocol == "udp" and own.port == 53)
    return next((own for own in known if is_address(own) and own not in ("0.0.0.0", "::", "::1") and not own.startswith("127.")), "")


def _fix(case: Case) -> str:
    known = _other_server(case)
    return case.where.files(case.probe.node, f"echo nameserver {known} > /etc/resolv.conf") if known else ""


def _look(case: Case) -> str:
    return case.where.files(case.probe.node, "cat /etc/resolv.conf")
