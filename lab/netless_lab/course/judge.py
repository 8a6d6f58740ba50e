"""The judge: a step, a snapshot and probe outcomes become a verdict. State first, then packets; three values, always with reasons.

A packet alone proves little: a host that owns the address answers in place of a missing container, so where the answering
address lives is looked up as well. And silence proves nothing when the probe could not run: that is an error, never a pass.
Beside a probe that was not answered stands the rule on its way that surely drops a packet of it, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from ..model.addresses import same
from ..model.netfilter.packet import ICMP, ICMPV6, TCP, UDP, Packet, common, first, network, only, shown
from ..model.netfilter.run import Way, always
from ..model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from ..model.routes import family_of, on_link, source_of, worked_out
from ..model.snapshot import Snapshot
from ..primitives.base import CannotTell, Expectation, Met, NotMet, Where
from ..primitives.look import inside, opening, place_of
from ..primitives.sysctl import sysctl_of
from .bindings import UNBOUND, Bindings, apply
from .probe_words import claim, expected, look, names_look, overtaken, target, who
from .step import ProbeCheck, Step
from .verdict import Item, Result, Verdict

if TYPE_CHECKING:
    from ..explain.transit import Passed

Outcomes = Mapping[ProbeCheck, Outcome]
"""By the lesson's own check, before any binding; a control is found under ``control_of`` its check."""


def judge(step: Step, snapshot: Snapshot, outcomes: Outcomes, where: Where, bindings: Bindings = UNBOUND, *,
          owners: Mapping[str, str] = {}, extras: tuple[str, ...] = ()) -> Verdict:
    """The verdict on ``step``.

    ``owners`` says in which node the lesson means each address to live (``outline.owners`` of the goal, in the lesson's words):
    an answer from another node is no pass. Without it the step's own addresses are known. While the state is refuted, and for
    probes without an outcome yet, items are "waiting". What the state does not tell the packets decide: the step passes with them, and
    the item stays "unknown" and says so; with no packet that could decide it is an error. An observation never refuses: answered it
    is "ahead", and where it shows nothing it is "unknown".
    """
    state = tuple(_state(apply(expectation, bindings), snapshot, where) for expectation in step.expect)
    if any(item.result == "fail" for item in state):
        waiting = tuple(Item("waiting", claim(apply(check, bindings)), "probe") for check in step.probes)
        return Verdict(step.id, "fail", state + waiting, extras)
    homes = {bindings.address(address): node for address, node in {**_own_addresses(step), **owners}.items()}
    probes = tuple(_probe(check, bindings, snapshot, outcomes, where, homes) for check in step.probes)
    said = _said_by_packets(step.probes, probes)
    items = tuple(_decided(item, said) for item in state) + probes
    return Verdict(step.id, result_of(items), items, extras)


def control_of(check: ProbeCheck) -> ProbeCheck:
    """The key under which the outcome of a check's positive control is looked up. The check must have one."""
    if check.control is None:
        raise ValueError("this check has no control")
    return ProbeCheck(check.control)


def state_holds(step: Step, snapshot: Snapshot, bindings: Bindings = UNBOUND) -> bool:
    """Whether nothing of the state a step asks for is missing; its packets are not asked, and what cannot be told is not missing."""
    return not any(isinstance(apply(expectation, bindings).check(snapshot, Where()), NotMet) for expectation in step.expect)


def _said_by_packets(checks: tuple[ProbeCheck, ...], items: tuple[Item, ...]) -> Result | None:
    """What the packets of a step decide together; None when none of them can decide.

    Silence that was only observed decides nothing, but an answer where silence was observed got all the way there and back.
    """
    asked = zip(checks, items, strict=True)
    deciding = tuple(item for check, item in asked if check.demand != "observation" or item.result in ("ahead", "waiting"))
    return result_of(deciding) if deciding else None


