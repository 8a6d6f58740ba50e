"""Firewalls: who dropped or rejected the packet, by the kernel's trace, by a counter that rose, or by reading the rules; and the kernel's own word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from ...model import routes
from ...model.evidence import TraceStep
from ...model.icmp import ERRORS, ERRORS6
from ...model.journey import Fact
from ...model.netfilter.conditions import Question, allowed
from ...model.netfilter.packet import only, without
from ...model.netfilter.rules import VerdictMap
from ...model.netfilter.run import always, missed, run
from ...model.probe import Ping
from ...model.snapshot import Chain, Rule
from ...primitives.look import place_of, undecided
from ..case import Case
from ..cause import Cause, blame, hopeless, inferred, owner_words, said, state
from ..cause import counted as counting
from ..packets import Check, packet, passed
from ..policy import with_way_back
from ..rules import base_of, drops, rejects, rewrites, rule_of

_BY_FAMILY: Final = {"bridge": "nft-bridge", "netdev": "nft-netdev", "arp": "nft-arp"}
_BY_HOOK: Final = {"input": "input-drop", "output": "output-drop", "prerouting": "prerouting-drop", "postrouting": "postrouting-drop"}
_IP: Final = frozenset({"ip", "ip6", "inet"})
_ERRORS: Final = {"icmp type": only(*ERRORS), "icmpv6 type": only(*ERRORS6)}
"""Types that report what became of another packet."""
_ENGINES: Final = (
    ("DOCKER-USER", ""), ("DOCKER", "Docker"), ("KUBE-", "Kubernetes"), ("NETAVARK", "Podman"), ("CNI-", "container network plugin"),
    ("LIBVIRT_", "libvirt"), ("ufw", "ufw"),
)  # fmt: skip
"""Whose a chain is, by how its name begins. Its owner writes it anew at will, so nobody else changes it; DOCKER-USER is Docker's place for ours."""
NOISE: Final = frozenset({"NO_SOCKET", "QUEUE_PURGE", "CONSUMED", "NOT_SPECIFIED", "OTHERHOST", "NEIGH_FAILED", "IP_NOPROTO"})
"""Drop reasons that come with every successful ping, or with closing a socket."""
_FIREWALLS: Final = frozenset({"NETFILTER_DROP", "BPF_CGROUP_EGRESS", "SOCKET_FILTER"})
_QUEUES: Final = frozenset({"QDISC_DROP", "TC_INGRESS", "TC_EGRESS", "QDISC_EDT_HORIZON", "QDISC_OVERLIMIT", "TC_CHAIN_NOTFOUND", "TC_RECLASSIFY_LOOP"})


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
    step = case.evidence.trace.dropped if case.evidence.trace is not None else None
    block = _of_step(case, step) if step is not None else None
    if step is None or block is None:
        return None
    how = f"rule {step.text or 'handle ' + str(step.handle)}" if step.kind == "rule" else "the policy of the chain"
    told = f"sent once more with tracing on, the packet was dropped in {_chain_words(block)} of {owner_words(step.node)}, by {how}"
    return _cause(case, block, said(told, case.listing(block.node, block.chain)))


def counted(case: Case) -> Cause | None:
    """A rule that drops has counted a packet just now, in a node where this one, or the question it waits for, was lost."""
    last = case.last
    near = {last.node, case.probe.node, last.hop.node if last.hop is not None else last.node}
    lives_on_errors = isinstance(case.probe, Ping) and case.probe.ttl is not None  # it may pass only so many routers
    checks = tuple(passed(case)) if case.evidence.rules else ()
    for hit in case.evidence.rules:
        found = _find(case, hit.node, hit.family, hit.table, hit.chain, hit.handle) if hit.node in near else None
        if found is None:
            continue
        base, chain, rule = found
        if rule is None or not drops(rule) or (_about_losses(rule) and not lives_on_errors):
            continue
        here = [check for check in checks if (check.at.node, check.hook) == (hit.node, base.hook) and base.family in check.families]
        if not here and base.family in _IP and case.evidence.errors:  # the packet does not come there, and what reports its loss does
            continue
        if here and all(missed(case.node(hit.node), base, chain, rule, check.packet) for check in here):
            continue
        block = Block(hit.node, base, chain, rule, last.leg == "return", last.stage == "bridging")
        kind = counting if here or hit.family not in _IP else inferred
        return _cause(case, block, kind(f"the rule's counter rose by {hit.packets} while the probe was on its way: {hit.text}", case.listing(block.node, block.chain)))
    return None


