"""The ladder on evidence made by hand: what it must say, and above all what it must not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from helpers.rules import rule
from helpers.snapshots import bridge, container, default, edit, host, lab, lab_with, node, veth, vxlan
from netless_lab.course.files import shipped
from netless_lab.course.step import taught
from netless_lab.explain.case import Case
from netless_lab.explain.catalogue import CATALOGUE
from netless_lab.explain.cause import Cause, certainty, inferred, said, state
from netless_lab.explain.ladder import RUNGS, explain
from netless_lab.explain.last_seen import locate
from netless_lab.model.evidence import Drop, Evidence, RouteAnswer, Run
from netless_lab.model.journey import Death, Hop, Journey, Tunnel
from netless_lab.model.netfilter import rules as r
from netless_lab.model.probe import Fetch, Outcome, Ping
from netless_lab.model.snapshot import Address, BridgePort, Chain, Route, Rule, Snapshot
from netless_lab.primitives.base import Where

PROBE = Ping("c1", "198.51.100.10")
SILENCE = Outcome(PROBE, "failed", "silence", "no answer from 198.51.100.10 within 60 ms")


def hop(node: str, link: str, direction: Any, **more: Any) -> Hop:
    """A sighting of the ping on its way there."""
    return Hop(node, link, direction, 1.0, "echo-request", "10.0.0.2 > 198.51.100.10 echo request", "10.0.0.2", "198.51.100.10", 64, **more)


def stuck(*hops: Hop, lost: int = 0) -> Journey:
    """A journey that ends at its last hop."""
    last = hops[-1] if hops else None
    death = None if lost else Death(last.node, last.link, len(hops) - 1, "forward") if last else Death("c1", "", -1, "forward")
    return Journey("c1", "198.51.100.10", hops, death=death, lost_frames=lost)


def evidence(snapshot: Snapshot, journey: Journey, outcome: Outcome = SILENCE, **more: Any) -> Evidence:
    """Evidence of one ping from c1 to the site."""
    runs = (Run("forward", "echo-request", "", 8, tuple(range(len(journey.hops))), False),) if journey.hops else ()
    return Evidence(PROBE, outcome, journey, snapshot, snapshot, runs=runs, lost=journey.lost_frames, **more)


AT_ROUTER = stuck(hop("c1", "veth1", "out"), hop("host", "veth2", "in"), hop("host", "br0", "in"))


def forwarding(snapshot: Snapshot, value: str) -> Snapshot:
    """The host's switch."""
    nodes = tuple(
        msgspec.structs.replace(node, sysctls=node.sysctls | {"ip_forward": value}) if node.name == "host" else node for node in snapshot.nodes
    )
    return msgspec.structs.replace(snapshot, nodes=nodes)


def with_sysctls(snapshot: Snapshot, values: dict[str, str]) -> Snapshot:
    """The host with these settings."""
    nodes = tuple(msgspec.structs.replace(node, sysctls=values) if node.name == "host" else node for node in snapshot.nodes)
    return msgspec.structs.replace(snapshot, nodes=nodes)


def ruled(snapshot: Snapshot, *chains: Chain) -> Snapshot:
    """The host with these chains and no others."""
    nodes = tuple(msgspec.structs.replace(node, chains=chains) if node.name == "host" else node for node in snapshot.nodes)
    return msgspec.structs.replace(snapshot, nodes=nodes)


def test_unknown_stays_unknown() -> None:
    """A packet that vanishes in a router whose forwarding, routes and rules are all in order: no cause is made up."""
    told = explain(evidence(ruled(forwarding(lab_with(2), "1")), AT_ROUTER))
    assert (told.cause, told.code, told.place, told.certainty, told.fix) == ("", "", "", "unknown", "")
    assert told.seen == "The packet came into the host by br0 and left by no interface."


def test_a_switch_that_is_off_is_named_with_the_command_that_shows_it() -> None:
    """ip_forward=0 and no onward hop prove each other."""
    told = explain(evidence(forwarding(lab_with(2), "0"), AT_ROUTER), taught=taught(shipped()))
    assert (told.code, told.place, told.certainty) == ("forwarding-off", "host:fwd", "certain")
    assert told.facts[0].look == "sysctl net.ipv4.ip_forward" and told.fix == "sysctl -w net.ipv4.ip_forward=1"
    assert told.lesson == "container/internet/forwarding"


