"""The target: the packet arrived where it was for, and nothing came of it, or a clear no."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.probe import Connect, Fetch, Lookup
from ...model.snapshot import Listener, Node
from .. import routes
from ..case import Case
from ..cause import Cause, at_gate, owner_words
from ..near import estranged
from .sender import no_route, special_route

_ANY = ("0.0.0.0", "::", "*")


def ignores_pings(case: Case) -> Cause | None:
    """icmp_echo_ignore_all: it is there, and does not answer pings."""
    spot = case.spot
    if spot.stage != "delivered" or spot.leg != "forward" or spot.kind != "echo-request":
        return None
    key = "icmp_echo_ignore_all"
    if case.setting(spot.node, key) != "1":
        return None
    text = f"{owner_words(spot.node)} received the ping and does not answer any: net.ipv4.{key} is 1"
    facts = (Fact(f"net.ipv4.{key} is 1 in {owner_words(spot.node)}", case.run(spot.node, f"sysctl net.ipv4.{key}")),
             Fact(f"the ping came in by {spot.link}, and no answer left"))  # fmt: skip
    return Cause("icmp-ignored", spot.node, text, facts, not case.blind, case.run(spot.node, f"sysctl -w net.ipv4.{key}=0"))


def not_local(case: Case) -> Cause | None:
    """The node has the address, and its routing does not know it: the entry of the local table is gone."""
    spot = case.spot
    if spot.stage not in ("delivered", "home") or not spot.iif:
        return None
    found = case.route(spot.node, spot.dst, spot.src, spot.iif)
    if found.type == "local" or found.error in ("EXDEV", "EINVAL") or not any(given == found for given in case.evidence.routes):
        return None
    text = f"{owner_words(spot.node)} holds {spot.dst}, and its routing does not take packets for it in: the local table has lost the entry"
    facts = (
        Fact(
            f"routing says for {spot.dst}: {found.words or found.type or found.error}",
            case.ip(spot.node, f"route get {spot.dst} from {spot.src} iif {spot.iif}"),
        ),
    )
    return Cause("local-route-missing", at_gate(spot.node, "routing"), text, facts)


def no_way_back(case: Case) -> Cause | None:
    """The target has no route for its answer."""
    spot = case.spot
    if spot.stage != "delivered" or spot.leg != "forward" or not spot.src:
        return None
    back = case.route(spot.node, spot.src)
    if not back.error:
        return None
    special = special_route(case, spot.node, spot.src, None, None, certain=True)
    if special is not None:
        return special
    astray = estranged(case, spot.node, spot.src, None)
    if astray is not None:
        return astray
    plain = no_route(case, spot.node, spot.src, certain=not case.blind, leg="return")
    text = f"the packet arrived, but {owner_words(spot.node)} knows no way back to {spot.src}"
    return Cause("no-route-back", at_gate(spot.node, "routing"), text, plain.facts, plain.certain, plain.fix)


def refused(case: Case) -> Cause | None:
    """The port is closed: nobody listens, or only on another address."""
    if case.outcome.reason not in ("refused", "reset") or case.talks_dns:
        return None
    port = case.port
    node = _refuser(case)
    if port is None or node is None or not isinstance(case.probe, Connect | Fetch | Lookup):
        return None
    asked = _asked_port(case, node, port)
    listeners = [own for own in node.listeners if own.protocol == "tcp" and own.family == 4]
    six = [
        own for own in node.listeners if own.protocol == "tcp" and own.family == 6 and own.address in _ANY and own.port == asked
    ]
    here = [own for own in listeners if own.port == asked]
    look = case.run(node.name, "ss -ltn")
    place = at_gate(node.name, "service")
    if any(own.address in _ANY or own.address == case.spot.dst for own in here) or six:
        return _broken_off(case, node, asked) if case.outcome.reason == "reset" else None
    inside = next((own for own in here if own.address.startswith("127.")), None)
    if inside is not None:
        text = f"the service on port {asked} of {owner_words(node.name)} listens on {inside.address} only: nobody outside {owner_words(node.name)} can reach it"
        return Cause("service-on-loopback", place, text, (Fact(f"a socket listens on {inside.address}:{asked}", look),), True)
    if here:
        text = f"the service on port {asked} of {owner_words(node.name)} listens on {here[0].address} only, not on {case.spot.dst or 'the address asked for'}"
        return Cause("service-wrong-address", place, text, (Fact(f"a socket listens on {here[0].address}:{asked}", look),), True)
    return _missed_redirect(case, node, asked) or _nobody(case, node, asked, listeners)


def _broken_off(case: Case, node: Node, port: int) -> Cause:
    """Somebody listens, took the connection, and ended it."""
    text = f"the program on port {port} of {owner_words(node.name)} took the connection and broke it off: the network is not to blame"
    fact = Fact(
        f"a socket listens on port {port}, and the connection was opened before it was reset", case.run(node.name, "ss -ltnp")
    )
    return Cause("service-reset", at_gate(node.name, "service"), text, (fact,))


def _refuser(case: Case) -> Node | None:
    """The node whose kernel said no."""
    spot = case.spot
    if spot.stage == "refused":
        return case.before.node(spot.node)
    owners = case.owners(spot.dst) if spot.dst else ()
    return owners[0][0] if owners else None


def _asked_port(case: Case, node: Node, port: int) -> int:
    """The port as it stood when the packet came in: destination NAT may have changed it."""
    for flow in case.evidence.flows:
        if flow.destination_nat and node.owner(flow.reply.src) is not None:
            return flow.reply.sport
    for change in case.redirects:
        address, _, changed = change.after.rpartition(":")
        if changed.isdecimal() and node.owner(address) is not None:
            return int(changed)
    return port


def _missed_redirect(case: Case, node: Node, port: int) -> Cause | None:
    """There is a rule that publishes ports here, and this packet does not meet it."""
    for chain in node.chains:
        for rule in chain.rules:
            if not rule.verdict.startswith(("dnat", "redirect")):
                continue
            ports = [wanted for key, _, wanted in rule.matches if key in ("tcp dport", "th dport")]
            look = case.run(node.name, f"nft -a list chain {chain.family} {chain.table} {chain.name}")
            if ports and str(port) not in ports[0].split(","):
                continue
            if node.name == case.probe.node and chain.hook == "prerouting":
                text = f"{of(node)} port {port} is published in prerouting, which packets that {owner_words(node.name)} sends itself never pass"
                return Cause(
                    "dnat-output",
                    at_gate(node.name, "NAT"),
                    text,
                    (Fact(f"the rule stands on the hook prerouting: {rule.text}", look),),
                )
            text = f"{of(node)} rule for port {port} does not match this packet: {rule.text}"
            return Cause("dnat-rule", at_gate(node.name, "NAT"), text, (Fact(f"the rule reads: {rule.text}", look),))
    return None


def of(node: Node) -> str:
    """``the host's``"""
    return f"{owner_words(node.name)}'s"


