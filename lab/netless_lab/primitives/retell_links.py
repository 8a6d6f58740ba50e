"""The commands that bring changes of nodes, names and links about (see ``retell``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ..model import changes as c
from ..model.diff import NO_MAC
from ..model.options import Option, reset_and_set, switch
from ..model.snapshot import Address, Link, Name
from ..room import NETNS
from .base import device, word
from .namespace import AddNetns, NameAttach, NameSymlink, StartContainer
from .run import Doing, Typed
from .updown import LinkUp

_BORN_MTU: Final = {"vxlan": 1450}
"""The MTU a device is born with, where it is not 1500: vxlan's headers take 50 bytes (RFC 7348, 4.3)."""


def appeared(change: c.NodeAppeared) -> tuple[Doing, ...] | None:
    node, state = change.node, change.state
    own = state.link("lo")
    up: tuple[Doing, ...] = (LinkUp("lo", node),) if own is not None and own.up else ()
    if state.role == "container":
        return (StartContainer(node), *up)
    return (AddNetns(state.names[0]), *up) if state.role == "unknown" and state.names else None


def named(node: str, name: Name, other: str = "") -> tuple[Doing, ...] | None:
    """A name of a node, beside an ``other`` that it has where no process lives in it.

    Of what is no node, a link that leads nowhere can be made again, and a file (which is a name before the namespace is there).
    """
    if node in ("", "a namespace", "another namespace"):
        if name.how == "file":
            return (Typed("host", f": >{word(f'{NETNS}/{name.name}')}", "shell"),)
        dangling = name.netns is None and name.how == "symlink" and name.target is not None
        return (Typed("host", f"ln -s {word(name.target or '')} {word(f'{NETNS}/{name.name}')}", "shell"),) if dangling else None
    if other and other != name.name:
        path = word(f"{NETNS}/{name.name}")
        return (Typed("host", f": >{path} && mount --bind {word(f'{NETNS}/{other}')} {path}", "shell"),)
    return (NameSymlink(name.name, node),) if name.how == "symlink" else (NameAttach(name.name, node),)


def moved(change: c.LinkMoved) -> tuple[Doing, ...]:
    """The move, and what it took away and was given again before anybody looked."""
    node, before, after = change.node, change.before, change.after
    called = f" name {word(after.name)}" if after.name != before.name else ""
    doings: list[Doing] = [Typed(change.origin, f"link set {device(before.name)}", into=node, rest=called)]
    if before.up and after.up:
        doings.append(LinkUp(after.name, node))
    kept = {own.given for own in before.addresses}
    again = (own for own in after.addresses if own.given in kept and not (own.family == 6 and own.scope == "link"))
    return (*doings, *(Typed(node, f"addr add {address_words(own)} dev {word(after.name)}") for own in again))


_BETWEEN: Final = "netless-between"
"""A name for a moment (IFNAMSIZ leaves 15 bytes)."""


def renames(seen: Iterable[c.Change]) -> dict[c.LinkRenamed, tuple[Doing, ...]]:
    """Links that got other names, in an order in which each name is free; those that exchanged theirs go by one that nobody has."""
    waiting = [change for change in seen if isinstance(change, c.LinkRenamed)]
    found: dict[c.LinkRenamed, tuple[Doing, ...]] = {}
    while waiting:
        held = {(own.node, own.before) for own in waiting}
        free = next((own for own in waiting if (own.node, own.after) not in held), None)
        if free is not None:
            found[free] = (_renamed(free.node, free.before, free.after),)
            waiting.remove(free)
            continue
        first = waiting.pop(0)
        ring = [first]
        while (following := next((own for own in waiting if (own.node, own.after) == (first.node, ring[-1].before)), None)) is not None:
            ring.append(following)
            waiting.remove(following)
        around = (_renamed(own.node, own.before, own.after) for own in ring[1:])
        found[first] = (_renamed(first.node, first.before, _BETWEEN), *around, _renamed(first.node, _BETWEEN, first.after))
        found |= dict.fromkeys(ring[1:], ())
    return found


