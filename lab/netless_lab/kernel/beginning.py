"""What every node was like before anything was done: what a purge brings back, and what is compared to find what it would change.

The snapshot holds what the lab shows. Beside it are kept the settings, and of each link its own message: attributes that no picture
shows are told back to the kernel in the kernel's own words.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from ..model.snapshot import Snapshot
from .attributes import attributes, native
from .decode_link import DUMP_BODY, RTM_GETLINK, decode_link
from .namespace import Namespace
from .read import NodeRef
from .rtnetlink import NetlinkSocket
from .settings import Settings, read_settings

SETTABLE_FLAGS: Final = 0x4 | 0x20 | 0x200 | 0x1000 | 0x2000 | 0x4000 | 0x8000
"""IFF_DEBUG, NOTRAILERS, ALLMULTI, MULTICAST, PORTSEL, AUTOMEDIA, DYNAMIC (netdevice(7)): flags that people set beside those of a snapshot."""
LASTING: Final = {2: "broadcast", 13: "txqueuelen", 27: "group", 39: "protodown", 40: "gso_max_segs", 41: "gso_max_size",
                  58: "gro_max_size", 63: "gso_ipv4_max_size", 64: "gro_ipv4_max_size"}  # fmt: skip
"""IFLA_ attributes of any link that change only when somebody sets them, and that RTM_SETLINK takes as the dump gives them (if_link.h)."""
_FILES: Final = 1000
"""More than one node has settings: whoever keeps them open must have room for as many again."""
XDP: Final = 43
"""IFLA_XDP: what is attached is told, and taken away, otherwise than it is set."""


class LinkImage(msgspec.Struct, frozen=True):
    """What a snapshot does not hold of a link. ``xdp`` is whether a program was attached."""

    flags: int
    attributes: dict[int, bytes]
    xdp: bool = False


class NodeBeginning(NamedTuple):
    """One node; its links by index."""

    settings: Settings
    links: Mapping[int, LinkImage]


UNKNOWN: Final = NodeBeginning(Settings({}), {})
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


def remember(namespace: Namespace, *, keep: bool = False) -> NodeBeginning:
    """A node as it is now, the files of its settings kept open with ``keep``. Raises OSError."""
    with contextlib.closing(NetlinkSocket(namespace)) as opened:
        return NodeBeginning(read_settings(namespace, keep=keep), images(opened))


def begin(refs: Sequence[NodeRef], snapshot: Snapshot, bare: NodeBeginning | None = None) -> Beginning:
    """Remember ``refs`` as they are. ``bare`` is needed where none of them is a container. Raises OSError."""
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
    nodes: dict[int, NodeBeginning] = {}
    for ref in refs:
        nodes[ref.namespace.inode] = remember(ref.namespace, keep=room > _FILES)
        room -= _FILES
    new = next((nodes[ref.namespace.inode] for ref in refs if ref.role == "container"), bare)
    return Beginning(snapshot, nodes, new or UNKNOWN)


def images(opened: NetlinkSocket) -> dict[int, LinkImage]:
    """Every link of a namespace by its index."""
    return {decode_link(body).link.ifindex: image(body) for body in opened.dump(RTM_GETLINK, DUMP_BODY)}


def image(body: bytes) -> LinkImage:
    """One RTM_NEWLINK body (struct ifinfomsg, then attributes)."""
    found = attributes(body, 16)
    attached = attributes(found[XDP]).get(2, b"\0") if XDP in found else b"\0"
    flags = native(body[8:12])
    return LinkImage(flags & SETTABLE_FLAGS, {kind: found[kind] for kind in LASTING if kind in found}, attached != b"\0")
