"""The sentence of a change: the one place where a change becomes plain words, for screen, command line and JSON."""

from __future__ import annotations

from typing import Final, assert_never

from ..harmless import harmless
from . import changes as c
from .gates import switched_on
from .netfilter.rules import NamedSet
from .snapshot import Chain, FdbEntry, Link, Listener, PolicyRule, Program, Route

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


def _words(change: c.Change) -> str:
    match change:
        case c.NodeAppeared() | c.NodeVanished() | c.NodeReplaced() | c.NodeRenamed():
            return _node(change)
        case c.NameAdded() | c.NameRemoved() | c.NameMoved() | c.NameBroken():
            return _name(change)
        case (
            c.CableAdded() | c.CableRemoved() | c.LinkAdded() | c.LinkRemoved() | c.LinkMoved() | c.LinkRenamed() | c.LinkWentUp()
            | c.LinkWentDown() | c.CarrierChanged() | c.LinkSet()
        ):  # fmt: skip
            return _link(change)
        case c.PortJoined() | c.PortLeft() | c.PortStateChanged():
            return _port(change)
        case c.AddressAdded() | c.AddressRemoved() | c.AddressReady() | c.AddressDuplicate():
            return _address(change)
        case c.RouteAdded() | c.RouteRemoved() | c.RouteChanged() | c.RouteLinkState() | c.PolicyRuleAdded() | c.PolicyRuleRemoved():
            return _route(change)
        case (
            c.NeighbourLearned() | c.NeighbourChanged() | c.NeighbourStateChanged() | c.NeighbourFailed() | c.NeighbourForgotten()
            | c.NeighbourSet() | c.NeighbourUnset()
        ):  # fmt: skip
            return _neighbour(change)
        case c.FdbLearned() | c.FdbMoved() | c.FdbForgotten() | c.FdbSet() | c.FdbUnset():
            return _fdb(change)
        case (
            c.TableAdded() | c.TableRemoved() | c.TableSet() | c.SetAdded() | c.SetRemoved() | c.SetElementAdded()
            | c.SetElementRemoved() | c.ChainAdded() | c.ChainRemoved() | c.ChainPolicyChanged() | c.RuleAdded()
            | c.RuleRemoved() | c.RuleChanged() | c.XtablesChanged()
        ):  # fmt: skip
            return _firewall(change)
        case c.ForwardingChanged() | c.SysctlChanged() | c.ResolversChanged() | c.ListenerOpened() | c.ListenerClosed():
            return _setting(change)
        case _:
            assert_never(change)


def _node(change: c.NodeAppeared | c.NodeVanished | c.NodeReplaced | c.NodeRenamed) -> str:
    match change:
        case c.NodeAppeared(node=node):
            return f"a new namespace appeared: {node}"
        case c.NodeVanished(node=node):
            return f"{node} is gone, with everything in it"
        case c.NodeReplaced(node=node):
            return f"{node} is a new namespace now: what was in the old one is gone"
        case c.NodeRenamed(node=node, before=before):
            return f"{before} is called {node} now"


def _name(change: c.NameAdded | c.NameRemoved | c.NameMoved | c.NameBroken) -> str:
    match change:
        case c.NameAdded(node="", name=name):
            return f"a name that leads to no network namespace appeared: {name.name}"
        case c.NameAdded(node=node, name=name):
            return f"{node} has a name now: {name.name}"
        case c.NameRemoved(node=node, name=name):
            return f"the name {name.name} is gone from ip netns list" + (f"; {node} itself is untouched" if node else "")
        case c.NameMoved(node=node, after=name, earlier=earlier):
            return f"the name {name.name} now leads to {node} (was {earlier})"
        case c.NameBroken(node=node, after=name):
            return f"the name {name.name} leads to no network namespace now (was {node})"