def _about_losses(rule: Rule) -> bool:
    """Whether the rule only takes ICMP errors: those are made after a packet was lost, and are not what was lost."""
    return any((found := allowed(rule, field)) is not None and not without(found, errors) for field, errors in _ERRORS.items())


def read(case: Case) -> Cause | None:
    """Without a trace: the rules themselves say that they drop such a packet, at a hook it had to pass next."""
    for check in _untold(case):
        found = check.stop
        if found is None or found.chain is None:
            continue
        at, chain = check.at, found.chain
        block = Block(at.node, base_of(case.node(at.node), chain) or chain, chain, found.rule, at.returning, at.bridged)
        what = f"its rule {found.rule.text}" if found.rule is not None else f"its policy {chain.policy}, as no rule accepts it"
        told = f"{_chain_words(block)} of {owner_words(at.node)} stops such a packet by {what}"
        return _cause(case, block, inferred(told, case.listing(block.node, block.chain)))
    return None


def unclear(case: Case, *, traced: bool = False) -> Iterator[Fact]:
    """The rules of which cannot be told whether they stop the packet: no cause, and not nothing either. ``traced``: at hooks that were traced too."""
    told = set[tuple[str, str, int]]()
    for check in passed(case) if traced else _untold(case):
        found = check.unclear
        if found is not None and (key := (check.at.node, found.chain.name, found.rule.handle)) not in told:
            told.add(key)
            where = f"{place_of(found.chain)} of {owner_words(check.at.node)}"
            yield inferred(f"whether {where} stops the packet cannot be told: {undecided(check.ways)}", case.listing(check.at.node, found.chain))


def _untold(case: Case) -> Iterator[Check]:
    """The hooks of which nftables has not said itself what it does there."""
    trace = case.evidence.trace
    told = trace is not None and case.last.node in trace.nodes and case.last.stage not in ("asking", "bridging")
    yield from (check for check in passed(case) if not told or check.asks)


def legacy(case: Case) -> Cause | None:
    """A rule of the old iptables counted the packet when it was sent once more."""
    hits = sorted(case.evidence.legacy or (), key=lambda hit: (hit.node != case.last.node, hit.node != case.probe.node))
    for hit in hits:
        what = f"rule {hit.number} ({hit.target})" if hit.number else f"the policy {hit.target}"
        look = case.run(hit.node, f"{case.iptables} -t {hit.table} -L {hit.chain} -n -v --line-numbers")
        kind = counting if hit.node == case.last.node else inferred
        fact = kind(f"sent once more, the packet was counted by {what} of chain {hit.chain} in {owner_words(hit.node)}", look)
        return _legacy(case, hit.node, hit.table, hit.chain, hit.number, what, fact)
    return None


def _legacy(case: Case, node: str, table: str, chain: str, number: int, what: str, fact: Fact) -> Cause:
    """The rule of this number, or the policy where it is 0."""
    lines = [f"-D {chain} {number}"] if number and not _engine(chain) else _let_in(case, chain) if not number else []
    fix = "; ".join(case.run(node, f"{case.iptables} -t {table} {line}") for line in lines)
    return blame(case, "legacy-iptables", node, facts=(fact,), fix=fix, table=table, chain=chain, what=what)


def _let_in(case: Case, chain: str) -> list[str]:
    """The narrowest rules that let this conversation pass a chain of iptables; its policy stays as it is."""
    last = case.last
    asker, asked = (last.src, last.dst) if last.leg == "forward" else (last.dst, last.src)  # as they stand where the packet was lost
    if chain == "FORWARD" and asker:
        return [f"-I FORWARD -d {asker} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", f"-I FORWARD -s {asker} -j ACCEPT"]
    far = asker if last.node != case.probe.node else asked
    side = {"INPUT": "-s", "OUTPUT": "-d"}.get(chain, "")
    return [f"-I {chain} {side} {far} -j ACCEPT"] if side and far else []


