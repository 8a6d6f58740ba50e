"""The sentence of a change: the one place where a change becomes plain words, for screen, command line and JSON."""

from __future__ import annotations

from typing import Final, assert_never

from ..harmless import harmless
from . import changes as c
from .addresses import with_port
from .gates import switched_on
from .netfilter import changes as fw
from .netfilter.rules import NamedSet
from .options import switch
from .snapshot import REFUSING, BridgePort, Chain, FdbEntry, Link, Listener, Program, Route

_SETTINGS: dict[c.Setting, str] = {
    "MAC": "MAC address", "MTU": "MTU", "stp": "spanning tree", "arp": "ARP", "mode": "mode", "alias": "alias",
    "promisc": "listening to every frame (promiscuous mode)", "altnames": "other name", "vxlan": "vxlan setting",
    "programs": "programs", "options": "options",
    "hairpin": "hairpin", "isolated": "isolation", "learning": "MAC learning", "flood": "flooding", "broadcast": "broadcast", "locked": "lock",
}  # fmt: skip
PROGRAMS: Final[dict[Program, str]] = {
    "xdp": "an XDP program", "tc-ingress": "a filter of tc on the way in", "tc-egress": "a filter of tc on the way out",
    "queue": "a queueing discipline of its own",
}  # fmt: skip
_PORT_STATES = {
    "forwarding": "passes frames now",
    "blocking": "blocks frames now",
    "disabled": "is disabled",
    "listening": "is listening: it passes no frames yet",
    "learning": "is learning: it passes no frames yet",
}


def sentence(change: c.Change) -> str:
    """The change as one sentence that a learner understands, without a full stop. It is one line, whatever a namespace is called."""
    return harmless(_words(change))


def the(node: str) -> str:
    """A node in a sentence: there is one host, and one internet; others have names."""
    return f"the {node}" if node in ("host", "internet") else node