def _link(
    change: c.CableAdded | c.CableRemoved | c.LinkAdded | c.LinkRemoved | c.LinkMoved | c.LinkRenamed | c.LinkWentUp
    | c.LinkWentDown | c.CarrierChanged | c.LinkSet
) -> str:  # fmt: skip
    node = change.node
    match change:
        case c.CableAdded(link=link, far_node=far_node, far=far):
            return _cable(node, link, far_node, far, "appeared")
        case c.CableRemoved(link=link, far_node=far_node, far=far):
            return _cable(node, link, far_node, far, "went away")
        case c.LinkAdded(link=link):
            what = "cable's end" if link.kind == "veth" else "" if link.kind in ("loopback", "device") else link.kind
            return f"{link.name} appeared on {node}" + (f": a {what}" if what else "")
        case c.LinkRemoved(link=link):
            return f"{link.name} is gone from {node}"
        case c.LinkMoved(origin=origin, before=there, after=here):
            called = f", called {here.name}" if here.name != there.name else ""
            return f"{there.name} left {origin} and is now in {node}{called}"
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


def _cable(node: str, link: Link, far_node: str, far: Link, verb: str) -> str:
    if far_node == node:
        return f"{link.name} and {far.name} {verb} on {node}: the two ends of one cable"
    return f"a cable {verb}: {link.name} on {node}, {far.name} on {far_node}"


def _link_setting(change: c.LinkSet) -> str:
    name, link, node = _SETTINGS[change.setting], change.after.name, change.node
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
        case "MAC":
            return link.mac
        case "MTU":
            return str(link.mtu)
        case "mode":
            return link.mode or ""
        case "alias":
            return link.alias
        case "altnames":
            return ", ".join(link.altnames)
        case "vxlan":
            return _vxlan(link)
        case "options":
            return ", ".join(f"{own.word} {own.value}" for own in link.options)
        case "programs":
            return " and ".join(PROGRAMS[program] for program in link.programs)
        case "stp":
            return _switch(link.stp)
        case "arp":
            return _switch(link.arp)
        case "promisc":
            return _switch(link.promisc)
        case "hairpin":
            return _switch(link.port is not None and link.port.hairpin)
        case "isolated":
            return _switch(link.port is not None and link.port.isolated)
        case "learning":
            return _switch(link.port is None or link.port.learning)
        case "flood":
            return _switch(link.port is None or link.port.flood)
        case "broadcast":
            return _switch(link.port is None or link.port.broadcast)
        case "locked":
            return _switch(link.port is not None and link.port.locked)


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _vxlan(link: Link) -> str:
    own = link.vxlan
    if own is None:
        return ""
    ends = f" from {own.local}" if own.local else ""
    return f"vni {own.vni} port {own.port}{ends}" + (f" to {own.remote}" if own.remote else "")


def _port(change: c.PortJoined | c.PortLeft | c.PortStateChanged) -> str:
    match change:
        case c.PortJoined(node=node, link=link, bridge=bridge, earlier=earlier):
            return f"{link} on {node} is now a port of {bridge}" + (f" (left {earlier})" if earlier else "")
        case c.PortLeft(node=node, link=link, bridge=bridge):
            return f"{link} on {node} is no longer a port of {bridge}"
        case c.PortStateChanged(node=node, link=port, after=after):
            return f"{port.master or ''}'s port {port.name} on {node} {_PORT_STATES.get(after, after)}"


def _address(change: c.AddressAdded | c.AddressRemoved | c.AddressReady | c.AddressDuplicate) -> str:
    node, cidr = change.node, change.address.cidr
    match change:
        case c.AddressAdded(link=link):
            return f"{node} got the address {cidr} on {link}"
        case c.AddressRemoved(link=link):
            return f"{node} lost the address {cidr} on {link}"
        case c.AddressReady():
            return f"the address {cidr} on {node} is ready: nobody else has it"
        case c.AddressDuplicate():
            return f"the address {cidr} on {node} cannot be used: somebody else on the link has it"


def _route(change: c.RouteAdded | c.RouteRemoved | c.RouteChanged | c.RouteLinkState | c.PolicyRuleAdded | c.PolicyRuleRemoved) -> str:
    node = change.node
    match change:
        case c.RouteAdded(route=route):
            return f"{node} got a {_to(route)} {_way(route)}"
        case c.RouteRemoved(route=route):
            return f"{node} lost its {_to(route)} {_way(route)}"
        case c.RouteChanged(before=before, after=after):
            return f"on {node} the way to {_goal(after)} is now {_way(after)} (was {_way(before)})"
        case c.RouteLinkState(route=route):
            state = "linkdown: its link has no carrier, and it is still used" if route.linkdown else "alive again"
            return f"on {node} the route to {_goal(route)} is {state}"
        case c.PolicyRuleAdded(rule=rule):
            return f"{node} got a rule for choosing routes: {_policy(rule)}"
        case c.PolicyRuleRemoved(rule=rule):
            return f"{node} lost a rule for choosing routes: {_policy(rule)}"


