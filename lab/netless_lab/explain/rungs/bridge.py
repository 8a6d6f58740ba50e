"""Bridges and tunnels: a frame was seen at one interface and not at the next, although only a bridge, a cable or a tunnel lies between."""

from __future__ import annotations

from itertools import pairwise

from ...model.routes import is_group
from ...model.snapshot import FdbEntry, Node
from ...primitives.base import device
from ..case import Case
from ..cause import Cause, blame, inferred, owner_words, seen, state
from ..near import of_stop, one_mac
from ..segment import End, way


def between(case: Case) -> Cause | None:
    """What stands between the last sighting and the interface the frame was for."""
    last = case.last
    goal = _goal(case) if last.hop is not None else None
    there = way(case.before, _start(case), goal) if goal is not None else None
    if goal is not None and there is None and last.stage == "bridging":
        return _elsewhere(case, goal)
    known = {(node.name, entry.dev) for node in case.before.nodes for entry in node.fdb if entry.dst and last.hop and entry.mac == last.hop.mac_dst}
    stops = [stop for stop in there.stops if (stop.node, stop.link) not in known or stop.how != "none"] if there is not None else []
    if not stops:
        return None
    return of_stop(case, stops[0], f"the packet was last seen at {last.link} of {owner_words(last.node)}")


def _elsewhere(case: Case, goal: tuple[str, str]) -> Cause | None:
    """The frame is for an interface whose cable ends somewhere else than in this node."""
    last = case.last
    far = case.link(*goal)
    end = far.peer if far is not None and far.kind == "veth" else None
    here = case.link(last.node, last.link)
    if end is None or not end.node or end.node == last.node or here is None:
        return None
    bridge = here.master or here.name
    fact = state(f"the other end of {goal[1]} of {owner_words(goal[0])} is {end.name} of {owner_words(end.node)}", case.ip(end.node, f"link show {device(end.name)}"))
    ended = inferred(f"the packet was last seen at {last.link} of {owner_words(last.node)}")
    return blame(case, "port-unplugged", end.node, end.name, facts=(fact, ended), how="away", fix="", bridge=bridge, far=goal[1], owner=owner_words(goal[0]),
                 here=owner_words(last.node))  # fmt: skip


def _start(case: Case) -> tuple[str, str]:
    """The interface that the frame set out from on this segment: the last one that is no bridge port."""
    last = case.last
    for hop in reversed(case.hops[: last.at + 1]):
        own = hop.mac_src == (last.hop.mac_src if last.hop else "")
        if hop.direction == "out" and case.at_end(hop) and own:
            return hop.node, hop.link
    return last.node, last.link


def _goal(case: Case) -> tuple[str, str] | None:
    """The interface with the MAC that the frame is for."""
    hop = case.last.hop
    if hop is None:
        return None
    found = [End(node, link) for node in case.before.nodes for link in node.links if link.mac == hop.mac_dst and link.kind != "loopback"]
    found.sort(key=lambda end: bool(end.link.master and end.link.port))
    return found[0].place if found else None


def wrong_port(case: Case) -> Cause | None:
    """The bridge has a fixed entry that sends this MAC out of another port than the one it lives behind."""
    last = case.last
    if last.hop is None:
        return None
    targets = {last.hop.mac_dst, *(hop.mac_dst for hop in case.hops[max(0, last.at - 3) : last.at + 1])}
    for node in case.before.nodes:
        for entry in node.fdb:
            if entry.local or entry.mac not in targets or entry.state not in ("permanent", "noarp", "static") or not entry.master:
                continue
            own = any(link.name == entry.master and link.mac == entry.mac for link in node.links)
            right = "" if own else _lives_behind(case, node, entry)
            if own or (right and right != entry.dev):
                fact = inferred(f"{entry.mac} dev {entry.dev} is a {entry.state} entry", case.run(node.name, f"bridge fdb show br {entry.master}"))
                how, fix = ("own", case.run(node.name, f"bridge fdb replace {entry.mac} dev {entry.master} self local")) if own else ("", None)
                return blame(case, "fdb-wrong", node.name, entry.dev, facts=(fact,), how=how, fix=fix, bridge=entry.master, mac=entry.mac, right=right)
    return None


def _lives_behind(case: Case, node: Node, entry: FdbEntry) -> str:
    """The port of the bridge that really leads to the MAC, "" when none does."""
    ports = {(port.peer.node, port.peer.name): port.name for port in node.links if port.master == entry.master and port.peer is not None}
    homes = ((far.name, link.name) for far in case.before.nodes if far.name != node.name for link in far.links if link.mac == entry.mac)
    return next((ports[home] for home in homes if home in ports), "")


def twin_mac(case: Case) -> Cause | None:
    """Two interfaces on one segment with one MAC: the bridge sends everything to whom it heard last."""
    last = case.last
    if last.hop is None:
        return None
    asked = tuple(link.mac for _, link in case.owners(last.asked)) if last.asked else ()
    return one_mac(case, *_start(case), {last.hop.mac_dst, last.hop.mac_src, *asked})


def taken_for_its_twin(case: Case) -> Cause | None:
    """The packet came into a node that has the MAC of its next hop, and is not that."""
    hop = case.last.hop
    sender, out = _start(case)
    if hop is None or not hop.mac_dst or sender == case.last.node:
        return None
    meant = case.owners(case.route(sender, hop.dst).next_hop, sender)
    if any(node.name == case.last.node for node, _ in meant) or not any(link.mac == hop.mac_dst for _, link in meant):
        return None
    return one_mac(case, sender, out, {hop.mac_dst})


