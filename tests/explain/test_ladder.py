"""The ladder on evidence made by hand: what it must say, and above all what it must not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from helpers.snapshots import lab_with
from netless_lab.explain import explain
from netless_lab.explain.ladder import _SAID, _SEEN
from netless_lab.explain.lessons import _BY_CODE
from netless_lab.model.evidence import Drop, Evidence, RouteAnswer, Run
from netless_lab.model.journey import Death, Hop, Journey
from netless_lab.model.probe import Outcome, Ping
from netless_lab.model.snapshot import Chain, Rule, Snapshot

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
    runs = (Run("forward", "echo-request", "", 8, 50, tuple(range(len(journey.hops))), False),) if journey.hops else ()
    return Evidence(PROBE, outcome, journey, snapshot, snapshot, runs=runs, lost=journey.lost_frames, **more)


AT_ROUTER = stuck(hop("c1", "veth1", "out"), hop("host", "veth2", "in"), hop("host", "br0", "in"))


def forwarding(snapshot: Snapshot, value: str) -> Snapshot:
    """The host's switch."""
    nodes = tuple(
        msgspec.structs.replace(node, sysctls=node.sysctls | {"ip_forward": value}) if node.name == "host" else node for node in snapshot.nodes
    )
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
    told = explain(evidence(forwarding(lab_with(2), "0"), AT_ROUTER))
    assert (told.code, told.place, told.certainty) == ("forwarding-off", "host:fwd", "certain")
    assert told.facts[0].look == "sysctl net.ipv4.ip_forward" and told.fix == "sysctl -w net.ipv4.ip_forward=1"
    assert told.lesson == "container/internet/forwarding"


def test_a_node_that_was_never_meant_to_forward_is_only_likely() -> None:
    """In a container the switch is off from birth: that it does not forward proves that the packet died there, not that it should pass."""
    snapshot = forwarding(lab_with(2), "0")
    nodes = tuple(msgspec.structs.replace(node, role="container") if node.name == "host" else node for node in snapshot.nodes)
    told = explain(evidence(msgspec.structs.replace(snapshot, nodes=nodes), AT_ROUTER))
    assert told.code == "forwarding-off" and told.certainty == "likely"


def test_nothing_is_certain_of_ipv6() -> None:
    """The rungs were tried on IPv4: the same evidence about a probe to an IPv6 address is only likely."""
    proof = evidence(forwarding(lab_with(2), "0"), AT_ROUTER)
    told = explain(msgspec.structs.replace(proof, probe=Ping("c1", "fd00::10")))
    assert told.code == "forwarding-off" and told.certainty == "likely"


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
    limited = Rule(4, "limit rate over 1/minute drop", (), "drop")
    certain = Rule(5, "ip daddr 198.51.100.10 drop", (("ip daddr", "==", "198.51.100.10"),), "drop")
    open_lab = forwarding(lab_with(2), "1")
    for rule, code in ((limited, ""), (certain, "forward-rule")):
        chain = Chain("ip", "t", "f", "filter", "forward", 0, "accept", None, (rule,))
        told = explain(evidence(ruled(open_lab, chain), AT_ROUTER))
        assert told.code == code and told.certainty == ("likely" if code else "unknown")


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


def test_a_code_is_taught_once() -> None:
    """Each code leads to at most one step, and the ladder knows no rung twice."""
    assert all(step.count("/") == 2 for step in _BY_CODE.values())
    assert len(set(_SEEN)) == len(_SEEN) and len(set(_SAID)) == len(_SAID)
