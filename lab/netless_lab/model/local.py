"""Which addresses are a node's own, and which mean everybody on one of its networks: what the kernel enters into the local table for the addresses of
links (fib_add_ifaddr() and fib_disable_ip(), net/ipv4/fib_frontend.c; net/ipv6/addrconf.c). Pure.

A snapshot leaves that table out, for all of it follows from the addresses; what somebody has changed in it by hand is not known.
"""

from __future__ import annotations

from .netfilter.packet import Spans, network, only, spans
from .snapshot import Node


def own_addresses(node: Node, family: int) -> Spans:
    """All addresses to which a packet ends in the node.

    Those of IPv4 are its own from when a link is given them, up or not, and all of the loopback's network with its address; those of IPv6
    while their link is up, once nobody else has them.
    """
    four = (network(each.cidr if link.kind == "loopback" else each.address) for link in node.links for each in link.addresses if each.family == 4)
    six = (network(each.address) for link in node.links if link.up for each in link.addresses
           if each.family == 6 and not (each.tentative or each.duplicate))  # fmt: skip
    return spans(pair for each in (four if family == 4 else six) for pair in each)


def broadcast_addresses(node: Node) -> Spans:
    """The last address of each network of IPv4 that has room for one and whose link is up (RFC 919)."""
    nets = (network(each.cidr)[0] for link in node.links if link.up and link.kind != "loopback" for each in link.v4 if each.prefix < 31)
    return spans(pair for _, last in nets for pair in only(last))
