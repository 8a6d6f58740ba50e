"""How a node finds addresses of names: its /etc/hosts first (hosts(5), nsswitch.conf(5)), then the servers of its resolv.conf(5).

What is no line for the C library is none here: a keyword begins its line and a space or a tab ends it, and only these end a server's address.

What lives in a node reads the file of its own root. /etc/netns/NAME/resolv.conf is read by whoever enters by ``ip netns exec NAME``, which
puts it in the place of /etc/resolv.conf (ip-netns(8)), and by nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ..model.addresses import is_address
from .rooted import read_text

RESOLV_CONF: Final = "/etc/resolv.conf"
ETC_NETNS: Final = "/etc/netns"
"""Where ``ip netns exec`` looks for files to put in the place of those in /etc, a folder for each name."""
_SERVER: Final = re.compile(r"nameserver[ \t]+([^ \t]+)")
_DOMAINS: Final = re.compile(r"(?:search|domain)[ \t]+(.*)")
_NDOTS: Final = re.compile(r"options[ \t].*\bndots:(\d+)")
_MOST_DOTS: Final = 15


class Search(NamedTuple):
    """The domains that a short name is looked for in, and how many dots make it none (resolv.conf(5), ``search`` and ``ndots``)."""

    domains: tuple[str, ...] = ()
    ndots: int = 1

    def names(self, name: str) -> tuple[str, ...]:
        """What name servers are asked for, in this order, until one name is known. A dot at its end says that it is whole."""
        within = () if name.endswith(".") else tuple(f"{name}.{domain}" for domain in self.domains)
        return (name, *within) if name.count(".") >= self.ndots else (*within, name)


def read_resolvers(root: str) -> tuple[str, ...]:
    """The servers in /etc/resolv.conf below ``root``, which is /proc/PID/root, or "" for our own."""
    return _servers(root, RESOLV_CONF)


def resolvers_by_name(names: Iterable[str]) -> tuple[str, ...]:
    """The servers that /etc/netns has for the first of a namespace's ``names`` for which it has any."""
    return next((servers for name in names if (servers := _servers("", f"{ETC_NETNS}/{name}/resolv.conf"))), ())


def read_hosts(root: str, name: str) -> str | None:
    """The address that /etc/hosts below ``root`` has for a name, one of IPv4 if there is one; None when it has none.

    A line that begins with none, the link of ``fe80::1%eth0`` with it, is no line: the C library reads it by inet_pton(3).
    """
    lines = (line.partition("#")[0].split() for line in read_text(root, "/etc/hosts").split("\n"))
    named = (words[0] for words in lines if name.rstrip(".").lower() in (word.lower() for word in words[1:]))
    found = [word for word in named if is_address(word) and "%" not in word]
    return min(found, key=lambda address: ":" in address, default=None)


def read_search(root: str) -> Search:
    """Where the programs below ``root`` look for short names; the last line of each kind counts."""
    return _search(root, RESOLV_CONF)


def search_by_name(names: Iterable[str]) -> Search:
    """The same from where ``resolvers_by_name`` takes its servers."""
    paths = (f"{ETC_NETNS}/{name}/resolv.conf" for name in names)
    return next((_search("", path) for path in paths if _servers("", path)), Search())


def _search(root: str, path: str) -> Search:
    lines = read_text(root, path).split("\n")
    domains = [found[1].split() for line in lines if (found := _DOMAINS.match(line)) is not None]
    dots = [int(found[1]) for line in lines if (found := _NDOTS.match(line)) is not None]
    told = (domain.rstrip(".") for domain in (domains[-1] if domains else ()))
    return Search(tuple(domain for domain in told if domain), min(dots[-1], _MOST_DOTS) if dots else 1)


def _servers(root: str, path: str) -> tuple[str, ...]:
    """What is no address is no server, but is told as it is written."""
    named = (_SERVER.match(line) for line in read_text(root, path).split("\n"))
    return tuple("".join(own if own.isprintable() else repr(own)[1:-1] for own in found[1]) for found in named if found is not None)