def _words(change: c.Change) -> str:
    node = the(change.node)
    match change:
        case c.NodeAppeared():
            return f"a new namespace appeared: {node}"
        case c.NodeVanished():
            return f"{node} is gone, with everything in it"
        case c.NodeReplaced():
            return f"{node} is a new namespace now: what was in the old one is gone"
        case c.NodeRenamed(before=old):
            return f"{the(old)} is called {node} now"
        case c.NameAdded(name=entry):
            return f"{node} has a name now: {entry.name}" if node else f"a name that leads to no network namespace appeared: {entry.name}"
        case c.NameRemoved(name=entry):
            return f"the name {entry.name} is gone from ip netns list" + (f"; {node} itself is untouched" if node else "")
        case c.NameMoved(after=entry, earlier=earlier):
            return f"the name {entry.name} now leads to {node} (was {the(earlier)})"
        case c.NameBroken(after=entry):
            return f"the name {entry.name} leads to no network namespace now (was {node})"
        case c.CableAdded(link=link, far_node=far_node, far=far):
            return _cable(node, link, the(far_node), far, "appeared")
        case c.CableRemoved(link=link, far_node=far_node, far=far):
            return _cable(node, link, the(far_node), far, "went away")
        case c.LinkAdded(link=link):
            what = "cable's end" if link.kind == "veth" else "" if link.kind in ("loopback", "physical") else link.kind
            return f"{link.name} appeared on {node}" + (f": a {what}" if what else "")
        case c.LinkRemoved(link=link):
            return f"{link.name} is gone from {node}"
        case c.LinkMoved(origin=origin, before=there, after=here):
            called = f", called {here.name}" if here.name != there.name else ""
            return f"{there.name} left {the(origin)} and is now in {node}{called}"
        case c.LinkRenamed(before=old, after=new):
            return f"{old} on {node} is called {new} now"
        case c.LinkWentUp(link=link):
            return f"{link.name} on {node} is up"
        case c.LinkWentDown(link=link):
            return f"{link.name} on {node} is down"
        case c.CarrierChanged(link=link, cause=cause):
            state, how = ("has carrier now", "up") if link.carrier else ("lost its carrier", "down")
            return f"{link.name} on {node} {state}" + (f": its other end {cause} is {how}" if cause else "")
        case c.LinkSet():
            return _link_setting(change)
        case c.PortJoined(link=name, bridge=bridge, earlier=earlier):
            return f"{name} on {node} is now a port of {bridge}" + (f" (left {earlier})" if earlier else "")
        case c.PortLeft(link=name, bridge=bridge):
            return f"{name} on {node} is no longer a port of {bridge}"
        case c.PortStateChanged(link=link, after=state):
            return f"{link.master or ''}'s port {link.name} on {node} {_PORT_STATES.get(state, state)}"
        case c.AddressAdded(link=name, address=address):
            return f"{node} got the address {address.cidr} on {name}"
        case c.AddressRemoved(link=name, address=address):
            return f"{node} lost the address {address.cidr} on {name}"
        case c.AddressReady(link=name, address=address):
            return f"the address {address.cidr} of {name} on {node} is ready: nobody else has it"
        case c.AddressDuplicate(link=name, address=address):
            return f"the address {address.cidr} of {name} on {node} cannot be used: somebody else on the link has it"
        case c.RouteAdded(route=route):
            return f"{node} got a {_to(route)} {_way(route)}"
        case c.RouteRemoved(route=route):
            return f"{node} lost its {_to(route)} {_way(route)}"
        case c.RouteChanged(before=lost, after=route):
            return f"on {node} the way to {_goal(route)} is now {_way(route)} (was {_way(lost)})"
        case c.RouteLinkState(route=route):
            state = "linkdown: its link has no carrier, and it is still used" if route.linkdown else "alive again"
            return f"on {node} the route to {_goal(route)} is {state}"
        case c.PolicyRuleAdded(rule=choice):
            return f"{node} got a rule for choosing routes: {choice.priority}: {choice.text}"
        case c.PolicyRuleRemoved(rule=choice):
            return f"{node} lost a rule for choosing routes: {choice.priority}: {choice.text}"
        case c.NeighbourLearned(entry=known):
            return f"{node} learned that {known.address} is at {known.mac} on {known.dev}"
        case c.NeighbourChanged(before=past, after=known):
            return f"{node} now finds {known.address} at {known.mac} (was {past.mac or ''})"
        case c.NeighbourStateChanged(before=past, after=known):
            return f"what {node} knows of {known.address} is now {known.state} (was {past.state})"
        case c.NeighbourFailed(entry=known):
            return f"nobody answered {node} on {known.dev} for {known.address}"
        case c.NeighbourForgotten(entry=known):
            return f"{node} forgot where {known.address} is"
        case c.NeighbourSet(entry=known):
            return f"{node} was told by hand that {known.address} is at {known.mac or ''} on {known.dev}"
        case c.NeighbourUnset(entry=known):
            return f"{node} forgot where {known.address} is: it had been told by hand"
        case c.FdbLearned(entry=own) if own.local:
            return f"the bridge {_table(own)} keeps {own.mac} for {node}: it is the MAC of {own.dev} itself"
        case c.FdbForgotten(entry=own) if own.local:
            return f"{_table(own)} no longer keeps {own.mac}, the MAC of {own.dev} itself"
        case c.FdbLearned(entry=own):
            return f"the bridge {_table(own)} learned that {own.mac} lives behind {_behind(own)}"
        case c.FdbMoved(before=left, after=own):
            return f"the bridge {_table(own)} now finds {own.mac} behind {_behind(own)} (was {_behind(left)})"
        case c.FdbForgotten(entry=own):
            return f"{_table(own)} forgot that {own.mac} lives behind {_behind(own)}"
        case c.FdbSet(entry=own):
            return f"{_table(own)} was told by hand that {own.mac} lives behind {_behind(own)}"
        case c.FdbUnset(entry=own):
            return f"{_table(own)} forgot that {own.mac} lives behind {_behind(own)}: it had been told by hand"
        case fw.TableAdded(table=table):
            return f"table added on {node}: {table}"
        case fw.TableRemoved(table=table):
            return f"table removed on {node}: {table}"
        case fw.TableSet(table=table, dormant=dormant):
            return f"table {table} on {node} is {'dormant: its chains are not asked' if dormant else 'dormant no longer: its chains are asked'}"
        case fw.SetAdded(own=held):
            return f"{_kind(held)} added on {node}: {_place(held)} ({held.kind}{f' : {held.maps_to}' if held.maps_to else ''})"
        case fw.SetRemoved(own=held):
            return f"{_kind(held)} removed on {node}: {_place(held)}"
        case fw.SetElementAdded(own=held, element=element):
            return f"element added on {node} to the {_kind(held)} {_place(held)}: {element.text}"
        case fw.SetElementRemoved(own=held, element=element):
            return f"element removed on {node} from the {_kind(held)} {_place(held)}: {element.text}"
        case fw.ChainAdded(chain=chain):
            return f"chain added on {node}: {_place(chain)} ({_chain_about(chain)})"
        case fw.ChainRemoved(chain=chain):
            return f"chain removed on {node}: {_place(chain)}"
        case fw.ChainPolicyChanged(chain=chain):
            return f"the policy of {_place(chain)} on {node} is now {change.after or 'none'} (was {change.before or 'none'})"
        case fw.RuleAdded(chain=chain, rule=rule):
            return f"rule added on {node} to {_place(chain)}: {rule.text}"
        case fw.RuleRemoved(chain=chain, rule=rule):
            return f"rule removed on {node} from {_place(chain)}: {rule.text}"
        case fw.RuleChanged(chain=chain, before=was, after=now):
            return f"rule changed on {node} in {_place(chain)}: {now.text} (was {was.text})"
        case fw.XtablesChanged():
            return _legacy(change)
        case c.ForwardingChanged(family=family, after=value):
            return f"{node} {'now' if switched_on(value) else 'no longer'} forwards IPv{family} packets"
        case c.SysctlChanged(name=name, after=None):
            return f"{name} on {node} is as on other devices again (was {change.before})" if "/" in name else f"the setting {name} on {node} is gone"
        case c.SysctlChanged(name=name):
            return f"{name} on {node} is now {change.after}" + (f" (was {change.before})" if change.before else "")
        case c.ResolversChanged(after=servers):
            return f"{node} now asks {', '.join(servers)} for names" if servers else f"{node} has no name server any more"
        case c.ListenerOpened(listener=listener):
            return f"{node} now listens on {_socket(listener)}"
        case c.ListenerClosed(listener=listener):
            return f"{node} no longer listens on {_socket(listener)}"
        case _:
            assert_never(change)


