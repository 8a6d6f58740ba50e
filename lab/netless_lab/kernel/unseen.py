"""What a purge would take away though no picture shows it, in words: for whoever asks before a reset."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from ..model.clearing import Things
from ..model.gates import switched_on
from ..model.knobs import short
from ..model.snapshot import Node, Snapshot
from . import ipsec, mptcp, objects
from .beginning import Beginning, NodeBeginning, images
from .netlink.link import LASTING
from .netlink.neighbour import PROXIES_BODY, RTM_GETNEIGH, decode_proxy
from .netlink.qdisc import QDISCS_BODY, RTM_GETQDISC, decode_qdisc
from .netlink.route import NEXT_HOPS_BODY, ROUTES_BODY, RTM_GETNEXTHOP, RTM_GETROUTE, decode_route, expires
from .netlink.socket import NetlinkError, NetlinkSocket
from .nft.batch import Named, named_objects, table_names
from .read import NodeRef
from .settings import Difference


def unseen(ref: NodeRef, beginning: Beginning, now: Snapshot, *, born: bool = True) -> Things:
    """Differences from the beginning that ``now`` does not hold, of a node that the lab made. About a millisecond.

    ``born``: also of rules like those every namespace is born with, which a comparison of snapshots leaves out (``objects.told``).
    """
    node = now.by_netns(ref.namespace.inode)
    if node is not None and ref.role != "unknown":
        with contextlib.suppress(OSError):
            return _within(ref.name, _of_node(ref, beginning.of(ref), node, born=born))
    return Things()


def _within(name: str, found: Things) -> Things:
    return Things(*(tuple(f"{what} in {name}" for what in words) for words in (found.going, found.coming)))


def _of_node(ref: NodeRef, began: NodeBeginning, node: Node, *, born: bool) -> Things:
    there = list(_set_in(ref, began, node))
    with contextlib.closing(NetlinkSocket(ref.namespace)) as opened:
        there += _of_links(opened, began, node)
        return Things(tuple(there)) + objects.told(opened, began.objects, began.links, born=born)


def _set_in(ref: NodeRef, began: NodeBeginning, node: Node) -> Iterator[str]:
    """What is set in a node as a whole."""
    shown = {(chain.family, chain.table) for chain in node.chains}
    for family, table in table_names(ref.namespace):
        if (family, table) not in shown:
            yield f"the table {family} {table}"
    yield from (f"the {own.kind} {own.name} of the table {own.family} {own.table}" for own in named_objects(ref.namespace) if not _is_asked(own, node))
    for change in _own(began.settings.differences(ref.namespace)):
        yield f"{_name(change.key)} = {change.now}" + (f" (was {change.was})" if change.was is not None else "")
    with contextlib.suppress(OSError):  # a kernel without IPsec
        yield from ipsec.told(ref.namespace)
    with contextlib.suppress(OSError):  # a kernel without multipath TCP
        yield from mptcp.told(ref.namespace, began.mptcp)


def _is_asked(own: Named, node: Node) -> bool:
    """Whether a snapshot tells of this object: a counter does nothing but count for the rules and maps that name it."""
    place, said = (own.family, own.table), f'"{own.name}"'
    rules = (rule.text for chain in node.chains if (chain.family, chain.table) == place for rule in chain.rules)
    maps = (element.data for found in node.sets if (found.family, found.table, found.maps_to) == (*place, "counter") for element in found.elements)
    return own.kind == "counter" and (any(f"counter name {said}" in text for text in rules) or said in maps)


def _of_links(opened: NetlinkSocket, began: NodeBeginning, node: Node) -> Iterator[str]:
    names = {link.ifindex: link.name for link in node.links}
    for index, now in images(opened).items():
        was = began.links.get(index)
        if was is None:
            continue
        for kind, value in was.attributes.items():
            if now.attributes.get(kind) != value:
                yield f"the changed {LASTING[kind]} of {names.get(index, index)}"
        if now.flags != was.flags:
            yield f"the changed flags of {names.get(index, index)}"
        if now.token != was.token:
            yield f"the changed IPv6 token of {names.get(index, index)}"
    shown = {link.ifindex for link in node.links if link.programs}
    for found in map(decode_qdisc, opened.dump(RTM_GETQDISC, QDISCS_BODY)):
        if found.link in began.links and found.handle and found.link not in shown:
            yield f"the discipline {found.kind} of {names.get(found.link, found.link)}"
    for body in opened.dump(RTM_GETNEIGH, PROXIES_BODY):
        yield f"the proxy for {decode_proxy(body)}"
    for body in opened.dump(RTM_GETROUTE, ROUTES_BODY):
        if expires(body):
            yield from (f"the time limit of the route {found.route.dst}" for found in decode_route(body))
    with contextlib.suppress(NetlinkError):  # kernels before 5.3
        count = len(opened.dump(RTM_GETNEXTHOP, NEXT_HOPS_BODY))
        if count:
            yield f"{count} of ip nexthop"


def _own(changes: Sequence[Difference]) -> Iterator[Difference]:
    """Without what a snapshot holds, and without what the kernel wrote itself when somebody wrote such a one.

    Writing forwarding or disable_ipv6 for ``all`` writes it for every device; forwarding also writes accept_redirects the other way
    round (net/ipv4/devinet.c, inet_forward_change).
    """
    now = {change.key: change.now for change in changes}
    for change in changes:
        family, knob = change.key.split("/")[1], change.key.rpartition("/")[2]
        wide = f"net/{family}/conf/all/{knob}"
        if short(change.key) is not None:
            continue
        if knob in ("forwarding", "disable_ipv6") and "/conf/" in change.key and (change.key == wide or now.get(wide) == change.now):
            continue
        router = now.get("net/ipv4/ip_forward")
        if change.key == "net/ipv4/conf/all/accept_redirects" and router and switched_on(router) != switched_on(change.now):
            continue
        yield change


def _name(key: str) -> str:
    """As sysctl(8) writes it, unless a device's name has a dot of its own."""
    return key if "." in key else key.replace("/", ".")