def _nobody(case: Case, node: Node, port: int, listeners: list[Listener]) -> Cause:
    others = ", ".join(sorted({str(own.port) for own in listeners}, key=int))
    text = f"the packet arrived at {owner_words(node.name)}, where nothing listens on port {port}" + (
        f" (it listens on {others})" if others else ""
    )
    fact = Fact(f"{owner_words(node.name)} has no socket on TCP port {port}", case.run(node.name, "ss -ltn"))
    return Cause("no-listener", at_gate(node.name, "service"), text, (fact,), True)


def keeps_silent(case: Case) -> Cause | None:
    """The connection stands, the request arrived, and the program says nothing."""
    spot = case.spot
    if (
        not isinstance(case.probe, Fetch)
        or spot.stage != "delivered"
        or spot.leg != "forward"
        or case.outcome.reason != "silence"
    ):
        return None
    runs = [run for run in case.evidence.runs if run.kind == "tcp"]
    open_ = any(run.flags == "SYN,ACK" and run.arrived for run in runs)
    asked = any(run.leg == "forward" and run.size > 0 and run.arrived for run in runs)
    if not open_ or not asked or any(run.leg == "return" and run.size > 0 for run in runs):
        return None
    text = f"{owner_words(spot.node)} took the connection and the request, and the program that listens there has not answered"
    facts = (Fact("SYN, SYN-ACK and the request all arrived; no answer left", case.run(spot.node, "ss -tn")),)
    return Cause("service-silent", at_gate(spot.node, "service"), text, facts)


def told_unreachable(case: Case) -> Cause | None:
    """An ICMP error came home; what its sender's routing says is the cause."""
    by = case.outcome.by
    if by is None or case.outcome.reason not in ("unreachable", "filtered"):
        return None
    made_by = next((error.made_by for error in case.evidence.errors), "") or next((node.name for node, _ in case.owners(by)), "")
    dst = case.spot.dst
    if not made_by or made_by == case.probe.node or not routes.is_address(dst):
        return None
    special = special_route(case, made_by, dst, None, None, certain=True)
    if special is not None:
        return special
    if not case.route(made_by, dst).error:
        return None
    return estranged(case, made_by, dst, None) or no_route(case, made_by, dst, certain=True)