def _decided(item: Item, said: Result | None) -> Item:
    """An item of the state that cannot be told, with what the packets had to say; any other as it is."""
    if item.result != "unknown":
        return item
    if said is None:
        near = "This is no verdict on your network: no packet of this step can decide it, so nobody can tell."
        return msgspec.structs.replace(item, result="error", near=near)
    told = {"pass": "; the packets decided", "waiting": "; the packets will decide"}.get(said, "")
    return msgspec.structs.replace(item, seen=f"{item.seen}{told}")


def can_be_told(step: Step, snapshot: Snapshot, bindings: Bindings = UNBOUND) -> bool:
    """Whether the state decides everything that a step asks of it, so that no packet has to."""
    return not any(isinstance(apply(expectation, bindings).check(snapshot, Where()), CannotTell) for expectation in step.expect)


def result_of(items: tuple[Item, ...]) -> Result:
    """What the lines of a verdict come to: one that fails outweighs one that nobody could judge, and that one a wait."""
    order: tuple[Result, ...] = ("fail", "error", "waiting")
    results = {item.result for item in items}
    return next((result for result in order if result in results), "pass")


def _state(expectation: Expectation, snapshot: Snapshot, where: Where) -> Item:
    match expectation.check(snapshot, where):
        case Met(claim=words):
            return Item("pass", words)
        case CannotTell(claim=words, expected=wanted, why=why, look=command):
            return Item("unknown", words, "state", wanted, why, command)
        case NotMet(claim=words, expected=wanted, seen=seen, look=command, near=near):
            return Item("fail", words, "state", wanted, seen, command or where.ip("host", "-br link show"), near)


def _own_addresses(step: Step) -> dict[str, str]:
    """Where the step itself puts addresses: an expectation that names a ``cidr`` and a ``node``."""
    found = ((getattr(item, "cidr", None), getattr(item, "node", None)) for item in step.expect if item.verb == "address")
    return {cidr.partition("/")[0]: node for cidr, node in found if isinstance(cidr, str) and isinstance(node, str)}


def _probe(check: ProbeCheck, bindings: Bindings, snapshot: Snapshot, outcomes: Outcomes, where: Where, homes: Mapping[str, str]) -> Item:
    bound = apply(check, bindings)
    outcome = outcomes.get(check)
    if outcome is None:
        return Item("waiting", claim(bound), "probe")
    if outcome.result == "error" and bound.demand != "observation":
        near = "This is no verdict on your network: the probe itself could not run, so nobody can tell."
        return Item("error", claim(bound), "probe", expected(bound), outcome.text, look(bound.probe, outcome, snapshot, where), near)
    if bound.reply:
        return _must_answer(bound, outcome, snapshot, where, homes)
    return _must_be_silent(check, bound, outcome, snapshot, outcomes, where, homes)


def _must_answer(check: ProbeCheck, outcome: Outcome, snapshot: Snapshot, where: Where, homes: Mapping[str, str]) -> Item:
    node, seen = check.probe.node, outcome.text
    command = look(check.probe, outcome, snapshot, where)
    stray = _stray(check, snapshot, homes) or diverted(check.probe, outcome, snapshot, where)
    if outcome.result != "answered" and _without_lo(check, snapshot):
        command, near = where.ip(node, "link show lo"), f"A packet to an address of one's own travels through lo, and lo{inside(node)} is down."
    elif outcome.result != "answered":
        cause = stray or dropped(check.probe, outcome, snapshot, where) or _misled(check.probe, snapshot, where) or _mute(check.probe, snapshot, where)
        near, command = cause.words, (cause.look if outcome.reason in _UNTOLD else "") or command
    elif stray:
        seen, near, command = "an answer, but from the wrong place", stray.words, stray.look or command
    elif check.answer is not None and not same(outcome.answer, check.answer):
        seen, command = f"the answer {outcome.answer}" if outcome.answer else "an answer without an address", names_look(node, where)
        near = f"The /etc/hosts{inside(node)} says so, and it is read before any name server is asked." if outcome.by is None else ""
    elif check.seen_as is not None and not same(outcome.seen_as, check.seen_as):
        seen = f"the site saw {outcome.seen_as}" if outcome.seen_as else "the site did not say whom it saw"
        near = _disguised(check.probe, outcome.seen_as, snapshot) if outcome.seen_as else ""
        command = where.run("host", "nft list ruleset")
    else:
        return Item("pass", claim(check), "probe")
    return Item("fail", claim(check), "probe", expected(check), seen, command, near)