def _cable(node: str, link: Link, far_node: str, far: Link, verb: str) -> str:
    if far_node == node:
        return f"{link.name} and {far.name} {verb} on {node}: the two ends of one cable"
    return f"a cable {verb}: {link.name} on {node}, {far.name} on {far_node}"


def _link_setting(change: c.LinkSet) -> str:
    name, link, node = _SETTINGS[change.setting], change.after.name, the(change.node)
    before, after = _value(change.before, change.setting), _value(change.after, change.setting)
    if change.setting == "programs":
        if not after:
            return f"nothing but rules decides over packets of {link} on {node} any more"
        return f"beside the rules, packets of {link} on {node} are decided over by {after}"
    if after in ("on", "off"):
        return f"{name} is {after} for {link} on {node}"
    if not after:
        return f"{link} on {node} has no {name} any more (was {before})"
    return f"the {name} of {link} on {node} is now {after}" + (f" (was {before})" if before else "")


def _value(link: Link, setting: c.Setting) -> str:
    match setting:
        case "MAC" | "MTU" | "mode" | "alias":
            return str(getattr(link, setting.lower()) or "")
        case "altnames":
            return ", ".join(link.altnames)
        case "vxlan":
            return _vxlan(link)
        case "options":
            return ", ".join(f"{own.word} {own.value}" for own in link.options)
        case "programs":
            return " and ".join(PROGRAMS[program] for program in link.programs)
        case "stp" | "arp" | "promisc":
            return switch(getattr(link, setting))
        case "hairpin" | "isolated" | "learning" | "flood" | "broadcast" | "locked":
            return switch(getattr(link.port or BridgePort(), setting))


def _vxlan(link: Link) -> str:
    if (own := link.vxlan) is None:
        return ""
    ends = f" from {own.local}" if own.local else ""
    return f"vni {own.vni} port {own.port}{ends}" + (f" to {own.remote}" if own.remote else "")


def _to(route: Route) -> str:
    return "default route" if route.dst == "default" else f"route to {route.dst}"


def _goal(route: Route) -> str:
    return "everywhere else" if route.dst == "default" else route.dst


def _way(route: Route) -> str:
    """``via 10.0.0.1``, ``straight out of br0``, ``thrown away (blackhole)``; ``passed on to the next table (throw)`` (ip-route(8))."""
    if route.type in REFUSING:
        text = f"thrown away ({route.type})"
    elif route.type == "throw":
        text = "passed on to the next table (throw)"
    elif route.via:
        text = f"via {route.via}"
    else:
        text = f"straight out of {route.dev}" if route.dev else "nowhere"
    source = f" as {route.src}" if route.src and route.protocol != "kernel" else ""
    table = f" in table {route.table}" if route.table not in (254, 255) else ""
    return text + source + table


def _behind(own: FdbEntry) -> str:
    return own.dst or own.dev


def _table(own: FdbEntry) -> str:
    return own.master or own.dev


def _legacy(change: fw.XtablesChanged) -> str:
    if not change.after:
        return f"legacy iptables on {the(change.node)}: no more {change.table}"
    now, was = _lines(change.after), _lines(change.before)
    told = [*(line for line in now if line not in was), *(f"no more {line}" for line in was if line not in now)]
    return f"legacy iptables on {the(change.node)}, table {change.table}: {'; '.join(told or ['its rules stand in another order'])}"


def _lines(chains: tuple[Chain, ...]) -> list[str]:
    """The rules of a table of the old iptables, and the policies that are not the usual one, as one would type them."""
    policies = [f"-P {chain.name} {chain.policy.upper()}" for chain in chains if chain.policy not in (None, "accept")]
    return policies + [f"-A {chain.name} {rule.text}" for chain in chains for rule in chain.rules]


def _kind(own: NamedSet) -> str:
    return "map" if own.maps_to else "set"


def _place(own: Chain | NamedSet) -> str:
    return f"{own.family} {own.table} {own.name}"


def _chain_about(own: Chain) -> str:
    if own.hook is None:
        return "reached only by a jump"
    return f"hook {own.hook}" + (f", policy {own.policy}" if own.policy else "")


def _socket(own: Listener) -> str:
    return f"{own.protocol} {with_port(own.address, own.port)}"
