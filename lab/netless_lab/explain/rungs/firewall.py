"""Firewalls: who dropped or rejected the packet, by the kernel's trace, by a counter that rose, or by reading the rules."""

from __future__ import annotations

from typing import Final, NamedTuple

from ...model.evidence import TraceStep
from ...model.journey import Fact
from ...model.probe import Ping
from ...model.snapshot import Chain, Rule
from ..case import Case
from ..cause import Cause, at_gate, of_node, owner_words
from ..hooks import passed
from ..ruleset import IP_FAMILIES, blocked, reached

_BY_FAMILY: Final = {"bridge": "nft-bridge", "netdev": "nft-netdev", "arp": "nft-arp"}
_BY_HOOK: Final = {
    "input": "input-drop",
    "output": "output-drop",
    "prerouting": "prerouting-drop",
    "postrouting": "postrouting-drop",
}


_ERRORS: Final = frozenset({"destination-unreachable", "time-exceeded", "parameter-problem", "packet-too-big"})
"""ICMP and ICMPv6 types, as nft names them, that report what became of another packet (RFC 792, RFC 4443 section 2.1)."""


class Block(NamedTuple):
    """Where the packet ended: ``base`` is the chain on the hook, ``chain`` the one that decided, ``rule`` None for its policy."""

    node: str
    base: Chain
    chain: Chain
    rule: Rule | None
    returning: bool
    bridged: bool = False


def traced(case: Case) -> Cause | None:
    """The packet was sent once more with tracing on, and nftables itself told where it dropped it."""
    step = case.traced_drop
    if step is None:
        return None
    block = _of_step(case, step)
    if block is None:
        return None
    how = f"rule {step.text or 'handle ' + str(step.handle)}" if step.kind == "rule" else "the policy of the chain"
    told = (
        f"sent once more with tracing on, the packet was dropped in {_chain_words(block)} of {owner_words(step.node)}, by {how}"
    )
    return _cause(case, block, (Fact(told, _list(case, block)),), certain=True)


def counted(case: Case) -> Cause | None:
    """A rule that drops has counted a packet just now, in the node where this one was lost."""
    near = {case.spot.node, case.probe.node}
    for hit in case.evidence.rules:
        if hit.node not in near or not hit.verdict.startswith(("drop", "reject")):
            continue
        found = _find(case, hit.node, hit.family, hit.table, hit.chain, hit.handle)
        if found is None:
            continue
        base, chain, rule = found
        if rule is not None and _about_losses(rule) and not _asks_for_errors(case):
            continue
        block = Block(hit.node, base, chain, rule, case.spot.leg == "return", case.spot.stage == "bridging")
        told = f"the rule's counter rose by {hit.packets} while the probe was on its way: {hit.text}"
        return _cause(case, block, (Fact(told, _list(case, block)),), certain=hit.family not in IP_FAMILIES or _fits(case, block))
    return None


def _about_losses(rule: Rule) -> bool:
    """Whether the rule only takes ICMP errors: those are made after a packet was lost, and are not what was lost."""
    wanted = next((value for key, operator, value in rule.matches if key in ("icmp type", "icmpv6 type") and operator in ("==", "in")), "")
    return bool(wanted) and {kind.strip() for kind in wanted.split(",")} <= _ERRORS


def _asks_for_errors(case: Case) -> bool:
    """Whether the probe lives on an error: a ping that may pass only so many routers."""
    return isinstance(case.probe, Ping) and case.probe.ttl is not None


def read(case: Case) -> Cause | None:
    """Without a trace: the rules themselves say that they drop such a packet, at a hook it had to pass next."""
    if (
        case.evidence.trace is not None
        and case.spot.node in case.evidence.trace.nodes
        and case.spot.stage not in ("asking", "bridging")
    ):
        return None
    for check in passed(case):
        found = blocked(case.node(check.node), check.families, check.hook, check.packet, check.device)
        if found is None or not found.sure:
            continue
        block = Block(check.node, found.base, found.chain, found.rule, check.returning, check.bridged)
        what = (
            f"its rule {found.rule.text}" if found.rule is not None else f"its policy {found.base.policy}, as no rule accepts it"
        )
        told = f"{_chain_words(block)} of {owner_words(check.node)} stops such a packet by {what}"
        return _cause(case, block, (Fact(told, _list(case, block)),), certain=False)
    return None


def legacy(case: Case) -> Cause | None:
    """A rule of the old iptables counted the packet when it was sent once more."""
    hits = sorted(case.evidence.legacy or (), key=lambda hit: (hit.node != case.spot.node, hit.node != case.probe.node))
    for hit in hits:
        what = f"rule {hit.number} ({hit.target})" if hit.number else f"the policy {hit.target}"
        place = owner_words(hit.node)
        text = f"the old iptables of {place}, which nft does not show, stops the packet: table {hit.table}, chain {hit.chain}, {what}"
        look = case.run(hit.node, f"iptables-legacy -t {hit.table} -L {hit.chain} -n -v --line-numbers")
        facts = (Fact(f"sent once more, the packet was counted by {what} of chain {hit.chain} in {place}", look),)
        delete = f"-D {hit.chain} {hit.number}" if hit.number else f"-P {hit.chain} ACCEPT"
        fix = case.run(hit.node, f"iptables-legacy -t {hit.table} {delete}")
        return Cause("legacy-iptables", at_gate(hit.node, "fw"), text, facts, hit.node == case.spot.node, fix)
    return None


