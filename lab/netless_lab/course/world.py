"""The ``[world]`` of a course.toml: what exists before the first step; and its ``[faults]``: which nodes a fault can be in.

    [world]
    containers = ["c1"]                           containers that run, with only lo in each
    do = [{ bridge = "br0" }]                     what is there already, as actions like those of a step

    [world.outside]                               what lies behind the host's uplink; what is left out is as in model.outside
    uplink = "eth0"
    address = "203.0.113.2/24"                    the host's own
    router = "203.0.113.1"                        its default gateway
    domain = "example.test"                       the name server's zone; it and www in it are the site, ns is the name server
    site = "198.51.100.10"
    name-server = "198.51.100.53"

    [world.hosts.far]                             a further host, each in a network of its own, with its own cable to the provider
    address = "203.0.113.130/25"
    router = "203.0.113.129"
    uplink = "eth0"

    [world.outside.names]                         more names of the zone
    "shop.example.test" = "198.51.100.10"

    [world.outside.pages]                         pages of the site
    "/" = "Hello."

    [faults.c1]                                   what the placeholders of fault files stand for in this node
    link = "veth1"                                a fault file speaks of ``{link}``, and of ``{node}``, which is c1 here
    other = "c2"

Every node of ``[faults]`` has the same placeholders: a file that can be had in one can be had in all.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from typing import Final

import msgspec

from ..model.outside import USUAL, FarHost, Outside
from ..primitives.base import Action
from ..primitives.namespace import StartContainer, StopContainer
from ..primitives.roles import RoleName
from . import fields
from .items import read_action
from .markdown import Table
from .outline import outline, start
from .problems import Objection, Report, did_you_mean
from .step import FaultNode, World
from .words import bad_id, objection, words_of

_KEYS: Final = ("containers", "do", "outside", "hosts")
_HOST: Final[dict[str, RoleName | None]] = {"address": "cidr", "router": "ip", "uplink": "link"}
MOST_HOSTS: Final = 8
"""Further hosts at most: each is drawn with all that is on it."""
_RESERVED: Final = ("host", "internet")
_OUTSIDE: Final[dict[str, RoleName | None]] = {
    "uplink": "link", "address": "cidr", "router": "ip", "site": "ip", "name-server": "ip", "domain": None, "names": None, "pages": None,
}  # fmt: skip
MOST_CONTAINERS: Final = 100
"""More than a lab starts with; what is more than that was written by a program, to keep its readers busy."""
MOST_ENTRIES: Final = 200
"""Names of the outside at most, and pages."""


def read_world(course: Table, report: Report) -> World:
    """The world of a course; what is wrong with it is in the report, with its line."""
    table = fields.inner(course, "world", report, 'Write [world] and containers = ["c1"].')
    if table is None:
        return World()
    fields.check_keys(table, _KEYS, "a world", report)
    outside = _outside(table, report)
    world = World(_containers(table, report), outside, hosts=_hosts(table, outside, report))
    for name in {own.name for own in world.hosts} & {*world.containers}:
        report.add(table.line("hosts"), f'"{name}" is a host and a container.', "Names of nodes are unique.")
    return msgspec.structs.replace(world, do=_actions(table, world, report))


def _containers(table: Table, report: Report) -> tuple[str, ...]:
    names = fields.texts(table, "containers", report)
    if len(names) > MOST_CONTAINERS:
        report.add(table.line("containers"), f"{len(names)} containers are more than a lab starts with.", f"At most {MOST_CONTAINERS} are.")
        names = names[:MOST_CONTAINERS]
    seen: set[str] = set()
    for index, name in enumerate(names):
        line = table.line("containers", index)
        report.refuse(line, objection("node", name))
        if name in _RESERVED:
            report.add(line, f'"{name}" is always there and is no container.', "Call the container c1, c2 ...")
        if name in seen:
            report.add(line, f'the container "{name}" is listed twice.', "Names of nodes are unique.")
        seen.add(name)
    return names


def _actions(table: Table, world: World, report: Report) -> tuple[Action, ...]:
    """What is there already. Each action finds what it speaks of: nodes of this world, and names the kernel takes."""
    found: list[Action] = []
    sketch = start(world)
    for line, action in fields.each(table, "do", read_action, report):
        if isinstance(action, StartContainer | StopContainer):
            report.add(line, f'the container "{action.node}" is started or stopped by the world itself.', "List what runs in containers = [...].")
            continue
        refused = [word for word in words_of(action) if report.refuse(line, objection(word.role, word.text))]
        nodes = {node.name for known in (sketch, outline(sketch, (action,))) for node in known.nodes}
        unknown = [word.text for word in words_of(action) if word.role == "node" and word.text not in nodes]
        for name in unknown:
            report.add(line, f'there is no node "{name}" in this world.', did_you_mean(name, nodes, "Nodes"))
        if not refused and not unknown:
            sketch = outline(sketch, (action,))
            found.append(action)
    return tuple(found)


def _outside(world: Table, report: Report) -> Outside:
    table = fields.inner(world, "outside", report, 'Write [world.outside] and, say, site = "198.51.100.10".')
    if table is None:
        return USUAL
    before = len(report.problems)
    fields.check_keys(table, _OUTSIDE, "the outside", report)
    told = {key.replace("-", "_"): _word(table, key, role, report) for key, role in _OUTSIDE.items()
            if key in table.values and key not in ("names", "pages")}
    names, pages = _pairs(table, "names", report), _pairs(table, "pages", report)
    if len(report.problems) != before:
        return USUAL
    outside = msgspec.structs.replace(USUAL, **told, names=names, pages=pages)
    _check_addresses(outside, table, report)
    _check_names(outside, table, report)
    return outside if len(report.problems) == before else USUAL


def _hosts(world: Table, outside: Outside, report: Report) -> tuple[FarHost, ...]:
    table = fields.inner(world, "hosts", report, 'Write [world.hosts.far] and in it address = "203.0.113.130/25" and router = "203.0.113.129".')
    if table is None:
        return ()
    if len(table.values) > MOST_HOSTS:
        report.add(world.line("hosts"), f"{len(table.values)} further hosts are more than a world has.", f"At most {MOST_HOSTS} are.")
        return ()
    found: list[FarHost] = []
    for name in table.values:
        before = len(report.problems)
        inner = fields.inner(table, name, report, f"Write [world.hosts.{name}].")
        if inner is None:
            continue
        for role in ("node", "link"):
            report.refuse(table.line(name), objection(role, name))
        if name in (*_RESERVED, "lo", outside.uplink):
            report.add(table.line(name), f'"{name}" is a name that is taken.', 'Call the host otherwise: "far".')
        fields.check_keys(inner, _HOST, "a host", report)
        told = {key: _word(inner, key, role, report) for key, role in _HOST.items() if key != "uplink" or key in inner.values}
        if len(report.problems) != before:
            continue
        own = FarHost(name, **told)
        _check_router(own.address, own.router, inner, report)
        for other, address in (("the host", outside.address), *((before_it.name, before_it.address) for before_it in found)):
            if IPv4Interface(address).network.overlaps(IPv4Interface(own.address).network):
                report.add(inner.line("address"), f"{own.address} is in the network of {other}, {address}.", "Each host has a network of its own.")
        if len(report.problems) == before:
            found.append(own)
    return tuple(found)


def _word(table: Table, key: str, role: RoleName | None, report: Report) -> str:
    text = fields.text(table, key, report, required="Give it a value, or leave it out.")
    refused = objection(role, text) if role is not None else _bad_domain(text)
    if key == "uplink" and text == "lo":
        report.add(table.line(key), '"lo" is the loopback of each node.', 'Call the uplink otherwise: "eth0".')
    elif text and refused:
        report.refuse(table.line(key), refused)
    elif role in ("ip", "cidr") and ":" in text:
        report.add(table.line(key), f'"{text}" is an IPv6 address, and the outside speaks IPv4.', 'Write four numbers, as in "198.51.100.10".')
    return text


def _pairs(table: Table, key: str, report: Report) -> tuple[tuple[str, str], ...]:
    """A table of texts by texts."""
    inner = fields.inner(table, key, report, f'Write [world.outside.{key}], and in it lines like "..." = "...".')
    if inner is None:
        return ()
    if len(inner.values) > MOST_ENTRIES:
        report.add(table.line(key), f"{len(inner.values)} {key} are more than the outside has.", f"At most {MOST_ENTRIES} are.")
        return ()
    return tuple((name, fields.text(inner, name, report, required=f'Write "{name}" = "...".')) for name in inner.values)


def _check_addresses(outside: Outside, table: Table, report: Report) -> None:
    """What lies beyond the router is not in the host's own network."""
    _check_router(outside.address, outside.router, table, report)
    own = IPv4Interface(outside.address)
    for key, text in (("site", outside.site), ("name-server", outside.name_server)):
        if IPv4Address(text) in own.network and text != outside.router:
            advice = f"Take an address outside of {own.network}, or the router's."
            report.add(table.line(key if key in table.values else "address"), f"{text} ({key}) is in the network of the uplink itself.", advice)