def _renamed(node: str, before: str, after: str) -> Doing:
    return Typed(node, f"link set {device(before)} name {word(after)}")


def cable(change: c.CableAdded) -> tuple[Doing, ...]:
    """Both ends at once, each where it is."""
    node, link, far_node, far = change.node, change.link, change.far_node, change.far
    born = f"link add name {word(link.name)}{_born(link)} type veth peer name {word(far.name)}{_born(far)}"
    cable = Typed(node, born, into=far_node if far_node != node else "")
    return (cable, *_extras(node, link), *_extras(far_node, far))


def dying(node: str, name: str) -> Typed:
    """The end of a cable whose far end's namespace is gone: the kernel takes it away too, now or a little later."""
    return Typed(node, f"ip link del {device(name)} 2>/dev/null || :", "shell")


def device_added(node: str, link: Link) -> tuple[Doing, ...] | None:
    """A device, made in the node of the one below it when it has one."""
    below = link.peer if link.kind != "veth" else None
    kind = link.kind
    words = f"name {word(link.name)}"
    match kind:
        case "bridge":
            words += f" type bridge{_of_kind(link)}"
        case "dummy" | "ifb":
            words += f"{_born(link)} type {kind}"
        case "macvlan" | "macvtap" | "ipvlan" | "ipvtap" if below is not None and below.node:
            words += f"{_born(link) if 'mac' in kind else ''} type {kind} mode {link.mode}{_of_kind(link)}"
        case "vxlan" if link.vxlan is not None:
            own = link.vxlan
            ends = (f" local {own.local}" if own.local else "") + (f" {_group(own.remote)} {own.remote}" if own.remote else "")
            ends += f" dev {word(below.name)}" if below is not None and below.node == node else ""
            number = f"id {own.vni} " if Option("kind", "external", "on") not in link.options else ""
            return (Typed(node, f"link add {words}{_born(link)} type vxlan {number}dstport {own.port}{ends}{_of_kind(link)}"), *_extras(node, link))
        case "tun" if link.mode is not None:
            made = Typed(node, f"tuntap add dev {word(link.name)} mode {link.mode}{_of_kind(link)}")
            mac = (Typed(node, f"link set {device(link.name)} address {link.mac}"),) if link.mac else ()
            mtu = (Typed(node, f"link set {device(link.name)} mtu {link.mtu}"),) if link.mtu != _BORN_MTU.get("tun", 1500) else ()
            return (made, *mac, *mtu, *_extras(node, link))
        case _:
            return None
    if below is None:
        return (Typed(node, f"link add {words}"), *_extras(node, link))
    into = node if below.node != node else ""
    lower = f"link add link {word(below.name)} {words}"
    if not into:
        return (Typed(node, lower), *_extras(node, link))
    name, _, rest = lower.partition(" type ")
    return (Typed(below.node, name, into=into, rest=f" type {rest}"), *_extras(node, link))


def _of_kind(link: Link) -> str:
    """What of a link's kind is not as born: said with its type."""
    return "".join(f" {_said(link.kind, own)}" for own in link.options if own.of == "kind")


def _said(kind: str, own: Option) -> str:
    """``ageing_time 500``; the switches of some kinds are a word alone, with ``no`` before it when they are off."""
    if kind == "vxlan" and own.value in ("on", "off"):
        return f"{'no' * (own.value == 'off')}{own.word}"
    if kind in ("macvlan", "macvtap") and own.word == "promisc":
        return "nopromisc" if own.value == "off" else ""
    return own.word if kind == "tun" and own.value == "on" else f"{own.word} {own.value}"


