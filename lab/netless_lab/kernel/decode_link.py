"""RTM_NEWLINK messages into links (include/uapi/linux/if_link.h, if_bridge.h; rtnetlink(7)).

A message names other devices by ifindex, and those of other namespaces by a namespace id too. Names are put in later, by
``read.py``, which sees every namespace at once.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ..model.snapshot import BridgePort, Link, Vxlan
from .attributes import attributes, each, ip, mac, native, native_signed, text

RTM_GETLINK: Final = 18
_IFINFO: Final = struct.Struct("=BxHiII")
_EXT_MASK: Final = 29
_SKIP_STATS: Final = 8
DUMP_BODY: Final = _IFINFO.pack(0, 0, 0, 0, 0) + struct.pack("=HHI", 8, _EXT_MASK, _SKIP_STATS)
"""Body of RTM_GETLINK for all links without their counters."""

_LOOPBACK: Final = 772
_UP, _PROMISC, _NOARP = 0x1, 0x100, 0x80
_PORT_STATES: Final = ("disabled", "listening", "learning", "forwarding", "blocking")
_OPER_STATES: Final = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
_MACVLAN_MODES: Final = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
_TUN_MODES: Final = {1: "tun", 2: "tap"}
_IPVLAN_MODES: Final = {0: "l2", 1: "l3", 2: "l3s"}

_FORWARDING, _PROXY_ARP, _RP_FILTER, _ROUTE_LOCALNET = 0, 2, 7, 25
"""Places in IFLA_INET_CONF: IPV4_DEVCONF_x minus one (include/uapi/linux/ip.h)."""


def one_link(index: int) -> bytes:
    """Body of RTM_GETLINK for the link ``index`` alone, without its counters."""
    return _IFINFO.pack(0, 0, index, 0, 0) + DUMP_BODY[_IFINFO.size :]


class DeviceKnobs(NamedTuple):
    """Per-device IPv4 settings, which the link dump carries: no file needs to be read for them."""

    forwarding: int
    rp_filter: int
    proxy_arp: int
    route_localnet: int


class RawLink(NamedTuple):
    """A link before names: ``link`` has no peer, master or addresses yet, the indexes say which they are.

    ``lower`` is IFLA_LINK (0: none), ``nsid`` the id of the namespace it counts in (None: the link's own).
    """

    link: Link
    master: int
    lower: int
    nsid: int | None
    knobs: DeviceKnobs | None


def decode_link(body: bytes) -> RawLink:
    """One RTM_NEWLINK body."""
    _, hardware, index, flags, _ = _IFINFO.unpack_from(body, 0)
    found = attributes(body, 16)
    info = attributes(found[18]) if 18 in found else {}
    kind = text(info[1]) if 1 in info else ("loopback" if hardware == _LOOPBACK else "physical")
    data = attributes(info[2]) if 2 in info else {}
    link = Link(
        name=text(found[3]),
        ifindex=index,
        kind=kind,
        up=bool(flags & _UP),
        carrier=bool(native(found.get(33, b""))),
        mac=mac(found.get(1, b"")),
        mtu=native(found.get(4, b"")),
        port=_port(attributes(info[5])) if text(info.get(4, b"")) == "bridge" and 5 in info else None,
        stp=kind == "bridge" and bool(native(data.get(5, b""))),
        forward_delay_s=_ticks(data[1]) if kind == "bridge" and 1 in data else None,
        arp=not flags & _NOARP,
        promisc=bool(flags & _PROMISC),
        operstate=_name(_OPER_STATES, native(found.get(16, b""))),
        vxlan=_vxlan(data) if kind == "vxlan" else None,
        mode=_mode(kind, data),
        alias=text(found.get(20, b"")),
        altnames=tuple(text(name) for number, name in each(found.get(52, b"")) if number == 53),
    )
    nsid = native_signed(found[37]) if 37 in found else None
    return RawLink(link, native(found.get(10, b"")), native(found.get(5, b"")), nsid, _knobs(found.get(26, b"")))


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else "unknown"


def _ticks(payload: bytes) -> int:
    """Bridge times travel in hundredths of a second."""
    return native(payload) // 100


def _port(data: dict[int, bytes]) -> BridgePort:
    """IFLA_BRPORT_*: state 1, hairpin mode 4, learning 8, flood 9, broadcast flood 30, isolated 33, locked 39."""
    state = native(data.get(1, b""))
    return BridgePort(
        state=_PORT_STATES[state] if state < len(_PORT_STATES) else "disabled",
        hairpin=data.get(4, b"\0") != b"\0",
        isolated=data.get(33, b"\0") != b"\0",
        learning=data.get(8, b"\1") != b"\0",
        flood=data.get(9, b"\1") != b"\0",
        broadcast=data.get(30, b"\1") != b"\0",
        locked=data.get(39, b"\0") != b"\0",
    )


def _vxlan(data: dict[int, bytes]) -> Vxlan:
    """IFLA_VXLAN_*: id 1, group 2 or group6 16, local 4 or local6 17, port 15 (network order)."""
    local, remote = data.get(4) or data.get(17), data.get(2) or data.get(16)
    return Vxlan(
        vni=native(data.get(1, b"")),
        port=int.from_bytes(data.get(15, b""), "big"),
        local=ip(local) if local and any(local) else None,
        remote=ip(remote) if remote and any(remote) else None,
    )


def _mode(kind: str, data: dict[int, bytes]) -> str | None:
    """IFLA_MACVLAN_MODE 1, IFLA_IPVLAN_MODE 1, IFLA_TUN_TYPE 3 (IFF_TUN: IP packets, IFF_TAP: whole frames; if_tun.h)."""
    if kind in ("macvlan", "macvtap"):
        return _MACVLAN_MODES.get(native(data.get(1, b"")))
    if kind in ("ipvlan", "ipvtap"):
        return _IPVLAN_MODES.get(native(data.get(1, b"")))
    if kind == "tun":
        return _TUN_MODES.get(native(data.get(3, b"")))
    return None


def _knobs(af_spec: bytes) -> DeviceKnobs | None:
    """IFLA_AF_SPEC / AF_INET (2) / IFLA_INET_CONF (1): an array of 32 bit values."""
    inet = attributes(af_spec).get(2)
    conf = attributes(inet).get(1, b"") if inet else b""
    values = struct.unpack(f"={len(conf) // 4}i", conf)
    if len(values) <= _ROUTE_LOCALNET:
        return None
    return DeviceKnobs(values[_FORWARDING], values[_RP_FILTER], values[_PROXY_ARP], values[_ROUTE_LOCALNET])