def _to(route: Route) -> str:
    return "default route" if route.dst == "default" else f"route to {route.dst}"


def _goal(route: Route) -> str:
    return "everywhere else" if route.dst == "default" else route.dst


def _way(route: Route) -> str:
    """``via 10.0.0.1``, ``straight out of br0``, ``thrown away (blackhole)``."""
    if route.type in ("blackhole", "unreachable", "prohibit", "throw"):
        text = f"thrown away ({route.type})"
    elif route.via:
        text = f"via {route.via}"
    else:
        text = f"straight out of {route.dev}" if route.dev else "nowhere"
    source = f" as {route.src}" if route.src and route.protocol != "kernel" else ""
    table = f" in table {route.table}" if route.table not in (254, 255) else ""
    return text + source + table


def _policy(rule: PolicyRule) -> str:
    return f"{rule.priority}: {rule.text}"


def _neighbour(
    change: c.NeighbourLearned | c.NeighbourChanged | c.NeighbourStateChanged | c.NeighbourFailed | c.NeighbourForgotten
    | c.NeighbourSet | c.NeighbourUnset,
) -> str:  # fmt: skip
    node = change.node
    match change:
        case c.NeighbourLearned(entry=own):
            return f"{node} learned that {own.address} is at {own.mac} on {own.dev}"
        case c.NeighbourChanged(before=before, after=after):
            return f"{node} now finds {after.address} at {after.mac} (was {before.mac or ''})"
        case c.NeighbourStateChanged(before=before, after=after):
            return f"what {node} knows of {after.address} is now {after.state} (was {before.state})"
        case c.NeighbourFailed(entry=own):
            return f"nobody answered {node} on {own.dev} for {own.address}"
        case c.NeighbourForgotten(entry=own):
            return f"{node} forgot where {own.address} is"
        case c.NeighbourSet(entry=own):
            return f"{node} was told by hand that {own.address} is at {own.mac or ''} on {own.dev}"
        case c.NeighbourUnset(entry=own):
            return f"{node} forgot where {own.address} is: it had been told by hand"


def _fdb(change: c.FdbLearned | c.FdbMoved | c.FdbForgotten | c.FdbSet | c.FdbUnset) -> str:
    match change:
        case c.FdbLearned(entry=own):
            return f"the bridge {_table(own)} learned that {own.mac} lives behind {_behind(own)}"
        case c.FdbMoved(before=before, after=after):
            return f"the bridge {_table(after)} now finds {after.mac} behind {_behind(after)} (was {_behind(before)})"
        case c.FdbForgotten(entry=own):
            return f"{_table(own)} forgot that {own.mac} lives behind {_behind(own)}"
        case c.FdbSet(entry=own):
            return f"{_table(own)} was told by hand that {own.mac} lives behind {_behind(own)}"
        case c.FdbUnset(entry=own):
            return f"{_table(own)} forgot that {own.mac} lives behind {_behind(own)}: it had been told by hand"


def _behind(own: FdbEntry) -> str:
    return own.dst or own.dev


def _table(own: FdbEntry) -> str:
    return own.master or own.dev