def _of_step(case: Case, step: TraceStep) -> Block | None:
    found = _find(case, step.node, step.family, step.table, step.chain, step.handle if step.kind == "rule" else None)
    if found is None:
        return None
    base, chain, rule = found
    returning = case.last.leg == "return"
    if step.talk is not None:
        own = {address.address for link in case.sender.links for address in link.addresses}
        returning = step.talk.dst in own and step.talk.src not in own
    iif = case.link(step.node, step.iif) if step.iif else None
    crossing = iif is not None and (bool(iif.master and iif.port) or (iif.kind == "bridge" and step.iif == step.oif))
    bridged = crossing and case.last.stage != "routing"  # what a router sends out where it came in was taken in by IP, and is no bridged frame
    return Block(step.node, base, chain, rule, returning, bridged)


def _find(case: Case, name: str, family: str, table: str, chain: str, handle: int | None) -> tuple[Chain, Chain, Rule | None] | None:
    """(the chain on the hook, the chain itself, the rule) of nftables."""
    node = case.node(name)
    own = next((one for one in node.chains if (one.family, one.table, one.name) == (family, table, chain)), None)
    if own is None:
        return None
    rule = next((rule for rule in own.rules if rule.handle == handle), None) if handle is not None else None
    base = base_of(node, own)
    return (base, own, rule) if base is not None else None


def _cause(case: Case, block: Block, fact: Fact) -> Cause:
    if block.chain.engine == "legacy":
        number = 1 + block.chain.rules.index(block.rule) if block.rule is not None else 0
        what = f"rule {number} ({block.rule.text})" if block.rule is not None else f"the policy {block.chain.policy}"
        return _legacy(case, block.node, block.chain.table, block.chain.name, number, what, fact)
    code = _code(case, block)
    by = f"by the rule {block.rule.text}" if block.rule is not None else "by the chain's policy, for no rule accepted it"
    let = _opened(case, code, block)
    fix = let if block.bridged or block.base.family not in _IP else with_way_back(case, block.node, block.rule, let)
    (iif, out), (key, look) = _passage(case, block), case.bridge_netfilter(block.node, _bridge(case, block))
    switch = state(f"{key} is 1 in {owner_words(block.node)}", case.run(block.node, look))
    return blame(case, code, block.node, facts=(fact, switch) if code == "bridge-netfilter" else (fact,), fix=fix, chain=_chain_words(block),
                 by=by, on=block.base.device, engine=_engine(block.chain.name), iif=iif, out=out, key=key)


def _code(case: Case, block: Block) -> str:
    if block.base.family in _BY_FAMILY:
        return _BY_FAMILY[block.base.family]
    hook, rule = block.base.hook or "", block.rule
    if hook in ("ingress", "egress"):
        return "nft-netdev"
    if hook == "forward" and block.bridged:
        return "bridge-netfilter"
    if hook == "forward" and "ISOLATION" in block.chain.name and _engine(block.chain.name):
        return "isolation"
    if rule is not None and rejects(rule):
        return "firewall-reject"
    if hook != "forward":
        return _BY_HOOK.get(hook, "forward-rule")
    general = rule is None or _for_all(rule)
    if block.returning and general:
        return "answers-not-accepted"
    if general and _redirected(case, block.node):
        return "dnat-not-accepted"
    return "forward-policy" if rule is None else "forward-rule"


def _engine(chain: str) -> str:
    """Whose a chain is, "" when it is nobody's but the administrator's."""
    return next((owner for begin, owner in _ENGINES if chain.startswith(begin)), "")