def _of_step(case: Case, step: TraceStep) -> Block | None:
    found = _find(case, step.node, step.family, step.table, step.chain, step.handle if step.kind == "rule" else None)
    if found is None:
        return None
    base, chain, rule = found
    returning = case.spot.leg == "return"
    if step.talk is not None:
        own = {address.address for link in case.sender.links for address in link.addresses}
        returning = step.talk.dst in own and step.talk.src not in own
    iif = case.link(step.node, step.iif) if step.iif else None
    bridged = iif is not None and (bool(iif.master and iif.port) or (iif.kind == "bridge" and step.iif == step.oif))
    return Block(step.node, base, chain, rule, returning, bridged)


def _find(
    case: Case, node: str, family: str, table: str, name: str, handle: int | None
) -> tuple[Chain, Chain, Rule | None] | None:
    """(the chain on the hook, the chain itself, the rule)."""
    own = [chain for chain in case.node(node).chains if (chain.family, chain.table) == (family, table)]
    chain = next((chain for chain in own if chain.name == name), None)
    if chain is None:
        return None
    rule = next((rule for rule in chain.rules if rule.handle == handle), None) if handle is not None else None
    if chain.hook is not None:
        return chain, chain, rule
    bases = [
        base
        for base in own
        if base.hook is not None and rule is not None and any(rule is one for one in reached(case.node(node), base))
    ]
    return (bases[0], chain, rule) if bases else None


def _fits(case: Case, block: Block) -> bool:
    """Whether the hook is one that the packet had to pass where it was lost."""
    return any((check.node, check.hook) == (block.node, block.base.hook) for check in passed(case))


def _cause(case: Case, block: Block, facts: tuple[Fact, ...], *, certain: bool) -> Cause:
    code = _code(case, block)
    return Cause(
        code, at_gate(block.node, "fw"), _text(code, block), (*facts, *_more(case, code, block)), certain, _fix(case, code, block)
    )


def _code(case: Case, block: Block) -> str:
    if block.base.family in _BY_FAMILY:
        return _BY_FAMILY[block.base.family]
    hook, rule = block.base.hook or "", block.rule
    if hook in ("ingress", "egress"):
        return "nft-netdev"
    if hook == "forward" and block.bridged:
        return "bridge-netfilter"
    if rule is not None and rule.verdict.startswith("reject"):
        return "firewall-reject"
    if hook != "forward":
        return _BY_HOOK.get(hook, "forward-rule")
    general = rule is None or not rule.matches
    if block.returning and general:
        return "answers-not-accepted"
    if general and _redirected(case, block.node):
        return "dnat-not-accepted"
    return "forward-policy" if rule is None else "forward-rule"


def _redirected(case: Case, node: str) -> bool:
    """Whether this node gives the packet another destination (a published port)."""
    if any(flow.node == node and flow.destination_nat for flow in case.evidence.flows):
        return True
    if any(change.node == node for change in case.redirects):
        return True
    trace = case.evidence.trace
    return trace is not None and any(step.node == node and step.text and " dnat " in f" {step.text} " for step in trace.steps)


def _chain_words(block: Block) -> str:
    inner = f" (chain {block.chain.name})" if block.chain is not block.base else ""
    return f"table {block.base.family} {block.base.table}, chain {block.base.name}{inner}"


def _text(code: str, block: Block) -> str:
    whose = of_node(block.node)
    by = f"by the rule {block.rule.text}" if block.rule is not None else "by the chain's policy, for no rule accepted it"
    match code:
        case "nft-bridge":
            return f"{whose} bridge firewall ({_chain_words(block)}) drops the frame {by}"
        case "nft-netdev":
            return f"a firewall on the interface itself ({_chain_words(block)}, device {block.base.device}) drops the frame {by}"
        case "nft-arp":
            return f"{whose} ARP firewall ({_chain_words(block)}) drops the question or the answer {by}, so the neighbour is never found"
        case "bridge-netfilter":
            return f"{whose} forward chain drops frames that only cross the bridge ({by}): bridge-nf-call-iptables=1 sends them there"
        case "firewall-reject":
            return f"{whose} firewall ({_chain_words(block)}) rejects the packet {by}"
        case "answers-not-accepted":
            return f"{whose} firewall lets the request through and drops the answer: its forward chain does not accept what belongs to known connections"
        case "dnat-not-accepted":
            return f"{whose} NAT sends the packet on to another address, but its forward chain drops it {by}: the published port is not let in"
        case _:
            return f"{whose} firewall drops the packet in its {block.base.hook} chain ({_chain_words(block)}) {by}"


def _more(case: Case, code: str, block: Block) -> tuple[Fact, ...]:
    if code != "bridge-netfilter":
        return ()
    key = "net.bridge.bridge-nf-call-iptables"
    return (
        Fact(
            f"{key} is {case.setting(block.node, 'bridge-nf-call-iptables') or '1'} in {owner_words(block.node)}",
            case.run(block.node, f"sysctl {key}"),
        ),
    )


def _list(case: Case, block: Block) -> str:
    return case.run(block.node, f"nft -a list chain {block.chain.family} {block.chain.table} {block.chain.name}")


def _fix(case: Case, code: str, block: Block) -> str:
    chain = f"{block.chain.family} {block.chain.table} {block.chain.name}"
    if code == "bridge-netfilter":
        return case.run(block.node, "sysctl -w net.bridge.bridge-nf-call-iptables=0")
    if code == "answers-not-accepted":
        return case.run(block.node, f"nft insert rule {chain} ct state established,related accept")
    if code == "dnat-not-accepted":
        return case.run(block.node, f"nft insert rule {chain} ct status dnat accept")
    if block.rule is not None:
        return case.run(block.node, f"nft delete rule {chain} handle {block.rule.handle}")
    spot = case.spot
    match = f"ip saddr {spot.src} " if spot.src and block.base.family in ("ip", "inet") else ""
    return case.run(block.node, f"nft insert rule {chain} {match}accept")
