"""What a text field of an action or expectation stands for.

Lessons speak of ``veth1`` and ``10.0.0.2/24``; a learner may have chosen other names. Fields typed with these roles are the
ones in which ``course/bind.py`` puts the learner's own words, and the ones that lint checks (a link name has at most 15 bytes:
IFNAMSIZ is 16 with its NUL, <linux/if.h>).

And the dialects in which a learner may say the same thing.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, NamedTuple, get_args, get_type_hints

Dialect = Literal["ip", "legacy", "pyroute2"]
"""iproute2 and nft; brctl, ifconfig, route, iptables; Python."""
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
RoleName = Literal["link", "node", "netns", "ip", "cidr", "net"]


class Role(NamedTuple):
    """A marker inside ``Annotated``: the field holds the name of such a thing."""

    name: RoleName


LinkName = Annotated[str, Role("link")]
"""An interface name, at most 15 bytes."""
NodeName = Annotated[str, Role("node")]
"""A node of the lab: host, internet, c1 ..."""
NetnsName = Annotated[str, Role("netns")]
"""A name in /run/netns."""
Ip = Annotated[str, Role("ip")]
"""An address without prefix."""
Cidr = Annotated[str, Role("cidr")]
"""An address with its prefix, 10.0.0.2/24."""
Net = Annotated[str, Role("net")]
"""A network, 10.0.0.0/24."""


@cache
def roles(kind: type) -> tuple[tuple[str, RoleName], ...]:
    """(field, role) for every field of a struct class that carries a role."""
    hints = get_type_hints(kind, include_extras=True)
    found: list[tuple[str, RoleName]] = []
    for field, hint in hints.items():
        for candidate in (hint, *getattr(hint, "__args__", ())):
            for mark in getattr(candidate, "__metadata__", ()):
                if isinstance(mark, Role):
                    found.append((field, mark.name))
    return tuple(found)
