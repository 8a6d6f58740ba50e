"""Build snapshots by hand, as small and readable as a drawing.

    from helpers.snapshots import bridge, container, host, internet, lab, lab_with, veth

    lab(
        host(bridge("br0", "10.0.0.1/24"), veth("veth2", "c1:veth1", master="br0")),
        container("c1", veth("veth1", "host:veth2", "10.0.0.2/24")),
    )

``lab`` does what the kernel would: it numbers namespaces and links, resolves the peers and sets the carrier (a cable is live when
both its ends are up). ``lab_with(n)`` is the whole network of the post with n containers. Values only: no kernel is asked.
"""

from __future__ import annotations

import zlib
from typing import Any, Literal

import msgspec

from helpers.rules import rule
from netless_lab.model.snapshot import Address, BridgePort, Chain, Link, Name, Node, Peer, Role, Route, Snapshot, Vxlan

FORWARD = "ip_forward"
"""The key of the forwarding switch in ``Node.sysctls``."""


def address(cidr: str) -> Address:
    """``10.0.0.2/24`` or ``fd00::2/64`` as an address; fe80:: and loopback ones get the scope the kernel gives them."""
    text, _, prefix = cidr.partition("/")
    family: Literal[4, 6] = 6 if ":" in text else 4
    scope = "host" if text.startswith("127.") or text == "::1" else "link" if text.startswith("fe80:") else "global"
    return Address(address=text, prefix=int(prefix or (128 if family == 6 else 32)), family=family, scope=scope)


def link(name: str, *addresses: str, kind: str = "physical", up: bool = True, peer: str | None = None, **more: Any) -> Link:
    """Any link. ``peer`` is written ``node:link``; ``carrier`` follows from ``up`` (and from the peer, in ``lab``)."""
    far = None
    if peer is not None:
        node, _, port = peer.rpartition(":")
        far = Peer(node=node, name=port, ifindex=0)
    more.setdefault("carrier", up)
    return Link(name=name, ifindex=0, kind=kind, up=up, peer=far, addresses=tuple(map(address, addresses)), **more)


def veth(name: str, peer: str, *addresses: str, **more: Any) -> Link:
    """One end of a cable: ``veth("veth1", "host:veth2", "10.0.0.2/24")``."""
    return link(name, *addresses, kind="veth", peer=peer, **more)


def bridge(name: str, *addresses: str, **more: Any) -> Link:
    """A bridge, up unless said otherwise."""
    return link(name, *addresses, kind="bridge", **more)


def vxlan(name: str, vni: int, *addresses: str, remote: str | None = None, **more: Any) -> Link:
    """A vxlan device."""
    return link(name, *addresses, kind="vxlan", vxlan=Vxlan(vni=vni, port=4789, remote=remote), **more)


def lo(*extra: str, up: bool = True) -> Link:
    """The loopback: with 127.0.0.1/8 and ::1 when it is up, and any further addresses."""
    own = ("127.0.0.1/8", "::1/128") if up else ()
    return link("lo", *own, *extra, kind="loopback", up=up, mtu=65536)


def node(name: str, role: Role, *links: Link, lo_up: bool = True, **more: Any) -> Node:
    """A node with its loopback first, unless ``links`` bring their own."""
    if not any(own.kind == "loopback" for own in links):
        links = (lo(up=lo_up), *links)
    return Node(name=name, role=role, netns=0, links=links, **more)


def host(*links: Link, forwarding: bool = False, **more: Any) -> Node:
    """The pretend host."""
    return node("host", "host", *links, sysctls={FORWARD: "1" if forwarding else "0"}, **more)


def container(name: str, *links: Link, **more: Any) -> Node:
    """A container."""
    return node(name, "container", *links, sysctls={FORWARD: "0"}, **more)


def internet(*links: Link, **more: Any) -> Node:
    """The pretend internet: by default the router at the other end of the host's eth0."""
    return node("internet", "internet", *(links or (veth("isp0", "host:eth0", "203.0.113.1/24"),)), sysctls={FORWARD: "1"}, **more)


def uplink(**more: Any) -> Link:
    """The host's eth0, plugged into the pretend internet."""
    return veth("eth0", "internet:isp0", "203.0.113.2/24", **more)


def masquerade(subnet: str = "10.0.0.0/24", out: str = "br0") -> Chain:
    """A postrouting chain that masquerades what leaves ``subnet`` by any other device than ``out``."""
    own = rule(f'ip saddr {subnet} oifname != "{out}" masquerade', 4)
    return Chain(family="ip", table="lab", name="postrouting", type="nat", hook="postrouting", priority=100, policy="accept", rules=(own,))