def _must_be_silent(check: ProbeCheck, bound: ProbeCheck, outcome: Outcome, snapshot: Snapshot, outcomes: Outcomes, where: Where,
                    homes: Mapping[str, str]) -> Item:
    """Silence as the page has it: a guard refuses an answer, an observation is overtaken by it, unless somebody else gives it than who shall. A control
    that is lost too makes either say nothing.
    """
    words, observed = claim(bound), bound.demand == "observation"
    if outcome.result == "answered" and observed and (stray := _stray(bound, snapshot, homes)):
        return Item("unknown", words, "probe", expected(bound), f"an answer came, but from the wrong place: {stray.words}")
    if outcome.result == "answered" and observed:
        return Item("ahead", overtaken(bound), "probe")
    if outcome.result == "answered":
        command = look(bound.probe, outcome, snapshot, where)
        return Item("fail", words, "probe", expected(bound), outcome.text, command, _answerer(bound, snapshot))
    if outcome.result == "error":
        return Item("unknown", words, "probe", expected(bound), f"the packet could not be sent: {outcome.text}")
    if check.control is None or bound.control is None:
        return Item("pass", words, "probe")
    control = outcomes.get(control_of(check))
    if control is None or control.result == "answered":
        return Item("waiting" if control is None else "pass", words, "probe")
    sure = claim(ProbeCheck(bound.control))
    if observed:
        return Item("unknown", words, "probe", expected(bound), f"this silence shows nothing, for it is not so that {sure}: {control.text}")
    near = "Nothing answers on this path at all, so the silence that was wanted proves nothing. Mend this first."
    return Item("error", words, "probe", f"that {sure}, to compare with", control.text, look(bound.control, control, snapshot, where), near)


class Near(NamedTuple):
    """What a miss comes from, and the command that shows just that ("": the one that fits the symptom does). False when nothing is known."""

    words: str
    look: str = ""

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.words)


NOTHING: Final = Near("")
_UNTOLD: Final = ("silence", "filtered")
"""Ways to lose a packet of which nobody says by what. All others name their place, and the command for that shows more."""


def _stray(check: ProbeCheck, snapshot: Snapshot, homes: Mapping[str, str]) -> Near:
    """Why an answer would come from the wrong node; nothing when the address lives where the lesson has it, or nobody said where."""
    address = target(check.probe)
    home = homes.get(address) if address else None
    if address is None or home is None:
        return NOTHING
    node = snapshot.node(home)
    if node is not None and node.owner(address) is not None:
        others = [own for own in snapshot.nodes if own.name != home and own.owner(address) is not None]
        if not others or all(own.name != check.probe.node for own in others):
            return NOTHING
        return Near(f"{opening(who(check.probe.node))} owns {address} as well, so it answers itself and no packet ever reaches {who(home)}.")
    owner = next((own for own in snapshot.nodes if own.owner(address) is not None), None)
    if owner is None:
        return NOTHING
    if owner.name == check.probe.node:
        return Near(f"{address} belongs to {who(owner.name)} itself here, not to {who(home)}: it only hears its own echo.")
    return Near(f"{address} belongs to {who(owner.name)} here, not to {who(home)}.")


