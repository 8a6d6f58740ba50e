"""Connection tracking: a flow that began under other rules keeps what they made of it, its translation and its mark, until it is forgotten."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.journeys.flow import Flow
from ...model.journeys.packet import ICMP, ICMP6, TCP
from ...model.netfilter.packet import address, common, first, network, only
from ...model.netfilter.run import Way, through
from ..case import Case
from ..cause import Cause, blame, of_node, owner_words, seen, state
from ..routes import family_of


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
    packet = first(family_of(talk.src), source=network(talk.src), destination=network(talk.dst), protocol=talk.proto)
    if talk.proto not in (ICMP, ICMP6):
        packet = packet.listing("th sport", only(talk.sport)).listing("th dport", only(talk.dport))
    own = node.owner(talk.src) is not None
    ways = through(node, ("output" if own else "prerouting", "postrouting"), packet.between(*_links(case, flow)))
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
