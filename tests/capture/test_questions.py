"""Which questions for neighbours are part of a packet's journey: on recordings made by hand, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from capture import frames
from netless_lab.model.journeys.assemble import follow, traffic
from netless_lab.model.journeys.converse import converse, questions
from netless_lab.model.journeys.decode import decode
from netless_lab.model.journeys.flow import Flow
from netless_lab.model.journeys.frame import Frame, Ground, Recording
from netless_lab.model.journeys.packet import Tuple
from netless_lab.model.probe import Connect, Outcome, Ping

PING = Ping("c1", "198.51.100.10")
PING6 = Ping("c1", "fd00:9::9")
ECHO = frames.ethernet(frames.ip4(1, frames.echo()))
ECHO_TUPLE = decode(ECHO).talk
ECHO6 = frames.ethernet(frames.ip6(58, frames.echo(128), target="fd00:9::9"), 0x86DD)


def lost(*later: bytes, probe: Ping = PING, echo: bytes = ECHO) -> list[tuple[str, str]]:
    """(kind, place) of each hop of a ping that came into the host by br0 and no further, whereupon the host sent ``later`` out of br0."""
    seen = [("c1", "veth1", "out", echo), ("host", "veth2", "in", echo), ("host", "br0", "in", echo)]
    seen += [("host", "br0", "out", data) for data in later]
    recording = Recording(tuple(
        Frame(1_000_000_000 + 1000 * n, node, link, 1, direction, data, len(data))  # type: ignore[arg-type]
        for n, (node, link, direction, data) in enumerate(seen)
    ))  # fmt: skip
    outcome = Outcome(probe, "failed", "silence", "no answer", ident=77)
    return [(hop.kind, f"{hop.node}.{hop.link}") for hop in follow(probe, outcome, recording, (), Ground()).journey.hops]


ALONE = [("echo-request", "c1.veth1"), ("echo-request", "host.veth2"), ("echo-request", "host.br0")]


@pytest.mark.parametrize(
    "later",
    [
        frames.solicitation("fe80::1", "::"), frames.solicitation("fd00::9", "fd00::1"), frames.arp(1, "0.0.0.0", "10.0.0.1"),
        frames.arp(1, "10.0.0.1", "10.0.0.1"), frames.arp(1, "0.0.0.0", "198.51.100.10"),
    ],
    ids=["is fe80::1 free?", "a neighbour of the other family", "is 10.0.0.1 free?", "10.0.0.1 is mine", "is the target's address free?"],
)  # fmt: skip
def test_what_a_node_asks_for_its_own_sake_is_no_hop_of_a_ping(later: bytes) -> None:
    """The host had the ping when IPv6 made sure of an address, or looked for another neighbour: the last hop is still the ping's own."""
    assert lost(later) == ALONE


def test_what_a_node_asks_because_of_a_ping_is_a_hop_of_it() -> None:
    """The host looks for the next hop of the packet that it has just taken in, by ARP or by neighbour discovery, after its family."""
    assert lost(frames.arp(1, "203.0.113.2", "203.0.113.1")) == [*ALONE, ("arp-request", "host.br0")]
    asked6 = frames.solicitation("fd00:7::1", "fd00:7::2")
    assert lost(asked6, probe=PING6, echo=ECHO6) == [*ALONE, ("ipv6-nd", "host.br0")]
    assert lost(frames.arp(1, "203.0.113.2", "203.0.113.1"), probe=PING6, echo=ECHO6) == ALONE


def joining(asked: bytes, ground: Ground, flows: Sequence[Flow] = (), *, repeated: bool) -> tuple[list[tuple[str, str]], str]:
    """(its hops, where it died) of a ping that came into the host while it was asking already, because of another packet."""
    seen = [("host", "eth0", "out", asked), ("c1", "veth1", "out", ECHO), ("host", "veth2", "in", ECHO), ("host", "br0", "in", ECHO)]
    seen += [("host", "eth0", "out", asked)] * repeated
    recording = Recording(tuple(
        Frame(1_000_000_000 + 10_000_000 * n, node, link, 1, direction, data, len(data))  # type: ignore[arg-type]
        for n, (node, link, direction, data) in enumerate(seen)
    ))  # fmt: skip
    made = follow(PING, Outcome(PING, "failed", "silence", "no answer", ident=77), recording, flows, ground).journey
    assert made.death is not None
    return [(hop.kind, f"{hop.node}.{hop.link}") for hop in made.hops], f"{made.death.node}.{made.death.link}"


