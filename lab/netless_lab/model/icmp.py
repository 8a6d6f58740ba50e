"""ICMP and ICMPv6: the types, what each says, and what a code of "unreachable" means (RFC 792, 1122, 1812, 4443, 4861)."""

from __future__ import annotations

from typing import Final, NamedTuple

ECHO_REPLY, UNREACHABLE, SOURCE_QUENCH, REDIRECT, ECHO_REQUEST, TIME_EXCEEDED, PARAMETER_PROBLEM = 0, 3, 4, 5, 8, 11, 12
TOO_BIG: Final = 4
"""The code of "unreachable" that says: bigger than the next link carries, and not to be cut into pieces."""
UNREACHABLE6, TOO_BIG6, TIME_EXCEEDED6, PARAMETER_PROBLEM6, ECHO_REQUEST6, ECHO_REPLY6 = 1, 2, 3, 4, 128, 129
SOLICITATION, ADVERTISEMENT, REDIRECT6 = 135, 136, 137

ERRORS: Final = frozenset({UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM})
ERRORS6: Final = frozenset({UNREACHABLE6, TOO_BIG6, TIME_EXCEEDED6, PARAMETER_PROBLEM6})
"""Types that quote the packet they are about."""
DISCOVERY: Final = {
    133: "router solicitation",
    134: "router advertisement",
    SOLICITATION: "neighbour solicitation",
    ADVERTISEMENT: "neighbour advertisement",
    REDIRECT6: "redirect",
}
"""Neighbour discovery."""


class Unreachable(NamedTuple):
    """One code. ``name`` is the RFC's; ``told`` goes on after the one who said it. ``refused``: it is a decision, not the lack of a way."""

    name: str
    told: str
    refused: bool = False


def _refused(name: str) -> Unreachable:
    return Unreachable(name, f"rejected it ({name})", refused=True)


HOST, NO_ADDRESS6 = 1, 3
"""Codes by which Linux reports to itself, too, that nobody answers for the next hop."""
CODES: Final = {
    0: Unreachable("network unreachable", "knows no way to that network"),
    HOST: Unreachable("host unreachable", "cannot reach that host"),
    2: Unreachable("protocol unreachable", "does not speak that protocol"),
    3: _refused("port unreachable"),
    TOO_BIG: Unreachable("fragmentation needed", "would have to cut it into pieces"),
    5: Unreachable("source route failed", "cannot follow the source route"),
    9: _refused("network prohibited"),
    10: _refused("host prohibited"),
    13: _refused("administratively prohibited"),
}
CODES6: Final = {
    0: Unreachable("no route", "knows no way to that network"),
    1: _refused("administratively prohibited"),
    2: Unreachable("beyond scope", "may not carry that source address so far"),
    NO_ADDRESS6: Unreachable("address unreachable", "cannot reach that host"),
    4: _refused("port unreachable"),
    5: _refused("source address failed its policy"),
    6: _refused("reject route"),
}
_NAMES: Final = {
    ECHO_REQUEST: "echo request", ECHO_REPLY: "echo reply", SOURCE_QUENCH: "source quench", REDIRECT: "redirect",
    TIME_EXCEEDED: "TTL exceeded", PARAMETER_PROBLEM: "parameter problem",
}  # fmt: skip
_NAMES6: Final = DISCOVERY | {
    ECHO_REQUEST6: "echo request", ECHO_REPLY6: "echo reply", TOO_BIG6: "packet too big", TIME_EXCEEDED6: "hop limit exceeded",
    PARAMETER_PROBLEM6: "parameter problem",
}  # fmt: skip


def unreachable(code: int, *, six: bool) -> Unreachable:
    """What a code of "unreachable" means."""
    return (CODES6 if six else CODES).get(code) or Unreachable(f"unreachable, code {code}", f"says unreachable (code {code})")


def name(kind: int, code: int, *, six: bool) -> str:
    """A type and code of ICMP or, with ``six``, of ICMPv6 in words."""
    if kind == (UNREACHABLE6 if six else UNREACHABLE):
        return unreachable(code, six=six).name
    return (_NAMES6 if six else _NAMES).get(kind) or f"ICMP type {kind} code {code}"
