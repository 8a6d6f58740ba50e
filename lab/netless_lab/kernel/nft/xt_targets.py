"""Targets of iptables: inside nf_tables, as iptables-nft makes them, and in the tables of the old iptables. How they are read: ``xt_matches``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final, Literal

from ...model.netfilter import rules as r
from ..netlink.attributes import text
from .datatypes import quoted
from .matching import Phrase
from .statements import nat_words, port_range
from .xt_matches import Decoded, decoded

_REJECTS: Final = {
    0: "icmp type net-unreachable", 1: "icmp type host-unreachable", 2: "icmp type prot-unreachable", 3: "", 7: "tcp reset",
    5: "icmp type net-prohibited", 6: "icmp type host-prohibited", 8: "icmp type admin-prohibited",
}  # fmt: skip
"""enum ipt_reject_with; ``type`` is how nft prints those of iptables, its own have none."""
_REJECTS_6: Final = {
    0: "icmpv6 type no-route", 1: "icmpv6 type admin-prohibited", 3: "icmpv6 type addr-unreachable", 4: "", 6: "tcp reset",
    7: "icmpv6 type policy-fail", 8: "icmpv6 type reject-route",
}  # fmt: skip
"""enum ip6t_reject_with."""
_HAS_PORTS: Final = 0x2
_ASIDE: Final = frozenset(
    ("LOG", "NFLOG", "TCPMSS", "TCPOPTSTRIP", "CHECKSUM", "TRACE", "AUDIT", "CLASSIFY", "DSCP", "TOS", "SECMARK", "CONNSECMARK",
     "TEE", "SET", "IDLETIMER", "LED", "RATEEST", "HMARK")
)  # fmt: skip
"""Targets after which the packet goes on as it was, for all that a rule here asks."""


def target(name: str, revision: int, info: bytes, family: str) -> Phrase:
    """A target of iptables: in nft's words, or as ``xt target "name"`` and opaque."""
    found = decoded(_TARGETS, name, revision, info, family)
    if found is not None:
        return found
    meaning = decoded(_CHANGES, name, revision, info, family)
    if meaning is None:
        meaning = () if name in _ASIDE else (r.Unfollowed(f"-j {name}"),)
    return Phrase(f"xt target {quoted(name)}", opaque=True, parts=meaning)


def _masquerade(revision: int, info: bytes, family: str) -> Phrase:
    _, _, _, ports = _range(revision, info, family, compat=True)
    return Phrase(f"masquerade to {port_range(*ports)}" if ports else "masquerade", parts=(r.Rewrite("masquerade", port=ports),))


def _nat(kind: Literal["dnat", "snat"]) -> Callable[[int, bytes, str], Phrase]:
    def decode(revision: int, info: bytes, family: str) -> Phrase:
        first, last, words, ports = _range(revision, info, family, compat=revision == 0)
        shown = nat_words(kind, *words, port_range(*ports) if ports else "")
        return Phrase(shown, parts=(r.Rewrite(kind, (first, last) if first else None, ports),))

    return decode


def _redirect(revision: int, info: bytes, family: str) -> Phrase:
    _, _, _, ports = _range(revision, info, family, compat=True)
    words = f"redirect to {port_range(*ports)}" if ports else "redirect"
    return Phrase(words, parts=(r.Rewrite("redirect", port=ports),))


def _range(revision: int, info: bytes, family: str, *, compat: bool) -> tuple[int, int, tuple[str, str], tuple[int, int] | None]:
    """(first and last address, both in words, ports): struct nf_nat_ipv4_multi_range_compat for IPv4's oldest, else nf_nat_range."""
    if compat and family != "ip6":
        _, flags, first, last, low, high = struct.unpack_from("=II4s4s2s2s", info)
    else:
        flags, first, last, low, high = struct.unpack_from("=I16s16s2s2s", info)
        if family != "ip6":
            first, last = first[:4], last[:4]
    ports = (int.from_bytes(low, "big"), int.from_bytes(high, "big")) if flags & _HAS_PORTS else None
    shown = (str(ip_address(first)), str(ip_address(last)))
    return int.from_bytes(first, "big"), int.from_bytes(last, "big"), shown, ports


def _reject(revision: int, info: bytes, family: str) -> Phrase | None:
    """struct ipt_reject_info or ip6t_reject_info: one number; port unreachable is what plain ``reject`` does too."""
    words = (_REJECTS_6 if family == "ip6" else _REJECTS).get(struct.unpack_from("=I", info)[0])
    if words is None:
        return None
    answer = (words or "port-unreachable").rpartition("type ")[2]
    return Phrase(f"reject with {words}" if words else "reject", parts=(r.Drop(answer),))


def _log(revision: int, info: bytes, family: str) -> Phrase:
    prefix = text(info[2:32])
    return Phrase(f"log prefix {quoted(prefix)}" if prefix else "log")


def _set_mark(revision: int, info: bytes, family: str) -> Decoded | None:
    """struct xt_mark_tginfo2: (mark & ~mask) ^ value."""
    if revision != 2:
        return None
    value, mask = struct.unpack_from("=II", info)
    return (r.Write("meta mark", ~mask & 0xFFFFFFFF, value),)


def _set_connmark(revision: int, info: bytes, family: str) -> Decoded | None:
    """struct xt_connmark_tginfo1: value, mask of the conntrack entry's mark, mask of the packet's, mode (0 set, 1 save, 2 restore)."""
    value, mask, _, mode = struct.unpack_from("=IIIB", info)
    if mode == 0:
        return (r.Write("ct mark", ~mask & 0xFFFFFFFF, value),)
    return (r.Write("ct mark" if mode == 1 else "meta mark"),)


def _ct(revision: int, info: bytes, family: str) -> Phrase:
    """struct xt_ct_target_info: flags first, 1 is NOTRACK, 4 and 8 a zone for one direction only, 16 one that is the packet's mark; then the zone. A
    helper leaves the packet as it was for all that is asked here.
    """
    flags, zone = struct.unpack_from("=HH", info)
    if flags & 1:
        return Phrase("notrack", parts=(r.Untrack(),))
    by_mark = bool(flags & 16)
    zones = (r.Zone(None if by_mark else zone, "original" if flags & 4 else "reply" if flags & 8 else ""),) if zone or by_mark else ()
    return Phrase('xt target "CT"', opaque=True, parts=zones)


def _set_hops(field: str) -> Callable[[int, bytes, str], Decoded]:
    """struct ipt_TTL_info, ip6t_HL_info: how (0 set, 1 more, 2 fewer), and the number."""

    def decode(revision: int, info: bytes, family: str) -> Decoded:
        return (r.Write(field, 0, info[1]) if info[0] == 0 else r.Write(field),)

    return decode


def _untrack(revision: int, info: bytes, family: str) -> Decoded:
    return (r.Untrack(),)


_TARGETS: Final[Mapping[str, Callable[[int, bytes, str], Phrase | None]]] = {
    "MASQUERADE": _masquerade,
    "DNAT": _nat("dnat"),
    "SNAT": _nat("snat"),
    "REDIRECT": _redirect,
    "REJECT": _reject,
    "LOG": _log,
    "CT": _ct,
}
_CHANGES: Final[Mapping[str, Callable[[int, bytes, str], Decoded | None]]] = {
    "MARK": _set_mark,
    "CONNMARK": _set_connmark,
    "NOTRACK": _untrack,
    "TTL": _set_hops("ip ttl"),
    "HL": _set_hops("ip6 hoplimit"),
}