def _without_lo(check: ProbeCheck, snapshot: Snapshot) -> bool:
    """Whether a node speaks to itself while its loopback is down (the local table sends such packets to lo)."""
    address, node = target(check.probe), snapshot.node(check.probe.node)
    loopback = node.link("lo") if node is not None else None
    own = address is not None and node is not None and (node.owner(address) is not None or ip_address(address).is_loopback)
    return own and loopback is not None and not loopback.up


def _misled(probe: Probe, snapshot: Snapshot, where: Where) -> Near:
    """Who sends a packet, or the answer to it, another way than by the device in whose network its receiver is; nothing when neither is known to."""
    to, sender = target(probe), snapshot.node(probe.node)
    owner = next((own for own in snapshot.nodes if to is not None and own.owner(to) is not None), None)
    if to is None or sender is None or owner is None or owner is sender:
        return NOTHING
    for node, address in ((sender, to), (owner, source_of(sender, worked_out(sender, to)))):
        beside = next((link for link in node.links if address and link.up and on_link(link, address)), None)
        found = worked_out(node, address) if beside is not None else None
        if beside is None or found is None or found.type == "local" or found.dev == beside.name:
            continue
        net = next(ip_interface(own.cidr).network for own in beside.addresses if ip_address(address) in ip_interface(own.cidr).network)
        way = f"by {found.dev}{f' via {found.via}' if found.via else ''}" if found.dev else f"nowhere ({found.words})"
        gone = "" if any(route.dst == str(net) and route.dev == beside.name for route in node.routes) else f": the route {net} dev {beside.name} is gone"
        said = f"{opening(who(node.name))} sends packets to {address} {way}, and not by {beside.name}, in whose network it is{gone}."
        return Near(said, where.ip(node.name, f"route get {address}"))
    return NOTHING


def _mute(probe: Probe, snapshot: Snapshot, where: Where) -> Near:
    """Why a node that has the address does not answer a ping whatever comes to it; nothing when it would. A snapshot does not hold what does so for IPv6."""
    address = target(probe)
    owner = next((own for own in snapshot.nodes if address and own.owner(address) is not None), None)
    key = "net.ipv4.icmp_echo_ignore_all"
    if not isinstance(probe, Ping) or owner is None or family_of(address or "") == 6 or sysctl_of(owner, key) in (None, "0"):
        return NOTHING
    return Near(f"{opening(who(owner.name))} leaves every ping unanswered: {key} is {sysctl_of(owner, key)}.", where.run(owner.name, f"sysctl {key}"))


def _answerer(check: ProbeCheck, snapshot: Snapshot) -> str:
    """Who it is that answers when nobody should."""
    address = target(check.probe)
    owner = next((own for own in snapshot.nodes if address and own.owner(address) is not None), None)
    if owner is None:
        return ""
    if owner.name == check.probe.node:
        return f"{address} is an address of {who(owner.name)} itself: it answers its own question."
    return f"{address} is an address of {who(owner.name)}, and it was reached."


def dropped(probe: Probe, outcome: Outcome, snapshot: Snapshot, where: Where) -> Near:
    """The rule or policy on the way that surely drops the packet, or else the answer to it; nothing when none does, or it is known to have got lost
    sooner.
    """
    if outcome.reason != "silence" and (outcome.by is None or outcome.reason == "no-neighbour"):
        return NOTHING
    for passed in _met(probe, snapshot):
        if (stop := passed.stop) is not None:
            shown_by = _rules_look(passed.node.name, stop, where)
            if passed.node.name == probe.node:
                return Near(f"The answers to packets from {passed.source} come back to {who(passed.node.name)}, and there {_by(stop)} drops them.", shown_by)
            what = "the answers to them" if passed.answer else "them"
            return Near(f"Packets from {passed.source} come as far as {who(passed.node.name)}, and there {_by(stop)} drops {what}.", shown_by)
    return NOTHING


def _rules_look(node: str, by: Way, where: Where) -> str:
    """The command that lists the rules by which packets went a way."""
    if by.chain is not None and by.chain.engine == "legacy":
        return where.run(node, f"{'ip6tables' if by.chain.family == 'ip6' else 'iptables'}-legacy -t {by.chain.table} -vL")
    return where.run(node, "nft list ruleset")