def _firewall(
    change: c.TableAdded | c.TableRemoved | c.TableSet | c.SetAdded | c.SetRemoved | c.SetElementAdded
    | c.SetElementRemoved | c.ChainAdded | c.ChainRemoved | c.ChainPolicyChanged | c.RuleAdded | c.RuleRemoved
    | c.RuleChanged | c.XtablesChanged,
) -> str:  # fmt: skip
    node = change.node
    match change:
        case c.TableAdded(table=table):
            return f"table added on {node}: {table}"
        case c.TableRemoved(table=table):
            return f"table removed on {node}: {table}"
        case c.TableSet(table=table, dormant=dormant):
            return f"table {table} on {node} is {'dormant: its chains are not asked' if dormant else 'dormant no longer: its chains are asked'}"
        case c.SetAdded(own=own):
            return f"{_kind(own)} added on {node}: {_set(own)} ({own.kind}{f' : {own.maps_to}' if own.maps_to else ''})"
        case c.SetRemoved(own=own):
            return f"{_kind(own)} removed on {node}: {_set(own)}"
        case c.SetElementAdded(own=own, element=element):
            return f"element added on {node} to the {_kind(own)} {_set(own)}: {element.text}"
        case c.SetElementRemoved(own=own, element=element):
            return f"element removed on {node} from the {_kind(own)} {_set(own)}: {element.text}"
        case c.ChainAdded(chain=chain):
            return f"chain added on {node}: {_chain(chain)} ({_chain_about(chain)})"
        case c.ChainRemoved(chain=chain):
            return f"chain removed on {node}: {_chain(chain)}"
        case c.ChainPolicyChanged(chain=chain, before=before, after=after):
            return f"the policy of {_chain(chain)} on {node} is now {after or 'none'} (was {before or 'none'})"
        case c.RuleAdded(chain=chain, rule=rule):
            return f"rule added on {node} to {_chain(chain)}: {rule.text}"
        case c.RuleRemoved(chain=chain, rule=rule):
            return f"rule removed on {node} from {_chain(chain)}: {rule.text}"
        case c.RuleChanged(chain=chain, before=was, after=now):
            return f"rule changed on {node} in {_chain(chain)}: {now.text} (was {was.text})"
        case c.XtablesChanged(table=table, after=()):
            return f"legacy iptables on {node}: no more {table}"
        case c.XtablesChanged(table=table, before=was, after=now):
            lines, old = _lines(now), _lines(was)
            new, gone = [line for line in lines if line not in old], [line for line in old if line not in lines]
            told = [*new, *(f"no more {line}" for line in gone)] or ["its rules stand in another order"]
            return f"legacy iptables on {node}, table {table}: {'; '.join(told)}"


def _lines(chains: tuple[Chain, ...]) -> list[str]:
    """The rules of a table of the old iptables, and the policies that are not the usual one, as one would type them."""
    policies = [f"-P {chain.name} {chain.policy.upper()}" for chain in chains if chain.policy not in (None, "accept")]
    return policies + [f"-A {chain.name} {rule.text}" for chain in chains for rule in chain.rules]


def _set(own: NamedSet) -> str:
    return f"{own.family} {own.table} {own.name}"


def _kind(own: NamedSet) -> str:
    return "map" if own.maps_to else "set"


def _chain(own: Chain) -> str:
    return f"{own.family} {own.table} {own.name}"


def _chain_about(own: Chain) -> str:
    if own.hook is None:
        return "reached only by a jump"
    return f"hook {own.hook}" + (f", policy {own.policy}" if own.policy else "")


def _setting(change: c.ForwardingChanged | c.SysctlChanged | c.ResolversChanged | c.ListenerOpened | c.ListenerClosed) -> str:
    node = change.node
    match change:
        case c.ForwardingChanged(family=family, after=after):
            return f"{node} {'now' if switched_on(after) else 'no longer'} forwards IPv{family} packets"
        case c.SysctlChanged(name=name, before=before, after=None):
            return f"{name} on {node} is as on other devices again (was {before})" if "/" in name else f"the setting {name} on {node} is gone"
        case c.SysctlChanged(name=name, before=before, after=after):
            return f"{name} on {node} is now {after}" + (f" (was {before})" if before else "")
        case c.ResolversChanged(after=after):
            return f"{node} now asks {', '.join(after)} for names" if after else f"{node} has no name server any more"
        case c.ListenerOpened(listener=listener):
            return f"{node} now listens on {_socket(listener)}"
        case c.ListenerClosed(listener=listener):
            return f"{node} no longer listens on {_socket(listener)}"


def _socket(own: Listener) -> str:
    address = f"[{own.address}]" if own.family == 6 else own.address
    return f"{own.protocol} {address}:{own.port}"
