"""What a purge would take away though no picture shows it, in words: for whoever asks before a reset."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from ..model.gates import switched_on
from ..model.snapshot import Node, Snapshot
from . import encode, ipsec
from .attributes import attributes, ip, text
from .beginning import LASTING, Beginning, NodeBeginning, images
from .decode_link import DeviceKnobs
from .decode_neighbour import NEIGHBOUR_SIZE, PROXIES_BODY, RTM_GETNEIGH
from .nft.batch import table_names
from .read import NodeRef
from .rtnetlink import NetlinkError, NetlinkSocket
from .settings import Difference, device_of
from .sysctls import KNOBS, knob_of


def unseen(refs: Sequence[NodeRef], beginning: Beginning, now: Snapshot) -> tuple[str, ...]:
    """Differences from the beginning that ``now`` does not hold, of the nodes that the lab made. About a millisecond a node."""
    found: list[str] = []
    for ref in refs:
        node = now.by_netns(ref.namespace.inode)
        if node is not None and ref.role != "unknown":
            with contextlib.suppress(OSError):
                found += [f"{what} in {ref.name}" for what in _of_node(ref, beginning.of(ref), node)]
    return tuple(found)


def _of_node(ref: NodeRef, began: NodeBeginning, node: Node) -> Iterator[str]:
    shown = {(chain.family, chain.table) for chain in node.chains}
    for family, table in table_names(ref.namespace):
        if (family, table) not in shown:
            yield f"the table {family} {table}"
    for change in _own(began.settings.differences(ref.namespace)):
        yield f"{_name(change.key)} = {change.now}" + (f" (was {change.was})" if change.was is not None else "")
    with contextlib.suppress(OSError):  # a kernel without IPsec
        yield from ipsec.told(ref.namespace)
    with contextlib.closing(NetlinkSocket(ref.namespace)) as opened:
        yield from _of_links(opened, began, node)


def _of_links(opened: NetlinkSocket, began: NodeBeginning, node: Node) -> Iterator[str]:
    names = {link.ifindex: link.name for link in node.links}
    for index, now in images(opened).items():
        was = began.links.get(index)
        if was is None:
            continue
        for kind, value in was.attributes.items():
            if now.attributes.get(kind) != value:
                yield f"{LASTING[kind]} of {names.get(index, index)}"
        if now.flags != was.flags:
            yield f"flags of {names.get(index, index)}"
        if now.xdp and not was.xdp:
            yield f"the XDP program of {names.get(index, index)}"
    for index, discipline, handle in _disciplines(opened):
        if index in began.links and handle:
            yield f"the discipline {discipline} of {names.get(index, index)}"
    for body in opened.dump(RTM_GETNEIGH, PROXIES_BODY):
        yield f"the proxy for {ip(attributes(body, NEIGHBOUR_SIZE)[1])}"
    with contextlib.suppress(NetlinkError):  # kernels before 5.3
        count = len(opened.dump(encode.RTM_GETNEXTHOP, encode.next_hop()))
        if count:
            yield f"{count} of ip nexthop"


def _disciplines(opened: NetlinkSocket) -> Iterator[tuple[int, str, int]]:
    """(link, kind, handle) of every queueing discipline; those that the kernel gave by itself have handle 0."""
    for body in opened.dump(encode.RTM_GETQDISC, encode.qdiscs()):
        index, handle = encode.of_qdisc(body)
        yield index, text(attributes(body, encode.QDISC_SIZE).get(1, b"")), handle


def _own(changes: Sequence[Difference]) -> Iterator[Difference]:
    """Without what a snapshot holds, and without what the kernel wrote itself when somebody wrote such a one.

    Writing forwarding or disable_ipv6 for ``all`` writes it for every device; forwarding also writes accept_redirects the other way
    round (net/ipv4/devinet.c, inet_forward_change).
    """
    now = {change.key: change.now for change in changes}
    shown = frozenset(KNOBS.values())
    for change in changes:
        device, family, knob = device_of(change.key), change.key.split("/")[1], change.key.rpartition("/")[2]
        wide = f"net/{family}/conf/all/{knob}"
        if change.key in shown or (device and knob in DeviceKnobs._fields and change.key == knob_of(f"{knob}/{device}")):
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