def _redirected(case: Case, node: str) -> bool:
    """Whether this node gives the packet another destination (a published port)."""
    if any(flow.node == node and flow.destination_nat for flow in case.evidence.flows) or any(change.node == node for change in case.redirects):
        return True
    trace = case.evidence.trace
    rules = (rule_of(case.node(node), step) for step in (trace.steps if trace is not None else ()) if step.node == node)
    return any(rule is not None and rewrites(rule, source=False) for rule in rules)


def _chain_words(block: Block) -> str:
    inner = f" (chain {block.chain.name})" if block.chain is not block.base else ""
    return f"table {block.base.family} {block.base.table}, chain {block.base.name}{inner}"


def _passage(case: Case, block: Block) -> tuple[str, str]:
    """(the link the packet came into the node by, the one it would leave by), "" for what is not known."""
    last = case.last
    found = case.route(block.node, last.dst, last.src or None, last.iif).dev if last.dst else None
    return last.iif or "", found or ""


def _opened(case: Case, code: str, block: Block) -> str:
    """The narrowest change, in the owner's own place when the chain is an engine's; nothing where no single command is right."""
    chain = f"{block.chain.family} {block.chain.table} {block.chain.name}"
    insert = f"nft insert rule {chain}"
    if _engine(block.chain.name):
        return _beside_docker(case, block) if _engine(block.chain.name) == "Docker" else ""
    if code == "bridge-netfilter":
        bridge = _bridge(case, block)
        return case.run(block.node, f"{insert} iifname {bridge} oifname {bridge} accept") if bridge else ""
    if code == "answers-not-accepted":
        return case.run(block.node, f"{insert} ct state established,related accept")
    if code == "dnat-not-accepted":
        return case.run(block.node, f"{insert} ct status dnat accept")
    if hopeless(case) or (block.base.hook == "forward" and _comes_back_to_nobody(case, block)):
        return ""
    if block.rule is not None and not _for_all(block.rule) and not _still_shut(case, block, block.rule):
        return case.run(block.node, f"nft delete rule {chain} handle {block.rule.handle}")
    lines = [f"{insert} {who} accept" for who in (*_neighbours(case, block), _whom(case, block)) if who]
    if lines and block.base.hook == "forward" and not block.returning and _shuts_answers_out(case, block):
        lines.append(f"{insert} ct state established,related accept")
    return "; ".join(case.run(block.node, line) for line in lines)


def _bridge(case: Case, block: Block) -> str:
    """The bridge that the frame crosses."""
    hop = case.last.hop
    link = case.link(block.node, case.last.link) or (case.link(block.node, hop.link) if hop is not None else None)
    return (link.master or link.name) if link is not None else ""


def _comes_back_to_nobody(case: Case, block: Block) -> bool:
    """Whether the packet, let through, would come to who knows no way back to its sender: nothing here translates it."""
    last, node = case.last, case.node(block.node)
    target = next((owner for owner, _ in case.owners(last.dst)), None)
    if block.returning or block.bridged or not last.src or target is None or target.name == block.node:
        return False
    iif, out = _passage(case, block)
    leaving = packet(case, block.node, "forward", last.kind, last.src, last.dst, iif or None, out or None)
    untranslated = always(run(node, "postrouting", leaving), lambda way: not way.source_rewritten)
    return bool(untranslated) and bool(routes.worked_out(target, last.src).error)


def _still_shut(case: Case, block: Block, rule: Rule) -> bool:
    """Whether the packet ends in the same hook also when this rule is gone."""
    node = case.node(block.node)
    chains = tuple(replace(one, rules=tuple(own for own in one.rules if own is not rule)) if one is block.chain else one for one in node.chains)
    ways = (run(replace(node, chains=chains), check.hook, check.packet, check.families) for check in passed(case)
            if (check.at.node, check.hook) == (block.node, block.base.hook) and block.base.family in check.families)
    return any(always(found, lambda way: way.end == "drop") for found in ways)


def _for_all(rule: Rule) -> bool:
    """Whether a rule asks for nothing, so that it is its chain's policy in all but name."""
    return not any(isinstance(part, Question | VerdictMap) for part in rule.parts)