def _optioned(node: str, link: Link, wanted: Iterable[Option]) -> Iterator[Doing]:
    """Set these of a link that is there."""
    at = f"link set {device(link.name)}"
    for own in wanted:
        if own.of == "port":
            yield Typed(node, f"{at} type bridge_slave {own.word} {own.value}")
        elif own.of == "kind":
            number = f" id {link.vxlan.vni}" if link.vxlan is not None else ""
            yield Typed(node, f"{at} type {link.kind}{number} {_said(link.kind, own)}")
        elif own.word == "token":
            yield Typed(node, f"token set {own.value} dev {word(link.name)}")
        else:
            yield Typed(node, f"{at} {own.word} {own.value}")


def _group(address: str) -> str:
    return "group" if address.startswith("ff") or 224 <= int(address.partition(".")[0] or 0) < 240 else "remote"


def _born(link: Link) -> str:
    """What is said of a device at its birth: its MAC and MTU, where they are not what it gets by itself."""
    mac = f" address {link.mac}" if link.mac not in NO_MAC else ""
    return mac + (f" mtu {link.mtu}" if link.mtu != _BORN_MTU.get(link.kind, 1500) else "")


def _extras(node: str, link: Link) -> tuple[Doing, ...]:
    """What a new device has beside what it is born with."""
    plain = msgspec.structs.replace(link, alias="", altnames=(), arp=link.kind not in _WITHOUT_ARP, promisc=False, stp=False)
    found: list[Doing] = []
    settings: tuple[c.Setting, ...] = ("alias", "altnames", "arp", "promisc", "stp")
    for setting in settings:
        if getattr(plain, setting) != getattr(link, setting):
            found += link_setting(node, setting, plain, link) or ()
    return (*found, *_optioned(node, link, (own for own in link.options if own.of == "link")))


_WITHOUT_ARP: Final = ("tun", "ipvlan", "ipvtap", "ifb")
"""Devices that may be born without ARP."""


def link_setting(node: str, setting: c.Setting, before: Link, after: Link) -> tuple[Doing, ...] | None:
    name = device(after.name)
    match setting:
        case "MAC" | "MTU" | "alias" | "arp" | "promisc" | "stp":
            said = {
                "MAC": f"address {after.mac}", "MTU": f"mtu {after.mtu}", "alias": f"alias {word(after.alias)}", "arp": f"arp {switch(after.arp)}",
                "promisc": f"promisc {switch(after.promisc)}", "stp": f"type bridge stp_state {int(after.stp)}",
            }  # fmt: skip
            return (Typed(node, f"link set {name} {said[setting]}"),)
        case "altnames":
            at = f"dev {word(after.name)} altname"
            gone = tuple(Typed(node, f"link property del {at} {word(own)}") for own in before.altnames if own not in after.altnames)
            return (*gone, *(Typed(node, f"link property add {at} {word(own)}") for own in after.altnames if own not in before.altnames))
        case "mode":
            return (Typed(node, f"link set {name} type {after.kind} mode {after.mode}"),) if after.kind == "macvlan" else None
        case "options":
            return tuple(_optioned(node, after, reset_and_set(before, after)))
        case "vxlan" | "programs":
            return None
        case "hairpin" | "isolated" | "learning" | "flood" | "broadcast" | "locked":
            on = after.port is not None and bool(getattr(after.port, setting))
            option = "bcast_flood" if setting == "broadcast" else setting
            return (Typed(node, f"link set {name} type bridge_slave {option} {switch(on)}"),)


def address_words(own: Address) -> str:
    """An address as ip(8) takes it, with all that tells it from others."""
    scope = [f"scope {own.scope}"] if own.family == 4 and own.scope != "global" else []
    return " ".join([address_ends(own), *scope, *map(_quoted, own.others)])


def _quoted(said: str) -> str:
    """Of an address only its label is in words of whoever made it."""
    key, _, value = said.partition(" ")
    return f"{key} {word(value)}" if key == "label" else said


def address_ends(own: Address) -> str:
    """``10.0.0.2/24``, or ``10.0.0.2 peer 10.0.0.1/32``."""
    return own.cidr if own.peer is None else f"{own.address} peer {own.peer}"
