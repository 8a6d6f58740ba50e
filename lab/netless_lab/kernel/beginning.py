"""What every node was like before anything was done: what a purge brings back, and what is compared to find what it would change.

The snapshot holds what the lab shows. Beside it are kept the settings, and of each link its own message: attributes that no picture
shows are told back to the kernel in the kernel's own words.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from ..model.snapshot import Snapshot
from .namespace import Namespace
from .netlink.link import DUMP_BODY, RTM_GETLINK, LinkImage, decode_image
from .netlink.socket import NetlinkSocket
from .read import NodeRef
from .settings import Settings, read_settings

if TYPE_CHECKING:
    from .objects import Kept
    from .offloads import Offloads

_FILES: Final = 1000
"""More than one node has settings: whoever keeps them open must have room for as many again."""


class NodeBeginning(NamedTuple):
    """One node; its links by index. ``objects`` are its addresses, routes, rules and tables, ``mptcp`` the limits of multipath TCP, ``offloads`` what
    its links leave to their hardware.
    """

    settings: Settings
    links: Mapping[int, LinkImage]
    objects: Kept
    offloads: Offloads
    mptcp: bytes = b""


UNKNOWN: Final = NodeBeginning(Settings({}), {}, {}, {})
"""Of a namespace that the lab did not make nothing is remembered."""


class Beginning(NamedTuple):
    """``nodes`` by the inode of their namespace. ``bare`` is a container that has just been started: each one that came later was so."""

    snapshot: Snapshot
    nodes: Mapping[int, NodeBeginning]
    bare: NodeBeginning

    def of(self, ref: NodeRef) -> NodeBeginning:
        """What a node was like; nothing is known of a namespace that the lab did not make."""
        known = self.nodes.get(ref.namespace.inode)
        return known if known is not None else self.bare if ref.role == "container" else UNKNOWN

    def moved(self, refs: Sequence[NodeRef]) -> Beginning:
        """What was remembered of nodes, held for the namespaces that they live in now, and what a bare container is, for each of the others;
        this one is not to be used any more.
        """
        now = {ref.name: ref.namespace.inode for ref in refs}
        inodes = {node.netns: now[node.name] for node in self.snapshot.nodes if node.name in now and now[node.name] != node.netns}
        known = {inodes.get(inode, inode): node for inode, node in self.nodes.items()}
        known |= {ref.namespace.inode: self.bare for ref in refs if ref.role == "container" and ref.namespace.inode not in known}
        lasting = {inodes.get(node.netns, node.netns) for node in self.snapshot.nodes} | set(now.values())
        known = {inode: node for inode, node in known.items() if inode in lasting}
        if known == self.nodes:
            return self
        for inode, node in self.nodes.items():
            if known.get(inode) is not node:
                node.settings.close()
        snapshot = msgspec.structs.replace(
            self.snapshot,
            nodes=tuple(msgspec.structs.replace(node, netns=inodes.get(node.netns, node.netns)) for node in self.snapshot.nodes),
        )
        nodes = {
            inode: node if self.nodes.get(inode) is node else node._replace(settings=node.settings.held_for(inode, keep=keep))
            for (inode, node), keep in zip(known.items(), _rooms(), strict=False)
        }
        return Beginning(snapshot, nodes, self.bare)


def remember(namespace: Namespace, *, keep: bool = False) -> NodeBeginning:
    """A node as it is now, the files of its settings kept open with ``keep``. Raises OSError."""
    from . import mptcp, objects, offloads  # no lab needs them to be ready

    with contextlib.closing(NetlinkSocket(namespace)) as opened:
        return NodeBeginning(
            read_settings(namespace, keep=keep), images(opened), objects.remember(opened), offloads.offloads(namespace), mptcp.limits(namespace)
        )


def begin(refs: Sequence[NodeRef], snapshot: Snapshot, bare: NodeBeginning | None = None) -> Beginning:
    """Remember ``refs`` as they are. ``bare`` is needed where none of them is a container. Raises OSError."""
    nodes = {ref.namespace.inode: remember(ref.namespace, keep=keep) for ref, keep in zip(refs, _rooms(), strict=False)}
    new = next((nodes[ref.namespace.inode] for ref in refs if ref.role == "container"), bare)
    return Beginning(snapshot, nodes, new or UNKNOWN)


def _rooms() -> Iterator[bool]:
    """For one node after the other, whether the files of its settings may be kept open: all of them have half of what descriptors there may be."""
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
    while True:
        yield room > _FILES
        room -= _FILES


def forget(beginning: Beginning) -> None:
    """Close what a beginning that nobody goes back to kept open."""
    for node in beginning.nodes.values():
        node.settings.close()


def images(opened: NetlinkSocket) -> dict[int, LinkImage]:
    """Every link of a namespace by its index."""
    return dict(decode_image(body) for body in opened.dump(RTM_GETLINK, DUMP_BODY))