def test_a_node_that_was_never_meant_to_forward_is_only_likely() -> None:
    """In a container the switch is off from birth: that it does not forward proves that the packet died there, not that it should pass."""
    snapshot = forwarding(lab_with(2), "0")
    nodes = tuple(msgspec.structs.replace(node, role="container") if node.name == "host" else node for node in snapshot.nodes)
    told = explain(evidence(msgspec.structs.replace(snapshot, nodes=nodes), AT_ROUTER))
    assert told.code == "forwarding-off" and told.certainty == "likely"


def test_a_question_of_a_bridges_node_that_is_first_seen_at_a_port_was_asked_on_the_bridge() -> None:
    """What left br0 before anything was recorded was answered there, so nobody waits for it; and where nobody answers, br0 is where it was asked."""
    asked = [Hop("host", "veth2", "out", 1.0, "arp-request", "who has 10.0.0.2", "10.0.0.1", "10.0.0.2", neighbour="question"),
             Hop("c1", "veth1", "in", 1.0, "arp-request", "who has 10.0.0.2", "10.0.0.1", "10.0.0.2", neighbour="question")]  # fmt: skip
    answered = Hop("host", "br0", "in", 2.0, "arp-reply", "10.0.0.2 is at", "10.0.0.2", "10.0.0.1", neighbour="answer")
    plain = lab_with(2)
    connected = msgspec.structs.replace(plain.nodes[0], routes=(*plain.nodes[0].routes, Route("10.0.0.0/24", None, "br0")))
    snapshot = msgspec.structs.replace(plain, nodes=(connected, *plain.nodes[1:]))
    to_host = [msgspec.structs.replace(own, dst="10.0.0.1") for own in (hop("c1", "veth1", "out"), hop("host", "br0", "in"))]
    found = [locate(msgspec.structs.replace(evidence(snapshot, stuck(*hops)), probe=Ping("c1", "10.0.0.1")))
             for hops in ((*asked, *to_host), (*to_host, *asked), (*to_host, *asked, answered))]  # fmt: skip
    assert [(last.stage, last.node, last.link) for last in found] == [("asking", "host", "br0"), ("asking", "host", "br0"), ("delivered", "host", "br0")]


SIX_HOPS = tuple(
    msgspec.structs.replace(one, src="fd00:a::2", dst="fd00:b::1", text="fd00:a::2 > fd00:b::1 echo request") for one in AT_ROUTER.hops
)
SIX = msgspec.structs.replace(AT_ROUTER, target="fd00:b::1", hops=SIX_HOPS)
"""The same death of a packet of IPv6."""


def six(snapshot: Snapshot, probe: Any) -> Evidence:
    """Evidence of an IPv6 packet that came into the host and left it by no interface, whatever asked for it."""
    return msgspec.structs.replace(evidence(snapshot, SIX), probe=probe, outcome=Outcome(probe, "failed", "silence", "no answer", answer="fd00:b::1"))


@pytest.mark.parametrize(
    "probe", [Ping("c1", "fd00:b::1"), Ping("c1", "six.test"), Fetch("c1", "http://[fd00:b::1]/"), Fetch("c1", "http://six.test/")], ids=str
)
def test_ipv6_is_judged_by_its_own_settings(probe: Any) -> None:
    """IPv4's switch says nothing about an IPv6 packet, whether its address was typed or a name led to it; its own one does, with its own mend."""
    four_off = with_sysctls(lab_with(2), {"ip_forward": "0", "v6.forwarding": "1"})
    assert "forwarding" not in explain(six(four_off, probe)).code
    six_off = with_sysctls(lab_with(2), {"ip_forward": "1", "v6.forwarding": "0"})
    told = explain(six(six_off, probe))
    assert (told.code, told.place, told.certainty) == ("forwarding-off", "host:fwd", "certain")
    assert told.fix == "sysctl -w net.ipv6.conf.all.forwarding=1" and "ipv4" not in "".join(fact.text + fact.look for fact in told.facts)


def test_lost_frames_declare_nothing_dead() -> None:
    """The capture missed frames: what was not seen proves nothing, and the first sentence says so."""
    blind = stuck(*AT_ROUTER.hops, lost=7)
    told = explain(evidence(forwarding(lab_with(2), "0"), blind))
    assert told.code == "" and told.certainty == "unknown"
    assert "missed 7 frames" in told.seen