def not_flooded(case: Case) -> Cause | None:
    """A port on the way lets no multicast out, by which IPv6 asks for a neighbour (RFC 4861, section 7.2.2)."""
    last = case.last
    if case.family == 4:
        return None
    for owner in case.owners(last.asked):
        there = way(case.before, (last.node, last.link), owner.place)
        for (_, bridge), (name, out) in pairwise(there.places if there is not None else ()):
            port = case.link(name, out)
            if port is not None and port.master == bridge and port.option("mcast_flood") == "off":
                off = state(f"{out} has mcast_flood off", case.run(name, f"bridge -d link show dev {out}"))
                unheard = inferred(f"the question for {last.asked} was never heard at {out}")
                fix = case.run(name, f"bridge link set dev {out} mcast_flood on")
                return blame(case, "port-flood", name, out, facts=(off, unheard), how="multicast", fix=fix, bridge=bridge)
    return None


def no_hairpin(case: Case) -> Cause | None:
    """The frame would have to leave by the port it came in by, which a bridge does not do unless told (bridge(8), hairpin)."""
    last = case.last
    goal = _goal(case)
    bridge = case.link(last.node, last.link)
    out = last.hop is not None and last.hop.direction == "out"
    if not out or goal is None or bridge is None or bridge.kind != "bridge" or goal[0] != case.probe.node:
        return None
    ports = (link for link in case.node(last.node).links if link.master == bridge.name and link.peer)
    port = next((link for link in ports if link.peer and (link.peer.node, link.peer.name) == goal), None)
    if port is None or port.port is None or port.port.hairpin or not case.redirects:
        return None
    fact = inferred(f"{port.name} has hairpin off", case.run(last.node, f"bridge -d link show dev {port.name}"))
    fix = case.run(last.node, f"bridge link set dev {port.name} hairpin on")
    return blame(case, "no-hairpin", last.node, port.name, facts=(fact,), how="port", site="link", fix=fix)


def not_unpacked(case: Case) -> Cause | None:
    """The packet was last seen inside a tunnel's packet (RFC 7348), in a node that has no device for that network.

    A tunnel may send to a group: then everybody who joined it is meant, and no node owns the address.
    """
    hop = case.last.hop
    if hop is None or hop.tunnel is None:
        return None
    outer = hop.tunnel.dst
    owners = case.owners(outer)
    if not owners and not is_group(outer):
        device = next((link for link in case.node(hop.node).links if link.vxlan is not None), None)
        return blame(case, "vxlan-remote", hop.node, device.name if device else "", facts=(inferred(hop.text),), address=outer)
    node = case.node(hop.node)
    if hop.direction == "out" or not (is_group(outer) or any(own.name == hop.node for own, _ in owners)):
        return None
    return _untaken(case, node, hop.tunnel.vni, group=is_group(outer))


def _meant_for_another(case: Case, node: Node, vni: int) -> Cause | None:
    """The tunnel that sends to ``node`` names the wrong far end: its network's other one is elsewhere."""
    ends = [(one, link, link.vxlan.remote) for one in case.before.nodes for link in one.links if link.vxlan is not None and link.vxlan.vni == vni]
    sender = next(((one, link, remote) for one, link, remote in ends if remote and node.owner(remote) is not None), None)
    far = next((one for one, _, _ in ends if sender is not None and one.name != sender[0].name), None)
    if sender is None or far is None:
        return None
    one, link, remote = sender
    came = seen(f"the tunnel's packet came to {owner_words(node.name)}, which has no vxlan device", case.ip(node.name, "-d link show type vxlan"))
    names = inferred(f"{link.name} has the remote {remote}", case.ip(one.name, f"-d link show {device(link.name)}"))
    return blame(case, "vxlan-remote", one.name, link.name, facts=(came, names), how="other", address=remote, far=owner_words(far.name))


def _untaken(case: Case, node: Node, vni: int, *, group: bool) -> Cause | None:
    """Why no device of the node took a packet of network ``vni``."""
    devices = [(link, link.vxlan) for link in node.links if link.vxlan is not None]
    look = case.ip(node.name, "-d link show type vxlan")
    if not devices:
        if group:  # whoever has no tunnel hears the group as well, and is not meant
            return None
        plain = blame(case, "vni-mismatch", node.name, facts=(inferred(f"the packet is for network {vni}", look),), how="none")
        return _meant_for_another(case, node, vni) or plain
    if not any(tunnel.vni == vni for _, tunnel in devices):
        link, tunnel = devices[0]
        own = state(f"{link.name} has VNI {tunnel.vni}", case.ip(node.name, f"-d link show {device(link.name)}"))
        return blame(case, "vni-mismatch", node.name, link.name, facts=(seen(f"the packet carries VNI {vni}"), own), vni=vni, own=tunnel.vni)
    down = next((link for link, tunnel in devices if tunnel.vni == vni and not link.up), None)
    if down is None:
        return None
    facts = (state(f"{down.name} is down", case.ip(node.name, f"link show {device(down.name)}")), seen(f"the packet carries VNI {vni}"))
    return blame(case, "link-down", node.name, down.name, facts=facts)