@pytest.mark.parametrize("repeated", [True, False])
def test_a_packet_waits_for_the_answer_to_a_question_under_way(repeated: bool) -> None:
    """The host was asking for the next hop when the ping came, and asks once for all: it died of that question, asked again or not."""
    asked = frames.arp(1, "203.0.113.2", "203.0.113.1")
    question = [("arp-request", "host.eth0")]
    way_out = Ground(gateways={"host": (("10.9.0.0/16", "10.9.0.1"), ("default", "203.0.113.1"))})
    hops, died = joining(asked, way_out, repeated=repeated)
    assert (hops, died) == ([*ALONE, *question] if repeated else [*question, *ALONE], "host.eth0")
    own = ECHO_TUPLE
    rewritten = Flow("host", own, Tuple(own.proto, "203.0.113.1", own.src, own.dport, own.sport), "new", destination_nat=True)
    assert joining(asked, Ground(), [rewritten], repeated=repeated) == (hops, died), "the neighbour that NAT made it a packet for"
    elsewhere = Ground(gateways={"host": (("10.9.0.0/16", "203.0.113.1"),), "c1": (("default", "203.0.113.1"),)})
    assert joining(asked, elsewhere, repeated=repeated) == (ALONE, "host.br0"), "it is no gateway of this packet's in the host"


def test_what_was_said_to_a_group_makes_nobody_ask_for_a_neighbour() -> None:
    """c1 heard the host's word to a group (IGMP), and then opened a connection: the question for the neighbour is the connection's."""
    group = frames.ethernet(frames.ip4(2, b"\x16\0\0\0" + bytes((224, 0, 0, 251)), "10.0.0.1", "224.0.0.251"), target=b"\x01\0\x5e\0\0\xfb")
    asked, syn = frames.arp(1, "10.0.0.2", "10.0.0.3"), frames.ethernet(frames.ip4(6, frames.tcp(2), target="10.0.0.3"))
    seen = [("host", "br0", "out", group), ("c1", "veth1", "multicast", group), ("c1", "veth1", "out", asked), ("c1", "veth1", "out", syn)]
    found = converse(
        (Frame(1_000_000_000 + 1000 * n, node, link, 1, direction, data, len(data)), decode(data))  # type: ignore[arg-type]
        for n, (node, link, direction, data) in enumerate(seen)
    )
    made = traffic(found.conversations, questions(found.neighbours), Ground())
    assert [[hop.kind for hop in one.journey.hops] for one in made] == [["ip", "ip"], ["arp-request", "tcp"]]


def test_a_port_of_ipv6_is_told_apart_from_its_address() -> None:
    """A connection that the node's own firewall leads elsewhere before it is on any wire: both ends as everybody writes them."""
    syn = frames.ethernet(frames.ip6(6, frames.tcp(2, target=8080), "fd00::2", "fd00::3"), 0x86DD)
    talk = decode(syn).talk
    frame = Frame(1_000_000_000, "host", "br0", 1, "out", syn, len(syn))
    flow = Flow("host", Tuple(6, "fd00::2", "fd00:9::9", 40000, 80), talk.reverse, "new", destination_nat=True)
    probe = Connect("host", "fd00:9::9", 80)
    made = follow(probe, Outcome(probe, "failed", "silence", "no answer", ident=40000), Recording((frame,)), (flow,), Ground()).journey
    assert [(own.before, own.after) for own in made.rewrites] == [("[fd00:9::9]:80", "[fd00::3]:8080")]