def forward_drop(*accepts: str) -> Chain:
    """A forward chain whose policy drops, with accepting rules such as ``iifname "br0"``."""
    rules = tuple(rule(f"{text} accept", 10 + i) for i, text in enumerate(accepts))
    return Chain(family="ip", table="lab", name="forward", type="filter", hook="forward", policy="drop", rules=rules)


def default(via: str, dev: str) -> Route:
    """A default route."""
    return Route(dst="default", via=via, dev=dev)


def lab(*nodes: Node, names: tuple[Name, ...] | None = None, taken: int = 0) -> Snapshot:
    """The nodes as one snapshot, host first: namespaces and links numbered, peers resolved, carriers and MACs set.

    Links keep an ifindex or MAC they already have. Names of the nodes (``names=("c1",)``) become /run/netns entries.
    """
    ordered = sorted(nodes, key=lambda each: each.role != "host")
    numbered = [_number(each) for each in ordered]
    ends = {(each.name, own.name): own for each in numbered for own in each.links}
    wired = tuple(msgspec.structs.replace(each, links=tuple(_wire(own, ends) for own in each.links)) for each in numbered)
    if names is None:
        names = tuple(Name(name=name, netns=each.netns) for each in wired for name in each.names)
    return Snapshot(nodes=wired, names=names, taken=taken)


def lab_with(n: int, *, nat: bool = True, forwarding: bool = True, firewall: Chain | None = None) -> Snapshot:
    """The network of the post with ``n`` containers on br0, the way out and, unless switched off, its open gates."""
    ports = [veth(f"veth{2 * i}", f"c{i}:veth{2 * i - 1}", master="br0", port=BridgePort(state="forwarding")) for i in range(1, n + 1)]
    chains = ((masquerade(),) if nat else ()) + ((firewall,) if firewall else ())
    way_out = (default("203.0.113.1", "eth0"),)
    outside = host(uplink(), bridge("br0", "10.0.0.1/24"), *ports, forwarding=forwarding, chains=chains, routes=way_out)
    inside = []
    for i in range(1, n + 1):
        own = veth(f"veth{2 * i - 1}", f"host:veth{2 * i}", f"10.0.0.{i + 1}/24")
        inside.append(container(f"c{i}", own, routes=(default("10.0.0.1", own.name),)))
    return lab(outside, *inside, internet())


def edit(snapshot: Snapshot, where: str, which: str, /, **changes: Any) -> Snapshot:
    """The snapshot with some fields of one link changed, and nothing else: ``edit(before, "host", "br0", up=False)``."""
    nodes = tuple(
        msgspec.structs.replace(
            each,
            links=tuple(msgspec.structs.replace(own, **changes) if own.name == which else own for own in each.links),
        )
        if each.name == where
        else each
        for each in snapshot.nodes
    )
    return msgspec.structs.replace(snapshot, nodes=nodes)


def edit_node(snapshot: Snapshot, where: str, /, **changes: Any) -> Snapshot:
    """The snapshot with some fields of one node changed: ``edit_node(before, "c1", routes=(default("10.0.0.1", "veth1"),))``."""
    nodes = tuple(msgspec.structs.replace(each, **changes) if each.name == where else each for each in snapshot.nodes)
    return msgspec.structs.replace(snapshot, nodes=nodes)


def _number(each: Node) -> Node:
    """Numbers follow from names, so that the same thing has the same numbers in two snapshots, whatever else is in them."""
    used = {own.ifindex for own in each.links if own.ifindex}
    links = []
    for own in each.links:
        index = own.ifindex or (1 if own.kind == "loopback" else 2 + _hash(own.name) % 900)
        while index in used and not own.ifindex:
            index += 1
        used.add(index)
        links.append(msgspec.structs.replace(own, ifindex=index, mac=own.mac or _mac(each, own)))
    return msgspec.structs.replace(each, netns=each.netns or 4026532000 + _hash(each.name) % 100000, links=tuple(links))


def _mac(each: Node, own: Link) -> str:
    """The end of a cable keeps its MAC wherever it is moved; any other link has one of its own."""
    if own.kind == "loopback":
        return "00:00:00:00:00:00"
    seed = f"{own.name} {own.peer.name}" if own.peer is not None and own.kind == "veth" else f"{each.name} {own.name}"
    number = _hash(seed)
    return "0e:00:" + ":".join(f"{number >> shift & 255:02x}" for shift in (24, 16, 8, 0))


def _hash(text: str) -> int:
    return zlib.crc32(text.encode())


def _wire(own: Link, ends: dict[tuple[str, str], Link]) -> Link:
    if own.peer is None:
        return own
    far = ends.get((own.peer.node, own.peer.name))
    if far is None:
        return own
    carrier = own.carrier if own.kind != "veth" else own.up and far.up
    return msgspec.structs.replace(own, peer=msgspec.structs.replace(own.peer, ifindex=far.ifindex), carrier=carrier)
