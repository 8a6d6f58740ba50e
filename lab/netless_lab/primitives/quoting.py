"""Names inside commands. A learner may call a link almost anything, ``a``, ``up``, ``$x;y``: the lines shown must work all the same."""

from __future__ import annotations

import json
from shlex import quote
from typing import Final

_WORDS_OF_IP: Final = (
    "up", "down", "name", "arp", "dynamic", "multicast", "allmulticast", "promisc", "trailers", "carrier", "txqueuelen", "qlen", "mtu",
    "address", "broadcast", "brd", "peer", "netns", "alias", "vf", "master", "nomaster", "protodown", "protodown_reason", "type", "group",
    "dev", "index", "vrf", "link-netnsid", "addrgenmode", "xdp", "numtxqueues", "numrxqueues",
)  # fmt: skip
"""Words that ``ip link set`` and ``ip link show`` take where a name may stand, shortened as far as one likes (ip-link(8))."""


def word(name: str) -> str:
    """A name as a word of a shell line."""
    return quote(name)


def device(name: str) -> str:
    """An interface for ``ip link``: plainly, or after ``dev`` when ip(8) would take its name for one of its own words."""
    taken = name.startswith("-") or any(own.startswith(name) for own in _WORDS_OF_IP)
    return f"dev {quote(name)}" if taken else quote(name)


def literal(name: str) -> str:
    """A name as a string in Python."""
    return json.dumps(name, ensure_ascii=False)


def nft_word(name: str) -> str:
    """An interface inside a rule of nft(8), which knows no escapes."""
    return f'"{name}"'