def _check_router(address: str, gateway: str, table: Table, report: Report) -> None:
    """The router is the host's neighbour."""
    own, router = IPv4Interface(address), IPv4Address(gateway)
    if own.network.prefixlen > 30:
        report.add(table.line("address"), f'in the network of "{address}" there is no room for a router.', "Take a prefix of at most 30.")
    elif router not in own.network or router == own.ip or router in (own.network.network_address, own.network.broadcast_address):
        report.add(
            table.line("router" if "router" in table.values else "address"),
            f"the router {router} is no neighbour of the host, which is {own}.",
            f'Take another address of {own.network}, such as router = "{next(host for host in own.network.hosts() if host != own.ip)}".',
        )
    elif own.ip in (own.network.network_address, own.network.broadcast_address):
        report.add(table.line("address"), f"{own.ip} is no host's address in {own.network}.", "Take another one of that network.")


def _check_names(outside: Outside, table: Table, report: Report) -> None:
    """Names are of the zone and have addresses, paths begin with a slash."""
    names, pages = table.inner("names"), table.inner("pages")
    for name, address in outside.names:
        if name != outside.domain and not name.endswith(f".{outside.domain}"):
            report.add(names.line(name), f'the name "{name}" is not in {outside.domain}.', f'Write "{name.split(".")[0]}.{outside.domain}".')
        for refused in (_bad_domain(name), objection("ip", address)):
            report.refuse(names.line(name), refused)
        if ":" in address:
            report.add(names.line(name), f'"{address}" is an IPv6 address, and the outside speaks IPv4.', 'Write four numbers, as in "198.51.100.10".')
    for path, _ in outside.pages:
        if not path.startswith("/") or not path.isascii() or any(sign.isspace() or sign in "?#" for sign in path):
            report.add(pages.line(path), f'"{path}" is no path of a page.', 'Write "/" or "/big".')