def test_what_the_kernel_said_counts_even_when_frames_were_lost() -> None:
    """An errno needs no capture."""
    outcome = Outcome(PROBE, "failed", "no-route", "c1 has no route to 198.51.100.10, so the packet never left")
    nodes = tuple(msgspec.structs.replace(node, routes=()) if node.name == "c1" else node for node in lab_with(2).nodes)
    told = explain(evidence(msgspec.structs.replace(lab_with(2), nodes=nodes), stuck(lost=3), outcome))
    assert told.code in ("no-default-route", "no-route") and told.place == "c1:routing"
    assert told.certainty == "likely", "with frames missing nothing is certain"


def test_a_probe_that_could_not_run_has_no_cause() -> None:
    """It says nothing about the network."""
    outcome = Outcome(PROBE, "error", "could-not-run", "the probe could not be sent")
    told = explain(evidence(forwarding(lab_with(2), "0"), stuck(), outcome))
    assert not told.answered and told.cause == "" and told.seen == "the probe could not be sent."


def test_an_answer_needs_no_cause() -> None:
    """Whatever else may be odd: it answered."""
    outcome = Outcome(PROBE, "answered", "answered", "198.51.100.10 answered in 0.10 ms")
    told = explain(evidence(forwarding(lab_with(2), "0"), AT_ROUTER, outcome))
    assert told.answered and told.cause == "" and told.code == ""


def test_a_rule_that_cannot_be_read_is_not_accused() -> None:
    """A drop behind a match that nobody can judge from here is no cause; the same drop without it is, and only likely."""
    limited = Rule(4, "limit rate over 1/minute drop", parts=(r.Unread("limit rate", varies=True), r.Drop()))
    certain = rule("ip daddr 198.51.100.10 drop", 5)
    open_lab = forwarding(lab_with(2), "1")
    for own, code in ((limited, ""), (certain, "forward-rule")):
        chain = Chain("ip", "t", "f", "filter", "forward", 0, "accept", None, (own,))
        told = explain(evidence(ruled(open_lab, chain), AT_ROUTER))
        assert told.code == code and told.certainty == ("likely" if code else "unknown")


def two_hosts() -> Snapshot:
    """Two hosts that do not hear each other, each with a bridge that holds the same gateway's address."""
    inside = container("c1", veth("veth1", "host:veth2", "10.0.0.2/24"), routes=(default("10.0.0.1", "veth1"),))
    other = node("host2", "host", bridge("br0", "10.0.0.1/24"))
    return lab(host(bridge("br0", "10.0.0.1/24"), veth("veth2", "c1:veth1", master="br0", port=BridgePort("forwarding"))), inside, other)


def test_an_address_that_is_meant_to_be_twice_is_no_mistake() -> None:
    """The gateway of each host's own bridge, where nobody can ask for it twice; on one segment the same is a mistake."""
    probe = Ping("c1", "10.0.0.1")
    way = stuck(*(msgspec.structs.replace(one, dst="10.0.0.1") for one in AT_ROUTER.hops))
    proof = msgspec.structs.replace(evidence(two_hosts(), way), probe=probe)
    assert explain(proof).code != "duplicate-address"
    beside = edit(lab_with(2), "c2", "veth3", addresses=(*lab_with(2).node("c2").link("veth3").addresses, Address("10.0.0.1", 24)))  # type: ignore[union-attr]
    assert explain(msgspec.structs.replace(proof, before=beside, after=beside)).code == "duplicate-address"


def test_a_port_may_ask_by_the_address_that_it_made_itself() -> None:
    """Every link has one of fe80::/10, a port of a bridge too, and may ask for a neighbour by it: nobody has put an address where it does not belong."""
    snapshot = with_sysctls(lab_with(2), {"v6.forwarding": "1"})
    port = snapshot.node("host").link("veth2")  # type: ignore[union-attr]
    assert port is not None
    snapshot = edit(snapshot, "host", "veth2", addresses=(Address("fe80::1", 64, 6, "link"),))
    asks = hop("host", "veth2", "out", mac_src=port.mac, mac_dst="33:33:ff:00:00:02", neighbour="question")
    asks = msgspec.structs.replace(asks, kind="ipv6-nd", src="fe80::1", dst="fe80::2", leg="arp")
    told = explain(msgspec.structs.replace(six(snapshot, Ping("c1", "fd00:b::1")), journey=stuck(asks, *SIX_HOPS)))
    assert told.code != "address-on-port"


