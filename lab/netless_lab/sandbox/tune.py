"""Settings whose defaults differ from machine to machine, set so that a lesson runs the same everywhere.

A new network namespace copies many of them from the machine's first one (a machine with Docker forwards, for example), and
others from the kernel's build. Per device there are the neighbour timers: ``neigh/default`` exists only in the first namespace.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Collection, Iterable
from typing import Final

from ..kernel.namespace import Namespace, call_in
from ..kernel.netlink.neighbour import NEIGHBOURS_BODY, RTM_GETNEIGH, RTM_NEWNEIGH, encode_anew
from ..kernel.netlink.socket import ACK, REPLACE, NetlinkError, NetlinkSocket

_CONF: Final = (
    ("rp_filter", "0"),
    ("arp_ignore", "0"),
    ("arp_announce", "0"),
    ("arp_filter", "0"),
    ("proxy_arp", "0"),
    ("accept_local", "0"),
    ("route_localnet", "0"),
    ("log_martians", "0"),
)
_LIMITS: Final = (
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv6/icmp/ratelimit", "0"),
)
"""On ICMP errors: the default lets a node say only six times, and then once a second, that a port is closed or a packet too big. What the lab
sends itself would use that up, and silence would mean nothing (icmp(7))."""
NODE_SETTINGS: Final = (
    ("ipv4/ip_forward", "0"),
    ("ipv6/conf/all/forwarding", "0"),
    *((f"ipv4/conf/{scope}/{name}", value) for scope in ("all", "default", "lo") for name, value in _CONF),
    ("ipv4/icmp_echo_ignore_all", "0"),
    ("ipv4/ip_default_ttl", "64"),
    *_LIMITS,
    ("bridge/bridge-nf-call-iptables", "0"),
    ("bridge/bridge-nf-call-ip6tables", "0"),
    ("bridge/bridge-nf-call-arptables", "0"),
)
"""For a node. bridge-nf off: else the firewall's forward chain sees frames between two ports of one bridge, and drops them."""
LINK_SETTINGS: Final = (
    ("retrans_time_ms", "50"),
    ("mcast_solicit", "2"),
    ("ucast_solicit", "2"),
    ("delay_first_probe_time", "1"),
)
"""For a device: a neighbour that does not answer is given up after 0.1 s instead of 3 s, one that went silent after 1.1 s, not 8."""


def settle(netns_fd: int | None = None) -> None:
    """Set ``NODE_SETTINGS`` in a namespace, None for the one we are in. What this kernel does not have is passed over."""
    if netns_fd is None:
        _write_all(NODE_SETTINGS)
    else:
        with Namespace.of_fd(netns_fd) as inside:
            call_in(inside, _write_all, NODE_SETTINGS)


def lift_limits() -> None:
    """Have the namespace we are in say all its ICMP errors. A container has all else as its kernel and its machine give it."""
    _write_all(_LIMITS)


def forward() -> None:
    """Have the namespace we are in pass IPv4 packets on."""
    _write_all((("ipv4/ip_forward", "1"),))


def tune(link: str, netns_fd: int | None = None) -> None:
    """Set ``LINK_SETTINGS`` for a device; nothing happens when it is gone or keeps no neighbours."""
    tune_all((link,), netns_fd)


def tune_all(links: Iterable[str], netns_fd: int | None = None, *, new: bool = False) -> None:
    """The same for many devices of one namespace, which is entered once for all of them. A ``new`` one, whoever made it, says all its ICMP errors."""
    if netns_fd is None:
        _tune_here(tuple(links), new)
    else:
        with Namespace.of_fd(netns_fd) as inside:
            call_in(inside, _tune_here, tuple(links), new)


def _tune_here(links: Collection[str], new: bool) -> None:
    _write_all(
        (
            *(_LIMITS if new else ()),
            *((f"{family}/neigh/{link}/{name}", value) for link in links for family in ("ipv4", "ipv6") for name, value in LINK_SETTINGS),
        )
    )
    _ask_anew(links)


def _ask_anew(links: Collection[str]) -> None:
    """Questions for neighbours that were begun before these devices had their timers: each would keep whoever wants to go there for a second, if it
    was lost, and then tell him that nobody answers.
    """
    with NetlinkSocket() as opened:
        devices = {index for index, name in socket.if_nameindex() if name in links}
        for body in opened.dump(RTM_GETNEIGH, NEIGHBOURS_BODY):
            with contextlib.suppress(NetlinkError):  # it has gone
                for anew in encode_anew(body, devices):
                    opened.request(RTM_NEWNEIGH, ACK | REPLACE, anew)


def _write_all(settings: tuple[tuple[str, str], ...]) -> None:
    for key, value in settings:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            fd = os.open(f"/proc/sys/net/{key}", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, value.encode())
            finally:
                os.close(fd)
