"""What a purge would take away though no picture shows it, in words: for whoever asks before a reset."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from ..model.clearing import Things
from ..model.gates import switched_on
from ..model.knobs import short
from ..model.snapshot import Node, Snapshot
from ..model.telling import the
from . import by_name, ipsec, mptcp, objects, offloads
from .beginning import Beginning, NodeBeginning, images
from .netlink.link import LASTING
from .netlink.neighbour import PROXIES_BODY, RTM_GETNEIGH, decode_proxy
from .netlink.qdisc import QDISCS_BODY, RTM_GETQDISC, decode_qdisc
from .netlink.route import NEXT_HOPS_BODY, ROUTES_BODY, RTM_GETNEXTHOP, RTM_GETROUTE, decode_route, expires
from .netlink.socket import NETLINK_NETFILTER, NetlinkError, NetlinkSocket
from .nft.batch import Named, named_objects, table_names
from .read import NodeRef
from .settings import Difference


def unseen(ref: NodeRef, beginning: Beginning, now: Snapshot, *, born: bool = True, given_up: Callable[[], bool] = lambda: False) -> Things:
    """Differences from the beginning that ``now`` does not hold, of a node that the lab made. About a millisecond, or as long as one question to the
    kernel when it is ``given_up`` meanwhile: then what was found is not all.

    ``born``: also of rules like those every namespace is born with, which a comparison of snapshots leaves out (``objects.told``).
    """
    node = now.by_netns(ref.namespace.inode)
    if node is not None and ref.role != "unknown":
        with contextlib.suppress(OSError):
            return _within(ref.name, _of_node(ref, beginning.of(ref), node, _above(node, now), born, given_up))
    return Things()


def _within(name: str, found: Things) -> Things:
    return Things(*(tuple(f"{what} in {the(name)}" for what in words) for words in (found.going, found.coming)))


def _of_node(
    ref: NodeRef, began: NodeBeginning, node: Node, above: frozenset[tuple[int, str]], born: bool, given_up: Callable[[], bool]
) -> Things:
    there: list[str] = []
    raised = {link.ifindex for link in node.links if link.up}
    up = {index: index in raised for index in began.links}
    with contextlib.closing(NetlinkSocket(ref.namespace)) as opened:
        for question in (_of_nft(ref, node), _of_settings(ref, began), _beside(ref, began), _of_links(opened, ref, began, node)):
            there += question
            if given_up():
                return Things(tuple(there))
        return Things(tuple(there)) + objects.told(opened, began.objects, up, above, born=born)


def _above(node: Node, now: Snapshot) -> frozenset[tuple[int, str]]:
    """(index, MAC) of the devices of a node that others stand on, wherever those are: the kernel has it take in their frames."""
    links = (link for own in now.nodes for link in own.links)
    return frozenset((link.peer.ifindex, link.mac) for link in links if link.kind != "veth" and link.peer is not None and link.peer.node == node.name)


def _of_nft(ref: NodeRef, node: Node) -> Iterator[str]:
    shown = {(chain.family, chain.table) for chain in node.chains}
    for family, table in table_names(ref.namespace):
        if (family, table) not in shown:
            yield f"the table {family} {table}"
    yield from (f"the {own.kind} {own.name} of the table {own.family} {own.table}" for own in named_objects(ref.namespace) if not _is_asked(own, node))


def _of_settings(ref: NodeRef, began: NodeBeginning) -> Iterator[str]:
    for change in _own(began.settings.differences(ref.namespace)):
        yield f"{_name(change.key)} = {change.now}" + (f" (was {change.was})" if change.was is not None else "")


def _beside(ref: NodeRef, began: NodeBeginning) -> Iterator[str]:
    with contextlib.suppress(OSError):  # a kernel without IPsec
        yield from ipsec.told(ref.namespace)
    with contextlib.suppress(OSError):  # a kernel without multipath TCP
        yield from mptcp.told(ref.namespace, began.mptcp)
    with contextlib.suppress(OSError), contextlib.closing(NetlinkSocket(ref.namespace, NETLINK_NETFILTER)) as opened:
        yield from by_name.told(opened)


def _is_asked(own: Named, node: Node) -> bool:
    """Whether a snapshot tells of this object: a counter does nothing but count for the rules and maps that name it."""
    place, said = (own.family, own.table), f'"{own.name}"'
    rules = (rule.text for chain in node.chains if (chain.family, chain.table) == place for rule in chain.rules)
    maps = (element.data for found in node.sets if (found.family, found.table, found.maps_to) == (*place, "counter") for element in found.elements)
    return own.kind == "counter" and (any(f"counter name {said}" in text for text in rules) or said in maps)


def _of_links(opened: NetlinkSocket, ref: NodeRef, began: NodeBeginning, node: Node) -> Iterator[str]:
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
    for index in offloads.changed(ref.namespace, began.offloads):
        yield f"what ethtool -k tells of {names.get(index, index)}"


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