def _bad_domain(text: str) -> Objection | None:
    """Why ``text`` is no domain name that can be asked for, or None (RFC 1035, 2.3.1: labels of at most 63, together at most 253)."""
    if len(text) <= 253 and all(len(label) <= 63 and bad_id(label) is None for label in text.split(".")):
        return None
    return Objection(f'"{text}" is no domain name.', 'Write labels of small letters, digits and hyphens, as in "example.test".')


MOST_NODES = 8
"""More than a drill has use for; what is more than that was written by a program, to keep its readers busy."""


def read_fault_nodes(course: Table, report: Report) -> tuple[FaultNode, ...]:
    """The nodes in the order of the file; what is wrong with them is in the report, with its line."""
    table = fields.inner(course, "faults", report, 'Write [faults.c1] and link = "veth1".')
    if table is None:
        return ()
    if len(table.values) > MOST_NODES:
        report.add(course.line("faults"), f"{len(table.values)} nodes are more than faults can be in.", f"At most {MOST_NODES} are.")
        return ()
    found: list[FaultNode] = []
    for node in table.values:
        own = fields.inner(table, node, report, f'Write [faults.{node}] and link = "veth1".')
        if own is None:
            continue
        report.refuse(table.line(node), objection("node", node))
        words = {"node": node} | {key: fields.text(own, key, report, required=f'Write {key} = "...".') for key in own.values}
        if found and words.keys() != found[0].words.keys():
            odd = sorted(words.keys() ^ found[0].words.keys())
            report.add(table.line(node), f'"{node}" and "{found[0].node}" do not have the same placeholders: {", ".join(odd)}.', "Give every node all of them.")
        found.append(FaultNode(node, words))
    return tuple(found)