def test_a_tunnel_to_a_group_sends_to_nobody_in_particular() -> None:
    """No node owns a multicast group, and that is no cause; an address that nobody has is one."""
    def told(remote: str) -> str:
        carried = msgspec.structs.replace(AT_ROUTER.hops[0], tunnel=Tunnel("10.0.0.2", remote, 4789, 7))
        inside = container("c1", veth("veth1", "host:veth2", "10.0.0.2/24"), vxlan("vx0", 7, "10.9.0.1/24", remote=remote))
        world = lab(host(bridge("br0", "10.0.0.1/24"), veth("veth2", "c1:veth1", master="br0", port=BridgePort("forwarding"))), inside)
        return explain(evidence(world, stuck(carried))).code

    assert told("10.0.0.99") == "vxlan-remote" and told("239.1.1.1") != "vxlan-remote"


def test_the_kernels_own_reason_is_quoted_and_is_not_certain() -> None:
    """When nothing else explains it, the drop reason is told as it is."""
    drop = Drop("host", "br0", "TCP_CSUM", "its checksum is wrong", "ip_rcv_core")
    told = explain(evidence(ruled(forwarding(lab_with(2), "1")), AT_ROUTER, drops=(drop,)))
    assert told.certainty == "likely" and "checksum" in told.cause and "TCP_CSUM" in told.facts[0].text


@pytest.mark.parametrize("reason", ["NO_SOCKET", "QUEUE_PURGE", "OTHERHOST"])
def test_noise_of_the_kernel_is_no_cause(reason: str) -> None:
    """These come with every ping that is answered."""
    drop = Drop("host", "br0", reason, "", "somewhere")
    assert explain(evidence(ruled(forwarding(lab_with(2), "1")), AT_ROUTER, drops=(drop,))).code == ""


def test_the_kernels_answer_beats_our_own_reckoning() -> None:
    """The snapshot shows a route; the kernel, asked, says that there is none."""
    answer = RouteAnswer("host", "198.51.100.10", "10.0.0.2", "br0", error="ENETUNREACH", words="Network is unreachable")
    told = explain(evidence(ruled(forwarding(lab_with(2), "1")), AT_ROUTER, routes=(answer,)))
    assert told.place == "host:routing" and "no" in told.code


def test_every_rung_survives_empty_evidence() -> None:
    """No rung may fail for want of facts: nodes, links and routes may all be missing."""
    nothing = Snapshot()
    for journey in (stuck(), AT_ROUTER, stuck(hop("gone", "eth9", "other"))):
        for reason in ("silence", "no-route", "unreachable", "refused", "too-big", "no-neighbour", "filtered", "no-such-name", "ttl-exceeded"):
            outcome = Outcome(PROBE, "failed", reason, "it failed", "192.0.2.1")
            assert explain(evidence(nothing, journey, outcome)).seen
            assert explain(evidence(lab_with(1), journey, outcome)).seen


def test_every_code_that_is_taught_is_a_cause() -> None:
    """The shipped course sends nobody from a cause that does not exist, and the ladder asks no rung twice."""
    steps = taught(shipped())
    assert steps and set(steps) <= set(CATALOGUE) and all(step.count("/") == 2 for step in steps.values())
    assert len({rung.look for rung in RUNGS}) == len(RUNGS)


def test_a_setting_elsewhere_is_only_likely() -> None:
    """What is set is proof where the packet was last seen; the same setting in a node it did not come to is a suggestion."""
    case = Case(evidence(forwarding(lab_with(2), "0"), AT_ROUTER), Where(), {})
    fact = state("net.ipv4.ip_forward is 0")
    assert certainty(case, Cause("forwarding-off", "host:fwd", "", (fact,))) == "certain"
    assert certainty(case, Cause("forwarding-off", "c2:fwd", "", (fact,))) == "likely"
    assert certainty(case, Cause("forwarding-off", "c2:fwd", "", (fact, said("the kernel refused it")))) == "certain"
    assert certainty(case, Cause("forwarding-off", "host:fwd", "", (inferred("worked out"),))) == "likely"
