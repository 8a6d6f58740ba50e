"""Labs nobody would build: random snapshots for tests that must hold for every shape. The seed tells which lab; nothing is random else."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from helpers.snapshots import default, forward_drop, lab, link, lo, masquerade, node
from netless_lab.model.snapshot import BridgePort, Chain, Link, Name, Node, Role, Snapshot, Vxlan

ROLES: tuple[Role, ...] = ("container", "container", "container", "unknown", "router", "internet", "host")
KINDS = ("veth", "veth", "veth", "bridge", "bridge", "macvlan", "vxlan", "tun", "physical", "dummy", "wireguard")


def random_lab(seed: int, nodes: int = 6, links: int = 5) -> Snapshot:
    """A lab of up to ``nodes`` nodes with up to ``links`` links each, wired at random, some of it to nowhere."""
    chance = random.Random(seed)
    names = chance.sample(["c1", "c2", "c3", "h2", "r1", "a-rather-long-namespace-name", "名字", "x", "web", "db", "isp"], k=10)
    cast: list[Node] = []
    if chance.random() < 0.85:
        cast.append(node("host", "host", *_links(chance, links + 3), lo_up=chance.random() < 0.8, **_tables(chance)))
    if chance.random() < 0.6:
        cast.append(node("internet", "internet", *_links(chance, 2), **_tables(chance)))
    for name in names[: chance.randint(0, nodes)]:
        cast.append(node(name, chance.choice(ROLES), *_links(chance, links), lo_up=chance.random() < 0.5, **_tables(chance)))
    wired = _wire(chance, cast)
    dangling = tuple(Name(f"{4000 + n}", None, "symlink", 4000 + n) for n in range(chance.choice((0, 0, 1, 3))))
    snapshot = lab(*wired)
    return msgspec.structs.replace(snapshot, names=snapshot.names + dangling)


def _tables(chance: random.Random) -> dict[str, Any]:
    chains: list[Chain] = []
    if chance.random() < 0.4:
        chains.append(masquerade())
    if chance.random() < 0.3:
        chains.append(forward_drop(*(['iifname "br0"'] if chance.random() < 0.5 else [])))
    routes = (default("10.0.0.1", f"l{chance.randint(0, 4)}"),) if chance.random() < 0.5 else ()
    names = (f"ns{chance.randint(1, 9)}",) if chance.random() < 0.3 else ()
    return {"chains": tuple(chains), "routes": routes, "names": names}


def _links(chance: random.Random, most: int) -> list[Link]:
    found = []
    for n in range(chance.randint(0, most)):
        kind = chance.choice(KINDS)
        cidrs = [
            f"10.{chance.randint(0, 9)}.{n}.{chance.randint(1, 254)}/{chance.choice((8, 24, 32))}"
            for _ in range(chance.choice((0, 1, 1, 3)))
        ]
        if chance.random() < 0.2:
            cidrs.append(f"fd00:{n}::{chance.randint(1, 9)}/64")
        name = chance.choice((f"l{n}", f"veth{n}", f"longlonglong{n}", f"br{n}" if kind == "bridge" else f"e{n}"))
        up = chance.random() < 0.7
        more: dict[str, Any] = {"vxlan": Vxlan(chance.randint(1, 9999), 4789, remote=chance.choice((None, "192.0.2.2")))} if kind == "vxlan" else {}
        port = chance.choice((None, BridgePort("blocking"), BridgePort("forwarding"), BridgePort("listening")))
        found.append(link(name, *cidrs, kind=kind, up=up, carrier=up and chance.random() < 0.7, port=port, **more))
    unique = {own.name: own for own in found}
    own = list(unique.values())
    if chance.random() < 0.2:
        own.append(lo("198.51.100.10/32"))
    return own


def _wire(chance: random.Random, cast: list[Node]) -> list[Node]:
    """Pair cable ends at random, enslave at random, set macvlans on anything; leave some ends in the dark."""
    ends = [(n, k) for n, each in enumerate(cast) for k, own in enumerate(each.links) if own.kind == "veth"]
    chance.shuffle(ends)
    links = [list(each.links) for each in cast]
    while len(ends) > 1:
        (n, k), (m, j) = ends.pop(), ends.pop()
        if chance.random() < 0.85:
            links[n][k] = _towards(links[n][k], cast[m].name, links[m][j].name)
            links[m][j] = _towards(links[m][j], cast[n].name, links[n][k].name)
        else:
            links[n][k] = _towards(links[n][k], chance.choice(("", "nobody")), "veth99")
    for n, own in enumerate(links):
        bridges = [each.name for each in own if each.kind == "bridge"]
        for k, each in enumerate(own):
            if each.kind == "macvlan" and cast:
                m = chance.randrange(len(cast))
                if links[m]:
                    own[k] = _towards(each, cast[m].name, chance.choice(links[m]).name)
            if bridges and chance.random() < 0.5:
                own[k] = msgspec.structs.replace(own[k], master=chance.choice((*bridges, "gone0")))
        cast[n] = msgspec.structs.replace(cast[n], links=tuple(own))
    return cast


def _towards(own: Link, where: str, name: str) -> Link:
    return link(
        own.name, *(each.cidr for each in own.addresses), kind=own.kind, up=own.up, carrier=own.carrier, peer=f"{where}:{name}",
        port=own.port, master=own.master,
    )  # fmt: skip