def diverted(probe: Probe, outcome: Outcome, snapshot: Snapshot, where: Where) -> Near:
    """The rule on the way that sends packets to another address than they are for; nothing when none surely does. An answer to who asks a port of the
    very node that the rule stands on is from the right place: the port is published.
    """
    to, answered = target(probe) or "", outcome.result == "answered"
    for passed in _met(probe, snapshot, arrives=answered):
        if answered and not isinstance(probe, Ping) and passed.node.owner(to) is not None:
            continue
        turned = _all_turned(passed.ways, to) if passed.hook == "prerouting" and not passed.answer else None
        if turned is not None:
            address, rule = turned
            said = f"On {who(passed.node.name)} the rule `{rule}` sends what goes to {to} to {address or who(passed.node.name)} instead."
            return Near(said, _rules_look(passed.node.name, passed.ways[0], where))
    return NOTHING


def _disguised(probe: Probe, seen: str, snapshot: Snapshot) -> str:
    """Why the far end saw this sender; "" when nobody can tell."""
    sender = snapshot.node(probe.node)
    if sender is not None and sender.owner(seen) is not None:
        return f"Packets leave with {seen} as their source: no masquerade rule matched them."
    for passed in _met(probe, snapshot, arrives=True):
        rules = {rule.text for way in passed.ways for done, _, rule in way.rewrites if done.source}
        given = always(passed.ways, lambda way: way.source_rewritten and bool(common(way.packet.possible(way.packet.source) or (), network(seen))))
        if given and len(rules) == 1:
            return f"On {who(passed.node.name)} the rule `{rules.pop()}` gives them {seen} as their source."
    return ""


def _met(probe: Probe, snapshot: Snapshot, *, arrives: bool = False) -> Iterator[Passed]:
    """The hooks that a probe's packet meets on its way, where there are any rules at all."""
    to, sender = target(probe), snapshot.node(probe.node)
    if to is None or sender is None or not any(node.chains or node.legacy for node in snapshot.nodes):
        return
    from ..explain.transit import there_and_back  # no lab needs it to be ready

    ttl = probe.ttl if isinstance(probe, Ping) else None
    yield from there_and_back(snapshot, sender, to, lambda source: _request(probe, source, to), ttl=ttl, arrives=arrives)


def _all_turned(ways: tuple[Way, ...], to: str) -> tuple[str, str] | None:
    return _turned(ways[0], to) if always(ways, lambda way: _turned(way, to) is not None) else None


def _turned(way: Way, to: str) -> tuple[str, str] | None:
    """Where a way leads instead of ``to`` ("": to the node itself), and by which rule; None when nowhere else, or it cannot be told where."""
    for done, _, rule in way.rewrites:
        if done.kind == "redirect":
            return "", rule.text
        if not done.source and done.address is not None and not common((done.address,), network(to)):
            return shown((done.address,), ip_address(to).version), rule.text
    return None


def _by(stop: Way) -> str:
    chain = place_of(stop.chain) if stop.chain is not None else "the firewall"
    return f"the rule `{stop.rule.text}` of {chain}" if stop.rule is not None else f"the policy of {chain}"


def _request(probe: Probe, sender: str, to: str) -> Packet:
    version = ip_address(to).version
    match probe:
        case Ping():
            protocol, port = ICMP if version == 4 else ICMPV6, None
        case Connect():
            protocol, port = TCP, probe.port
        case Udp():
            protocol, port = UDP, probe.port
        case Fetch():
            protocol, port = TCP, urlsplit(probe.url).port or 80
        case Lookup():
            protocol, port = UDP, 53
    packet = first(4 if version == 4 else 6, source=network(sender), destination=network(to), protocol=protocol)
    return packet if port is None else packet.listing("th dport", only(port))
