"""Changes of nodes, their names, and links (see ``changes``)."""

from __future__ import annotations

from typing import Literal

from .change_base import Difference
from .snapshot import Address, Link, Name, Node


class NodeAppeared(Difference, frozen=True, tag="node-appeared"):
    """A namespace that was not there; ``state`` is all that is in it."""

    state: Node


class NodeVanished(Difference, frozen=True, tag="node-vanished"):
    """A namespace went; ``state`` is all that was in it."""

    state: Node


class NodeReplaced(Difference, frozen=True, tag="node-replaced"):
    """Another namespace is called as one that is gone."""

    before: Node
    after: Node


class NodeRenamed(Difference, frozen=True, tag="node-renamed"):
    """The same namespace under another name."""

    before: str


class NameAdded(Difference, frozen=True, tag="name-added"):
    """An entry of /run/netns. ``node`` is "" when it leads to no namespace, "a namespace" when to one that is no node."""

    name: Name


class NameRemoved(Difference, frozen=True, tag="name-removed"):
    """An entry of /run/netns went. ``node`` is "" when it led to nothing that is there now."""

    name: Name


class NameMoved(Difference, frozen=True, tag="name-moved"):
    """An entry of /run/netns leads to ``node`` now, and led to ``earlier``."""

    before: Name
    after: Name
    earlier: str


class NameBroken(Difference, frozen=True, tag="name-broken"):
    """An entry of /run/netns led to ``node`` and leads nowhere now."""

    before: Name
    after: Name


class CableAdded(Difference, frozen=True, tag="cable-added"):
    """Both ends of a veth: ``link`` in ``node``, ``far`` in ``far_node``."""

    link: Link
    far_node: str
    far: Link


class CableRemoved(Difference, frozen=True, tag="cable-removed"):
    """Both ends of a veth are gone."""

    link: Link
    far_node: str
    far: Link


class LinkAdded(Difference, frozen=True, tag="link-added"):
    """A link that is no whole cable."""

    link: Link


class LinkRemoved(Difference, frozen=True, tag="link-removed"):
    """A link that was no whole cable is gone."""

    link: Link


class LinkMoved(Difference, frozen=True, tag="link-moved"):
    """A link left ``origin`` and is in ``node`` now, perhaps under another name."""

    origin: str
    before: Link
    after: Link


class LinkRenamed(Difference, frozen=True, tag="link-renamed"):
    """A link has another name."""

    before: str
    after: str


class LinkWentUp(Difference, frozen=True, tag="link-up"):
    """A link was switched on."""

    link: Link


class LinkWentDown(Difference, frozen=True, tag="link-down"):
    """A link was switched off."""

    link: Link


class CarrierChanged(Difference, frozen=True, tag="carrier"):
    """A link's cable came alive or died; ``cause`` is the far end that did it, "" when it was the link itself."""

    link: Link
    cause: str


class PortJoined(Difference, frozen=True, tag="port-joined"):
    """A link is a port of ``bridge`` now, and was one of ``earlier`` ("": of none). ``pinned`` is the bridge's MAC where it is not what
    its ports give it: somebody has set it.
    """

    link: str
    bridge: str
    earlier: str = ""
    pinned: str = ""


class PortLeft(Difference, frozen=True, tag="port-left"):
    """A link is no port of ``bridge`` any more."""

    link: str
    bridge: str


class PortStateChanged(Difference, frozen=True, tag="port-state"):
    """A bridge passes frames of a port, or does not."""

    link: Link
    before: str
    after: str


Setting = Literal[
    "MAC", "MTU", "stp", "arp", "promisc", "mode", "alias", "altnames", "vxlan", "programs", "options",
    "hairpin", "isolated", "learning", "flood", "broadcast", "locked",
]  # fmt: skip
"""What of a link can be set; those of the second line are of a bridge's port."""


class LinkSet(Difference, frozen=True, tag="link-setting"):
    """One setting of a link is another."""

    setting: Setting
    before: Link
    after: Link


class AddressAdded(Difference, frozen=True, tag="address-added"):
    """A link has one address more."""

    link: str
    address: Address


class AddressRemoved(Difference, frozen=True, tag="address-removed"):
    """A link has one address less."""

    link: str
    address: Address


class AddressReady(Difference, frozen=True, tag="address-ready"):
    """Nobody else has this IPv6 address."""

    link: str
    address: Address


class AddressDuplicate(Difference, frozen=True, tag="address-duplicate"):
    """Somebody else has this IPv6 address."""

    link: str
    address: Address