def _shuts_answers_out(case: Case, block: Block) -> bool:
    """Whether the answer to the packet may end in the same hook: a rule too many does no harm there, and one too few does not heal."""
    last = case.last
    kind = "echo-reply" if last.kind == "echo-request" else last.kind
    iif, out = _passage(case, block)
    answer = packet(case, block.node, "return", kind, last.dst, last.src, out or None, iif or None)
    return not always(run(case.node(block.node), "forward", answer), lambda way: way.end == "accept")


def _beside_docker(case: Case, block: Block) -> str:
    """Docker reads DOCKER-USER before its own chains: there the two networks are let speak to each other."""
    iif, out = _passage(case, block)
    if block.returning:
        iif, out = out, iif
    if not (iif and out and any(chain.name == "DOCKER-USER" for chain in case.node(block.node).chains)):
        return ""
    tool = "iptables" if case.family == 4 else "ip6tables"
    lines = (f"-I DOCKER-USER -i {iif} -o {out} -j ACCEPT", f"-I DOCKER-USER -i {out} -o {iif} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")
    return "; ".join(case.run(block.node, f"{tool} {line}") for line in lines)


def _neighbours(case: Case, block: Block) -> Iterator[str]:
    """The match for neighbour discovery, which is for whoever asks: IPv6 does without ARP, so a firewall that shuts it out is left by everybody."""
    if case.family == 6 and case.last.stage == "asking" and block.base.family in _IP and block.base.hook in ("input", "output"):
        yield "icmpv6 type '{ nd-neighbor-solicit, nd-neighbor-advert }'"


def _whom(case: Case, block: Block) -> str:
    """The match that fits this conversation and no other, for a chain that drops by its policy; "" where it does not end, and only its neighbours
    are shut out.
    """
    last, hop, family = case.last, case.last.hop, block.base.family
    own = "ip" if case.family == 4 else "ip6"
    if family == "arp":
        return f"arp saddr ip {hop.src}" if hop is not None and block.base.hook == "input" and hop.src else ""
    if family == "bridge" and hop is not None:
        macs = {hop.mac_src, hop.mac_dst, *(link.mac for _, link in case.owners(last.asked or last.dst))} - {"ff:ff:ff:ff:ff:ff", ""}
        both = ", ".join(sorted(macs))
        return f"ether saddr '{{ {both} }}' ether daddr '{{ {both}, ff:ff:ff:ff:ff:ff }}'" if case.family == 4 else ""
    if block.base.hook in ("ingress", "egress"):
        return f"ether saddr {hop.mac_src}" if hop is not None and block.base.hook == "ingress" else ""
    if last.stage == "asking" and case.family == 6:
        ends = block.node == case.probe.node or any(owner.name == block.node for owner, _ in case.owners(last.dst))
        far = last.dst if block.node == case.probe.node else last.src
        return f"{own} {'daddr' if block.base.hook == 'output' else 'saddr'} {far}" if ends and far else ""
    if block.base.hook == "output":
        far = last.src if last.stage == "delivered" and last.leg == "forward" else last.dst
        return f"{own} daddr {far}" if far else ""
    return f"{own} saddr {last.src}" if last.src else ""


def reason(case: Case) -> Cause | None:
    """When nothing else explains it: what the kernel itself says about the packet it threw away. Its names mislead at times."""
    for drop in case.evidence.drops or ():
        if drop.reason in NOISE or drop.about:
            continue
        where = f"{drop.link or 'no interface'} of {owner_words(drop.node)}"
        text = f"the kernel dropped it in {drop.function}() at {where}: {drop.reason} ({drop.words})"
        if drop.reason in _FIREWALLS:
            return blame(case, "filtered", drop.node, facts=(inferred(text), *unclear(case, traced=True)), said=drop.words)
        if drop.reason in _QUEUES:
            look = case.run(drop.node, f"tc -s qdisc show dev {drop.link}") if drop.link else ""
            return blame(case, "queue-drop", drop.node, drop.link, facts=(inferred(text, look),), how="dropped", fix="", said=drop.words)
        return blame(case, "kernel-drop", drop.node, drop.link, facts=(inferred(text),), site="link", said=drop.words)
    return None
