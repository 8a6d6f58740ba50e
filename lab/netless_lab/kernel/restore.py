"""One namespace back to the links of a baseline, and then, as ``objects`` has them, to what rests on links."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Final

from ..model.snapshot import Address, Link, Node
from . import objects, sweep
from .beginning import NodeBeginning, images
from .netlink.attributes import attribute, nest, number, string
from .netlink.link import (
    IFLA_ALT_IFNAME,
    IFLA_IFALIAS,
    IFLA_IFNAME,
    IFLA_MASTER,
    IFLA_MTU,
    IFLA_PROP_LIST,
    LASTING,
    LEAST_MTU6,
    NOARP,
    PROMISC,
    RTM_DELLINKPROP,
    RTM_SETLINK,
    SETTABLE_FLAGS,
    UP,
    XDP_MODES,
    RawLink,
    encode_link,
    encode_quiet,
    encode_token,
    encode_up,
    encode_without_xdp,
    flags_of,
    hardware_address,
)
from .netlink.qdisc import RTM_DELQDISC, encode_ingress, encode_root
from .netlink.route import NEXT_HOPS_BODY, RTM_DELNEXTHOP, RTM_GETNEXTHOP, decode_next_hop, encode_next_hop
from .netlink.socket import ACK, NetlinkError, NetlinkSocket

_ANY_NAME: Final = "link%d"
"""One that no link of the namespace has: the kernel finds the number."""


class Restorer:
    """Works on one namespace through one socket, which stays the caller's."""

    def __init__(self, opened: NetlinkSocket, baseline: Node, began: NodeBeginning) -> None:
        self._socket = opened
        self._baseline = baseline
        self._images = began.links
        self._objects = began.objects
        self._asked = 0
        self.problems: list[str] = []
        self.touched: frozenset[str] = frozenset()

    def extras(self, spoiled: frozenset[str] = frozenset()) -> tuple[RawLink, ...]:
        """Links that are not of the baseline. Identity is the index and the kind: a name is only a label.

        Cables called as in ``spoiled`` count too: they cannot be put right, only made anew.
        """
        known = {(link.ifindex, link.kind) for link in self._baseline.links if link.kind != "veth" or link.name not in spoiled}
        return tuple(raw for raw in sweep.links(self._socket) if raw.link.kind != "loopback" and (raw.link.ifindex, raw.link.kind) not in known)

    def missing(self) -> tuple[Link, ...]:
        """Links of the baseline that are gone. A namespace that had none is not asked."""
        wanted = [link for link in self._baseline.links if link.kind != "loopback"]
        there = {(raw.link.ifindex, raw.link.kind) for raw in sweep.links(self._socket)} if wanted else ()
        return tuple(link for link in wanted if (link.ifindex, link.kind) not in there)

    def names(self) -> None:
        """Give links back their names, and let each go of what is not its own first: it may be the name of another, or of one that is to be made anew."""
        own = self._own()
        for raw, wanted in own:
            for name in set(raw.link.altnames) - set(wanted.altnames):
                listed = nest(IFLA_PROP_LIST, string(IFLA_ALT_IFNAME, name))
                self._do(f"take the name {name} from {wanted.name}", RTM_DELLINKPROP, encode_link(raw.link.ifindex, listed))
        misnamed, borne = [wanted for raw, wanted in own if raw.link.name != wanted.name], {raw.link.name for raw, _ in own}
        for wanted in misnamed:
            if wanted.name in borne:
                self._rename(wanted, _ANY_NAME)
        for wanted in misnamed:
            self._rename(wanted, wanted.name)

    def renamed(self) -> dict[str, str]:
        """What links of the baseline are called now that have another name."""
        return {wanted.name: raw.link.name for raw, wanted in self._own() if raw.link.name != wanted.name}

    def _own(self) -> list[tuple[RawLink, Link]]:
        """The links of the baseline that are there, each with what it shall be."""
        pairs = ((raw, next((link for link in self._baseline.links if _same(link, raw.link)), None)) for raw in sweep.links(self._socket))
        return [(raw, wanted) for raw, wanted in pairs if wanted is not None]

    def links(self) -> None:
        """The links themselves, which have their names. Those in ``touched`` need their settings once more: IPv6 begins anew on a link whose MTU was below 1280."""
        for raw, wanted in self._own():
            asked = self._asked
            self._link(raw, wanted)
            if self._asked != asked:
                self.touched |= {wanted.name}
        self._attributes()
        self._begin_again(objects.bereft(self._socket, self._objects))

    def _begin_again(self, bereft: Collection[int]) -> None:
        """Links from which somebody took what the kernel makes for IPv6: ::1 of a loopback, say. It makes it when a link is switched on."""
        for link in self._baseline.links:
            if link.up and link.ifindex in bereft and link.name not in self.touched:
                self._do(f"switch {link.name} off", RTM_SETLINK, encode_link(link.ifindex, mask=UP))
                self._do(f"switch {link.name} on", RTM_SETLINK, encode_up(link.ifindex))
                self.touched |= {link.name}

    def routing(self) -> None:
        """What rests on links that are as they should be, and on each other in this order."""
        self._next_hops()
        self.problems += [f"{problem} in {self._baseline.name}" for problem in objects.put_back(self._socket, self._objects)]

    def _link(self, raw: RawLink, wanted: Link) -> None:
        link, index = raw.link, raw.link.ifindex
        if raw.master:
            self._do(f"take {link.name} out of its bridge", RTM_SETLINK, encode_link(index, number(IFLA_MASTER, 0)))
        if link.mac != wanted.mac and wanted.mac:
            self._do(f"give {wanted.name} its MAC", RTM_SETLINK, encode_link(index, hardware_address(wanted.mac)))
        if link.mtu != wanted.mtu:
            self._do(f"give {wanted.name} its MTU", RTM_SETLINK, encode_link(index, number(IFLA_MTU, wanted.mtu)))
        if link.alias != wanted.alias:
            self._do(
                f"give {wanted.name} its alias", RTM_SETLINK, encode_link(index, string(IFLA_IFALIAS, wanted.alias))
            )
        if link.mtu < LEAST_MTU6 and wanted.up:
            self._do(f"switch {wanted.name} off", RTM_SETLINK, encode_link(index, mask=UP))
            self._do(f"switch {wanted.name} on", RTM_SETLINK, encode_up(index))
        flags, mask = flags_of(wanted), UP | NOARP | PROMISC
        if wanted.kind != "loopback" and wanted.up and not link.up and not any(_by_itself(own) for own in wanted.addresses):
            with contextlib.suppress(NetlinkError):  # a kernel without IPv6
                self._socket.request(RTM_SETLINK, ACK, encode_quiet(index))
        if (flags_of(link) ^ flags) & mask:
            self._do(f"switch {wanted.name}", RTM_SETLINK, encode_link(index, flags=flags, mask=mask))
        for qdisc in (encode_root(index), encode_ingress(index)):
            with contextlib.suppress(NetlinkError):  # there is none but the one it was born with
                self._socket.request(RTM_DELQDISC, ACK, qdisc)

    def _attributes(self) -> None:
        """What a snapshot does not hold of a link, told back as the kernel gave it."""
        for index, now in images(self._socket).items():
            was = self._images.get(index)
            if was is None or was == now:
                continue
            name = next((link.name for link in self._baseline.links if link.ifindex == index), str(index))
            if was.flags != now.flags:
                body = encode_link(index, flags=was.flags, mask=SETTABLE_FLAGS)
                self._do(f"give {name} its flags", RTM_SETLINK, body)
            for kind, value in was.attributes.items():
                if now.attributes.get(kind) != value:
                    self._do(f"give {name} its {LASTING[kind]}", RTM_SETLINK, encode_link(index, attribute(kind, value)))
            if was.token and now.token != was.token:
                self._do(f"give {name} its IPv6 token", RTM_SETLINK, encode_token(index, was.token))
            if now.xdp and not was.xdp:
                for mode in XDP_MODES:
                    with contextlib.suppress(NetlinkError):  # nothing is attached in this mode
                        self._socket.request(RTM_SETLINK, ACK, encode_without_xdp(index, mode))

    def _next_hops(self) -> None:
        """Next hop objects (ip-nexthop(8)): the lab makes none. Routes through them go along, and so do groups that lose their last."""
        with contextlib.suppress(NetlinkError):  # kernels before 5.3
            for body in self._socket.dump(RTM_GETNEXTHOP, NEXT_HOPS_BODY):
                identity = decode_next_hop(body)
                if identity is not None:
                    with contextlib.suppress(NetlinkError):
                        self._socket.request(RTM_DELNEXTHOP, ACK, encode_next_hop(identity))

    def _rename(self, wanted: Link, name: str) -> None:
        """Kernels before 6.2 rename only what is down; ``links`` switches it on again afterwards."""
        body = encode_link(wanted.ifindex, string(IFLA_IFNAME, name))
        try:
            self._socket.request(RTM_SETLINK, ACK, body)
        except NetlinkError:
            self._do(f"switch {wanted.name} off", RTM_SETLINK, encode_link(wanted.ifindex, mask=UP))
            self._do(f"call {wanted.name} so", RTM_SETLINK, body)

    def _do(self, what: str, kind: int, body: bytes, flags: int = 0) -> None:
        """One request. What fails is remembered, and the rest is still done: a purge brings back as much as it can."""
        self._asked += 1
        try:
            self._socket.request(kind, ACK | flags, body)
        except NetlinkError as error:
            self.problems.append(f"could not {what} in {self._baseline.name}: {error.strerror}")


def _same(wanted: Link, own: Link) -> bool:
    return wanted.kind == own.kind and (wanted.ifindex == own.ifindex or own.kind == "loopback")


def _by_itself(own: Address) -> bool:
    """Addresses that the kernel gives and takes: IPv6 link-local ones and ::1."""
    return own.family == 6 and own.scope in ("link", "host")


def cables(nodes: tuple[Node, ...], missing: dict[str, tuple[Link, ...]]) -> Iterator[tuple[Node, Link, Node, Link]]:
    """The veth pairs of the baseline of which both ends are gone, each once."""
    done = set()
    for node in nodes:
        for link in missing.get(node.name, ()):
            far_node = next((other for other in nodes if link.peer is not None and other.name == link.peer.node), None)
            far = (
                next((own for own in missing.get(far_node.name, ()) if link.peer and own.ifindex == link.peer.ifindex), None)
                if far_node
                else None
            )
            if link.kind != "veth" or far_node is None or far is None or (node.name, link.ifindex) in done:
                continue
            done |= {(node.name, link.ifindex), (far_node.name, far.ifindex)}
            yield node, link, far_node, far
