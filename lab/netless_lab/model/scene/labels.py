"""The characters and the words of a drawing: what is written for a link, its kind and its addresses, and how its state looks.

Characters are in two sets of the same widths: box drawing, and plain ASCII for terminals that have nothing else.

State is told by shape as well as by colour: up, waiting for the other end, down, died. No emoji: their width differs from terminal
to terminal. Box drawing and the dots are one cell wide (East Asian "ambiguous", UAX #11).
"""

from __future__ import annotations

import re
import unicodedata

import msgspec

from ..gates import GateState
from ..snapshot import Link

UP, WAIT, DOWN, DEAD, TO_BE = "●", "◐", "○", "✗", "◌"
"""Port states: up and live, up without carrier, down; the mark for what died or leads nowhere; and a port of the goal that is not built yet."""

MORE, TO = "…", "→"
"""Text cut short; "leads to" in a label."""


class Glyphs(msgspec.Struct, frozen=True):
    """A character set: ``swap`` maps each character of the drawing to the one that is shown instead."""

    name: str
    swap: dict[int, str]

    def show(self, text: str) -> str:
        """The text in this set; with the ASCII set, a character that has no stand-in becomes a question mark."""
        if not self.swap:
            return text
        plain = text.translate(self.swap)
        return plain if plain.isascii() else "".join(one if one.isascii() else "?" for one in plain)


UNICODE = Glyphs(name="unicode", swap={})
ASCII = Glyphs(
    name="ascii",
    swap={
        ord(one): other
        for group, other in (
            ("─╴╶", "-"), ("│╵╷", "|"), ("└┌├┘┐┤┴┬┼╭╮╰╯", "+"), ("╌", "."), ("╎", ":"),
            ("║╟╢╫╖╓╥╜╙╨", "#"), (UP, "*"), (WAIT, "@"), (DOWN, "o"), (DEAD, "x"), (TO_BE, "."), (MORE, "~"), (TO, ">"),
            ("·", "="), ("›", "{"), ("‹", "}"),
        )
        for one in group
    },
)  # fmt: skip

# Bits of a line cell: light up, right, down, left = 1 2 4 8; double up and down = 16 64.
U, R, D, L = 1, 2, 4, 8
DOUBLE_U, DOUBLE_D = 16, 64

_LIGHT = " ╵╶╰╷│╭├╴╯─┴╮┤┬┼"
_DOUBLE = {(True, True): "║╟╢╫", (False, True): "║╓╖╥", (True, False): "║╙╜╨"}


def _line(bits: int) -> str:
    double = (bool(bits & DOUBLE_U), bool(bits & DOUBLE_D))
    if double == (False, False):
        return _LIGHT[bits & 15]
    return _DOUBLE[double][(1 if bits & R else 0) + (2 if bits & L else 0)]


LINES = tuple(_line(bits) for bits in range(256))
"""The character for each combination of line bits: lines that meet become the right junction by themselves."""

DASHED = dict(zip("─╴╶│╵╷║╟╢╫╖╜╓╙╥╨", "╌╌╌╎╎╎╎├┤┼╮╯╭╰┬┴", strict=True))
"""How a line of the goal that is not built yet looks: broken, and never double."""
_WORDS_TO_BE = re.compile("g+(?: g+)*")


def in_brackets(cells: list[str], ghosts: str) -> None:
    """Put words of the goal that is not built yet in brackets, in the blank cells beside them, so that nothing moves.

    ``ghosts`` says of each cell of the row: ``g`` a sign of such a word, a blank, or ``x`` anything else.
    """
    for words in _WORDS_TO_BE.finditer(ghosts):
        start, end = words.span()
        if (cells[start], cells[end - 1]) == ("(", ")"):
            continue
        if ghosts[start - 1 : start] == " ":
            cells[start - 1] = "("
        if ghosts[end : end + 1] == " ":
            cells[end] = ")"


Piece = tuple[str, str]
"""(text, style)"""
GATE_TEXT: dict[GateState, str] = {"open": "[{}]", "closed": "[{}✗]", "narrow": "›{}‹", "unknown": "[{}?]", "absent": " {} "}
"""A gate by its state: which brackets its name stands in."""

NO_ADDRESS = "no address"

_PLAIN_KINDS = frozenset({"", "veth", "physical", "none", "bridge", "loopback", "netkit"})
_ON_LOWER = frozenset({"macvlan", "macvtap", "ipvlan", "vlan", "macsec"})


def is_lo(link: Link) -> bool:
    """Whether the link is the node's own loopback, which every namespace has and no drawing needs a port for."""
    return link.kind == "loopback" or link.name == "lo"


def is_cable_end(link: Link) -> bool:
    """Whether ``peer`` is the other end of a cable, and not the device this one sits on."""
    return link.peer is not None and link.kind not in _ON_LOWER


def sits_on_lower(link: Link) -> bool:
    """Whether the link is a macvlan or the like: ``peer`` is then the device beneath it."""
    return link.peer is not None and link.kind in _ON_LOWER


def safe(text: str) -> str:
    """The text with every character one cell wide: control, combining and double-width ones become a question mark."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one.isprintable() and not unicodedata.combining(one) and unicodedata.east_asian_width(one) not in "WF" else "?" for one in text)


def clip(text: str, room: int) -> str:
    """The text cut to ``room`` cells, with a mark when something is missing."""
    if len(text) <= room:
        return text
    return text[: room - 1] + MORE if room > 0 else ""


def dot(link: Link) -> Piece:
    """The state of a port, by shape and style."""
    if not link.up:
        return DOWN, "port-down"
    return (UP, "port-up") if link.carrier else (WAIT, "port-wait")


def wire_style(one: Link, other: Link | None) -> str:
    """The state of a cable by its two ends: live when both are up, waiting when one is."""
    ups = one.up + (other.up if other is not None else False)
    return ("wire-down", "wire-wait", "wire-up")[ups]


def bridge_style(link: Link) -> str:
    """The state of a bridge's bar."""
    if not link.up:
        return "bridge-down"
    return "bridge" if link.carrier else "bridge-wait"


def kind_tag(link: Link) -> str:
    """What kind of device it is, in a word or two; "" for a cable's end and other plain ones."""
    if link.vxlan is not None:
        return f"vni {link.vxlan.vni}" + (f" {TO} {link.vxlan.remote}" if link.vxlan.remote else "")
    if link.kind in _PLAIN_KINDS:
        return "" if link.peer is None or link.peer.node else "other end unseen"
    return (link.mode or "tun") if link.kind == "tun" else link.kind


def addresses(link: Link) -> tuple[str, ...]:
    """Its addresses, IPv4 first. Loopback's own and the link-local ones that IPv6 gives to every live link are left out."""
    if not link.addresses:
        return ()
    found = [own for own in link.addresses if own.scope not in ("host", "link")]
    if len(found) > 1:
        found.sort(key=lambda own: own.family)
    return tuple(own.cidr for own in found)


def first_address(link: Link) -> str:
    """Its first address and how many more there are; "" when it has none."""
    found = addresses(link)
    if len(found) < 2:
        return found[0] if found else ""
    return f"{found[0]} +{len(found) - 1}"
