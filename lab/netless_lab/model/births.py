"""Which MACs somebody gave: netlink does not tell a given one from one that the kernel dealt, but a link has another than it was first seen with. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ..harmless import harmless
from .diff import NO_MAC
from .snapshot import Link, Node, Snapshot
from .telling import the


class _Identity(NamedTuple):
    """A link as long as it stays where it is. Inodes are dealt out again, but not to the same process."""

    netns: int
    pid: int | None
    ifindex: int
    kind: str


class _Macs(NamedTuple):
    first: str
    last: str


class Births(msgspec.Struct, frozen=True):
    """The MAC that each link of a lab was first seen with, and the last one."""

    links: dict[_Identity, _Macs] = {}

    def after(self, snapshot: Snapshot) -> Births:
        """With what is seen now. A link that has moved is known by its MAC, which it keeps."""
        now = {_identity(node, link): link.mac for node, link in _links(snapshot)}
        moved = {macs.last: macs.first for own, macs in self.links.items() if own not in now}
        return Births({own: _Macs(self.links[own].first if own in self.links else moved.get(mac, mac), mac) for own, mac in now.items()})

    def given(self, now: Snapshot, wanted: Snapshot) -> tuple[str, ...]:
        """What a rebuild does to MACs that links have ``now`` from somebody, and that no sketch of what is ``wanted`` tells, in sentences."""
        dealt = {(node.name, link.name) for node, link in _links(wanted) if link.mac in NO_MAC or link.kind == "bridge"}
        return tuple(
            harmless(f"the MAC address of {link.name} on {the(node.name)} is one that the kernel deals (was {link.mac})")
            for node, link in _links(now)
            if (node.name, link.name) in dealt and self._is_given(node, link)
        )

    def _is_given(self, node: Node, link: Link) -> bool:
        """A bridge takes the MACs of its ports, and has none without them (br_stp_recalculate_bridge_id)."""
        known = self.links.get(_identity(node, link))
        by_itself = [own.mac for own in node.links if own.master == link.name] if link.kind == "bridge" else []
        return known is not None and link.mac not in (known.first, *by_itself, *NO_MAC)


def _links(snapshot: Snapshot) -> Iterator[tuple[Node, Link]]:
    return ((node, link) for node in snapshot.nodes for link in node.links)


def _identity(node: Node, link: Link) -> _Identity:
    return _Identity(node.netns, node.pid, link.ifindex, link.kind)
