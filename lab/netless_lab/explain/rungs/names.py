"""Names: no name server, the wrong one, or no such name."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.probe import Connect, Fetch, Lookup, Ping
from ...model.snapshot import Node
from ..case import Case
from ..cause import Cause, at_gate, owner_words
from ..routes import is_address


def no_resolver(case: Case) -> Cause | None:
    """/etc/resolv.conf names nobody."""
    if case.outcome.reason != "no-resolver":
        return None
    node = case.probe.node
    known = _other_server(case)
    text = f"{owner_words(node)} knows no name server: nothing in its resolv.conf says whom to ask"
    fix = case.where.files(node, f"echo nameserver {known} > /etc/resolv.conf") if known else ""
    return Cause(
        "resolver-missing", at_gate(node, "names"), text, (Fact("resolv.conf names no name server", _look(case)),), True, fix
    )


def no_such_name(case: Case) -> Cause | None:
    """The server answered, and knows no such name."""
    outcome = case.outcome
    if outcome.reason not in ("no-such-name", "bad-answer") or not outcome.by:
        return None
    name = _name(case)
    node = case.probe.node
    fact = Fact(outcome.text, case.run(node, f"dig @{outcome.by} {name}"))
    if outcome.reason == "bad-answer":
        if not case.talks_dns and not isinstance(case.probe, Lookup):
            return None
        text = f"the name server {outcome.by} answered, but not with an address: {outcome.text}"
        return Cause("resolver-refuses", at_gate(node, "names"), text, (fact,), True)
    text = f"the name server {outcome.by} was reached, and it knows no name {name}"
    return Cause("no-such-name", at_gate(node, "names"), text, (fact,), True)


def wrong_resolver(case: Case) -> Cause | None:
    """The question went out, to an address where no name server is."""
    if not _asks(case):
        return None
    servers = case.sender.resolvers if not (isinstance(case.probe, Lookup) and case.probe.server) else (case.probe.server,)
    server = case.spot.dst if is_address(case.spot.dst) else (servers[0] if servers else "")
    original = next((own for own in servers if own == server), servers[0] if servers else server)
    if not original:
        return None
    return _loopback(case, original) or _closed(case, original) or _nowhere(case, original)


def _asks(case: Case) -> bool:
    """Whether the probe died while it looked for an address."""
    if isinstance(case.probe, Lookup):
        return True
    name = _name(case)
    return (
        bool(name)
        and not is_address(name)
        and case.outcome.answer is None
        and (case.spot.kind in ("udp", "icmp-error") or case.spot.stage == "unsent")
    )


def _loopback(case: Case, server: str) -> Cause | None:
    """127.0.0.53 and its kin: the machine's own stub, which does not exist in another namespace."""
    node = case.sender
    if not server.startswith("127.") or _listens(node, server):
        return None
    text = f"{owner_words(node.name)} asks {server}, which is itself, and no name server runs there"
    facts = (
        Fact(f"resolv.conf names {server}", _look(case)),
        Fact("nothing listens on UDP port 53", case.run(node.name, "ss -lun")),
    )
    return Cause("resolver-wrong", at_gate(node.name, "names"), text, facts, True, _fix(case))


def _closed(case: Case, server: str) -> Cause | None:
    """Somebody has the address, and no name server runs there."""
    if case.spot.stage not in ("refused", "delivered") and case.outcome.reason != "refused":
        return None
    owners = case.owners(server)
    if not owners or any(_listens(node, server) for node, _ in owners):
        return None
    node = owners[0][0]
    text = f"{owner_words(case.probe.node)} asks {server}, which is {owner_words(node.name)}, and no name server runs there"
    facts = (
        Fact(f"resolv.conf names {server}", _look(case)),
        Fact(f"nothing listens on UDP port 53 in {owner_words(node.name)}", case.run(node.name, "ss -lun")),
    )
    return Cause("resolver-wrong", at_gate(case.probe.node, "names"), text, facts, case.outcome.reason == "refused", _fix(case))


def _nowhere(case: Case, server: str) -> Cause | None:
    """Nobody has the address, and the question went as far as it could."""
    spot = case.spot
    if case.owners(server) or spot.dst not in ("", server):
        return None
    far = spot.stage == "asking" and spot.asked == server
    outside = case.node(spot.node).role == "internet"
    if not (
        far
        or outside
        or (case.outcome.reason in ("no-neighbour", "unreachable") and spot.stage == "asking" and spot.asked == server)
    ):
        return None
    text = f"{owner_words(case.probe.node)} asks {server} for names, and nobody has that address"
    facts = (Fact(f"resolv.conf names {server}", _look(case)), Fact(f"no node of this lab has the address {server}"))
    return Cause("resolver-wrong", at_gate(case.probe.node, "names"), text, facts, False, _fix(case))


def _listens(node: Node, address: str) -> bool:
    return any(
        own.protocol == "udp" and own.port == 53 and own.address in (address, "0.0.0.0", "::", "*") for own in node.listeners
    )


def _other_server(case: Case) -> str:
    """A name server of the lab."""
    for node in case.before.nodes:
        for own in node.listeners:
            if (
                own.protocol == "udp"
                and own.port == 53
                and not own.address.startswith("127.")
                and is_address(own.address)
                and own.address != "0.0.0.0"
            ):
                return own.address
    return ""


def _fix(case: Case) -> str:
    known = _other_server(case)
    return case.where.files(case.probe.node, f"echo nameserver {known} > /etc/resolv.conf") if known else ""


def _look(case: Case) -> str:
    return case.where.files(case.probe.node, "cat /etc/resolv.conf")


def _name(case: Case) -> str:
    match case.probe:
        case Lookup(name=name):
            return name
        case Ping(to=to) | Connect(to=to):
            return to
        case Fetch(url=url):
            return url.partition("://")[2].partition("/")[0].partition(":")[0]
