"""The judge: state first, then packets; pass, fail and error with reasons; no answer for the wrong reason."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from helpers.post import course, step
from helpers.rules import rule
from helpers.snapshots import bridge, container, default, edit, edit_node, host, internet, lab, lab_with, uplink, veth
from netless_lab.course.bindings import Bindings
from netless_lab.course.judge import control_of, judge, state_holds
from netless_lab.course.outline import goal, outline, owners, start
from netless_lab.course.step import Demand, ProbeCheck, Silence, Step
from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe
from netless_lab.model.snapshot import Chain, Route, Snapshot
from netless_lab.primitives.address import HasAddress
from netless_lab.primitives.base import CannotTell, Expectation, Finding, Where
from netless_lab.primitives.link import LinkExists
from netless_lab.primitives.run import Run

HERE = Where("host", {"c1": "c1"}, {"c1": 42})
BUILT = lab_with(1, nat=False, forwarding=False)


class Untold(Expectation, frozen=True):
    """An expectation that no snapshot decides."""

    verb = "untold"

    def check(self, snapshot: Snapshot, where: Where) -> Finding:
        """Never told."""
        return CannotTell("answers may pass", "a rule that accepts them", "netless cannot read the rule `r`", "nft list ruleset")


def answered(probe: Probe, **more: object) -> Outcome:
    """It came back."""
    return Outcome(probe, "answered", "answered", "answered in 0.1 ms", **more)  # type: ignore[arg-type]


def lost(probe: Probe, reason: str = "silence") -> Outcome:
    """It ran and nothing good came."""
    return Outcome(probe, "failed", reason, f"{reason} for 1 s")  # type: ignore[arg-type]


def broken(probe: Probe) -> Outcome:
    """It could not run."""
    return Outcome(probe, "error", "could-not-run", "no raw socket in c1: Operation not permitted")


def outcomes(own: Step, *made: Outcome) -> dict[ProbeCheck, Outcome]:
    """Outcomes by the step's checks, in order."""
    return dict(zip(own.probes, made, strict=True))


def asking(check: ProbeCheck, *expect: object) -> Step:
    """A step with one probe."""
    return Step("s", "S", "p", (), expect, (check,))  # type: ignore[arg-type]


def only(verdict: Verdict) -> Item:
    """The verdict's one probe item."""
    (item,) = [item for item in verdict.items if item.kind == "probe"]
    return item


def test_everything_right_is_a_pass() -> None:
    """State holds, the pings that must pass did, the one that must not did not."""
    own = step("switch/port-up")
    made = [answered(check.probe) if check.reply else lost(check.probe) for check in own.probes]
    verdict = judge(own, BUILT, outcomes(own, *made), HERE)
    assert verdict.passed and verdict.step == "port-up"
    assert all(item.result == "pass" and item.claim for item in verdict.items)
    assert [item.kind for item in verdict.items] == ["state"] * len(own.expect) + ["probe"] * len(own.probes)


def test_probes_wait_for_the_state() -> None:
    """A port that is down: the state fails with reasons, probes are not judged, even when outcomes are at hand."""
    own = step("switch/port-up")
    made = outcomes(own, *(answered(check.probe) for check in own.probes))
    verdict = judge(own, edit(BUILT, "host", "veth2", up=False, carrier=False), made, HERE)
    assert verdict.result == "fail"
    assert {item.result for item in verdict.items if item.kind == "probe"} == {"waiting"}


def test_no_failure_without_a_reason() -> None:
    """Every step of the course on an empty lab and on a half-built one: what fails says expected, seen and a command to look."""
    empty = lab(host(uplink()), container("c1", lo_up=False), internet())
    for snapshot in (empty, BUILT, lab(host())):
        for lesson in course().lessons:
            for own in lesson.steps:
                made = {check: lost(check.probe) if check.reply else answered(check.probe) for check in own.probes}
                for item in judge(own, snapshot, made, HERE).items:
                    if item.result in ("fail", "error"):
                        assert item.claim and item.expected and item.seen and item.look, (own.id, item)


def test_no_step_holds_before_it_is_done() -> None:
    """On the sketch of its start no step of the course holds, on the sketch of its end every one does.

    Left out are steps that only run a command and those of the decoy, whose name no sketch shows.
    """
    sketch = start(course().world)
    for lesson in course().lessons:
        for own in lesson.steps:
            after = outline(sketch, own.do)
            if not any(isinstance(action, Run) for action in own.do) and own.id not in ("decoy", "tidy"):
                assert not state_holds(own, sketch), own.id
                assert state_holds(own, after), own.id
            sketch = after


def test_without_outcomes_it_is_waiting() -> None:
    """The state holds and no probe was sent yet: not a pass, not a failure."""
    verdict = judge(step("switch/port-up"), BUILT, {}, HERE)
    assert verdict.result == "waiting" and not verdict.passed


@pytest.mark.parametrize(("outcome", "result"), [(answered, "pass"), (lost, "fail"), (broken, "error"), (None, "waiting")])
def test_what_the_state_does_not_tell_the_packets_decide(outcome: Callable[[Probe], Outcome] | None, result: str) -> None:
    """Probes are judged although an expectation could not be told; its line is neither a tick nor a cross and says what decided, where that is not the cross below."""
    own = asking(ProbeCheck(Ping("c1", "203.0.113.1")), Untold())
    made = {own.probes[0]: outcome(own.probes[0].probe)} if outcome else {}
    verdict = judge(own, BUILT, made, HERE)
    assert verdict.result == result and only(verdict).result == result
    decided = {"pass": "; the packets decided", "waiting": "; the packets will decide"}.get(result, "")
    assert verdict.items[0].result == "unknown" and verdict.items[0].seen == f"netless cannot read the rule `r`{decided}"
    assert state_holds(own, BUILT), "what cannot be told is not missing"


def test_what_is_refuted_is_not_asked_of_packets() -> None:
    """One expectation cannot be told and another is not met: no packet is waited for, the step fails."""
    own = asking(ProbeCheck(Ping("c1", "203.0.113.1")), Untold(), LinkExists(name="veth9", node="c1"))
    verdict = judge(own, BUILT, outcomes(own, answered(own.probes[0].probe)), HERE)
    assert verdict.result == "fail" and only(verdict).result == "waiting"


def test_with_no_packet_nobody_can_tell() -> None:
    """A step without probes does not pass by what nobody could read, and does not fail by it either."""
    verdict = judge(Step("s", "S", "p", (), (Untold(),)), BUILT, {}, HERE)
    assert verdict.result == verdict.items[0].result == "error" and "nobody can tell" in verdict.items[0].near


def test_a_lost_packet_fails_with_its_reason_and_a_command() -> None:
    """Expected, seen and look: the outcome's own words, and a command in the node that sent it."""
    own = asking(ProbeCheck(Ping("c1", "203.0.113.2")))
    item = only(judge(own, BUILT, outcomes(own, lost(own.probes[0].probe, "no-route")), HERE))
    assert (item.result, item.expected, item.seen) == ("fail", "an answer", "no-route for 1 s")
    assert item.look == "ip -n c1 route get 203.0.113.2"


@pytest.mark.parametrize(
    ("to", "reason", "look"),
    [
        ("10.0.0.1", "no-neighbour", "ip -n c1 neigh show"),
        ("10.0.0.1", "silence", "bridge link show"),
        ("198.51.100.10", "silence", "sysctl net.ipv4.ip_forward"),
        ("198.51.100.10", "filtered", "nft list ruleset"),
        ("10.0.0.1", "refused", "ss -ltn"),
        ("198.51.100.10", "blackhole", "ip -n c1 route show table all"),
        ("198.51.100.10", "local-drop", "ip netns exec c1 nft list ruleset"),
        ("fd00:198::10", "no-route", "ip -n c1 route get fd00:198::10"),
        ("fe80::1%veth1", "unreachable", "ip -n c1 route get fe80::1 oif veth1"),
        ("fe80::1%veth1", "silence", "bridge link show"),
    ],
)
def test_the_command_to_look_with_fits_the_symptom(to: str, reason: str, look: str) -> None:
    """The symptom table of the curriculum, as commands."""
    own = asking(ProbeCheck(Ping("c1", to)))
    near = Route("10.0.0.0/24", None, "br0", protocol="kernel")
    routed = edit_node(BUILT, "host", routes=(*BUILT.nodes[0].routes, near))
    routed = edit_node(routed, "c1", routes=(default("10.0.0.1", "veth1"), msgspec.structs.replace(near, dev="veth1")))
    assert only(judge(own, routed, outcomes(own, lost(own.probes[0].probe, reason)), HERE)).look == look


def test_silence_behind_open_forwarding_points_at_the_rules() -> None:
    """Forwarding is on and there are chains: look at the rules."""
    own = asking(ProbeCheck(Ping("c1", "198.51.100.10")))
    assert only(judge(own, lab_with(1), outcomes(own, lost(own.probes[0].probe)), HERE)).look == "nft list ruleset"


@pytest.mark.parametrize("demand", ["reply", "guard"])
def test_a_probe_that_could_not_run_is_an_error(demand: Demand) -> None:
    """Neither a pass nor a failure, whatever was wanted."""
    own = asking(ProbeCheck(Ping("c1", "10.0.0.1"), demand, "" if demand == "reply" else "nobody is there"))
    verdict = judge(own, BUILT, outcomes(own, broken(own.probes[0].probe)), HERE)
    assert verdict.result == "error" and not verdict.passed
    assert "Operation not permitted" in only(verdict).seen and "nobody can tell" in only(verdict).near


def test_a_failure_outweighs_an_error() -> None:
    """One probe failed and another could not run: the step failed."""
    checks = (ProbeCheck(Ping("c1", "10.0.0.1")), ProbeCheck(Ping("c1", "10.0.0.9")))
    own = Step("s", "S", "p", (), (), checks)
    assert judge(own, BUILT, {checks[0]: broken(checks[0].probe), checks[1]: lost(checks[1].probe)}, HERE).result == "fail"


def test_an_answer_where_silence_was_due() -> None:
    """It fails, says why silence was expected, and who answered."""
    own = asking(ProbeCheck(Ping("c1", "10.0.0.1"), "guard", "nobody owns it"))
    item = only(judge(own, BUILT, outcomes(own, answered(own.probes[0].probe)), HERE))
    assert (item.result, item.expected) == ("fail", "no answer, because nobody owns it")
    assert item.near == "10.0.0.1 is an address of the host, and it was reached."


@pytest.mark.parametrize(("control", "result"), [("answered", "pass"), ("failed", "error"), ("error", "error"), (None, "waiting")])
def test_silence_needs_its_control(control: str | None, result: str) -> None:
    """When the control on the same path is lost as well, silence proves nothing."""
    check = ProbeCheck(Ping("c1", "10.0.0.9"), "guard", "nobody owns it", control=Ping("c1", "10.0.0.1"))
    made = {check: lost(check.probe)}
    if control is not None:
        made[control_of(check)] = {"answered": answered, "failed": lost, "error": broken}[control](control_of(check).probe)
    verdict = judge(asking(check), BUILT, made, HERE)
    assert verdict.result == result
    if result == "error":
        assert "proves nothing" in only(verdict).near and "10.0.0.1 answers c1" in only(verdict).expected


@pytest.mark.parametrize(
    ("outcome", "control", "result"),
    [
        (lost, answered, "pass"),
        (answered, answered, "ahead"),
        (answered, lost, "ahead"),
        (lost, lost, "unknown"),
        (lost, broken, "unknown"),
        (broken, answered, "unknown"),
    ],
)
def test_an_observation_refuses_nobody(
    outcome: Callable[[Probe], Outcome], control: Callable[[Probe], Outcome], result: str
) -> None:
    """Answered, lost, or not to be seen: the step passes by what else it asks for, and only what is so is ticked."""
    check = ProbeCheck(Ping("c1", "203.0.113.2"), "observation", "it has no road there", control=Ping("c1", "10.0.0.1"))
    made = {check: outcome(check.probe), control_of(check): control(control_of(check).probe)}
    verdict = judge(asking(check, LinkExists(name="veth1", node="c1")), BUILT, made, HERE)
    assert verdict.passed and only(verdict).result == result
    assert (verdict.told("A switch without cables.") == "A switch without cables.") == (result == "pass")
    if result == "ahead":
        assert only(verdict).claim == "203.0.113.2 answers c1 already: you are ahead"
    if result == "unknown":
        assert only(verdict).seen


@pytest.mark.parametrize(("kind", "result"), [("guard", "fail"), ("observation", "pass")])
def test_a_guard_decides(kind: Silence, result: str) -> None:
    """The same answer where silence was due: with a guard the step is not done, with an observation it is."""
    own = asking(ProbeCheck(Ping("c1", "10.0.0.1"), kind, "nobody owns it"), LinkExists(name="veth1", node="c1"))
    assert judge(own, BUILT, outcomes(own, answered(own.probes[0].probe)), HERE).result == result


@pytest.mark.parametrize(
    ("kind", "outcome", "result"),
    [("observation", lost, "error"), ("observation", answered, "pass"), ("guard", lost, "pass"), ("guard", answered, "fail")],
)
def test_what_a_silence_decides_of_what_cannot_be_told(kind: Silence, outcome: Callable[[Probe], Outcome], result: str) -> None:
    """Silence that was only observed proves nothing of a rule that nobody can read; an answer came all the way, and a guard decides."""
    own = asking(ProbeCheck(Ping("c1", "10.0.0.1"), kind, "nobody owns it"), Untold())
    assert judge(own, BUILT, outcomes(own, outcome(own.probes[0].probe)), HERE).result == result


def test_who_the_site_saw() -> None:
    """A page that came back is not enough: the site must have seen the host's address."""
    own = asking(ProbeCheck(Fetch("c1", "http://198.51.100.10/"), seen_as="203.0.113.2"))
    fetch = own.probes[0].probe
    assert judge(own, BUILT, outcomes(own, answered(fetch, seen_as="203.0.113.2")), HERE).passed
    item = only(judge(own, BUILT, outcomes(own, answered(fetch, seen_as="10.0.0.2")), HERE))
    assert item.result == "fail" and item.seen == "the site saw 10.0.0.2" and "masquerade" in item.near
    assert only(judge(own, BUILT, outcomes(own, answered(fetch)), HERE)).seen == "the site did not say whom it saw"


def test_what_the_name_server_said() -> None:
    """Another address than the one wanted fails."""
    own = asking(ProbeCheck(Lookup("c1", "example.test"), answer="198.51.100.10"))
    lookup = own.probes[0].probe
    assert judge(own, BUILT, outcomes(own, answered(lookup, answer="198.51.100.10")), HERE).passed
    assert only(judge(own, BUILT, outcomes(own, answered(lookup, answer="198.51.100.99")), HERE)).seen == "the answer 198.51.100.99"


def test_the_host_answering_for_the_container_is_no_pass() -> None:
    """Fault 42: the container's address sits on the host's end of the cable, so the host pings itself. The state check names it."""
    wrong = lab(
        host(uplink(), bridge("br0", "10.0.0.1/24"), veth("veth2", "c1:veth1", "10.0.0.2/24", master="br0")),
        container("c1", veth("veth1", "host:veth2")),
    )
    own = asking(ProbeCheck(Ping("host", "10.0.0.2")), HasAddress(cidr="10.0.0.2/24", link="veth1", node="c1"))
    verdict = judge(own, wrong, outcomes(own, answered(own.probes[0].probe)), HERE)
    assert verdict.result == "fail" and "10.0.0.2 is on veth2 in the host" in verdict.items[0].near


def test_an_answer_from_the_wrong_node_is_no_pass() -> None:
    """The same without a state check in the step: the course says where the address lives, and it is not there."""
    wrong = lab(host(uplink(), veth("veth2", "c1:veth1", "10.0.0.2/24")), container("c1", veth("veth1", "host:veth2")), internet())
    own = asking(ProbeCheck(Ping("host", "10.0.0.2")))
    homes = owners(goal(course(), "cable", start(course().world)))
    assert homes["10.0.0.2"] == "c1"
    item = only(judge(own, wrong, outcomes(own, answered(own.probes[0].probe)), HERE, owners=homes))
    assert item.result == "fail"
    assert item.near == "10.0.0.2 belongs to the host itself here, not to c1: it only hears its own echo."
    thrice = lab(
        host(uplink(), veth("veth2", "c1:veth1", "10.0.0.2/24")), container("c1", veth("veth1", "host:veth2", "10.0.0.2/24")),
        container("c2", veth("veth1", "", "10.0.0.2/24")), internet(),
    )  # fmt: skip
    item = only(judge(own, thrice, outcomes(own, answered(own.probes[0].probe)), HERE, owners=homes))
    assert item.result == "fail" and "answers itself" in item.near, "whoever else has it too"
    bound = Bindings(nets={"10.0.0.0/24": "192.168.7.0/24"})
    moved = lab(host(veth("veth2", "c1:veth1", "192.168.7.2/24")), container("c1", veth("veth1", "host:veth2")))
    assert only(judge(own, moved, outcomes(own, answered(own.probes[0].probe)), HERE, bound, owners=homes)).result == "fail"


@pytest.mark.parametrize(("probe", "result"), [
    (Connect("c1", "203.0.113.2", 8080), "pass"), (Ping("c1", "203.0.113.2"), "fail"), (Connect("c1", "198.51.100.10", 8080), "fail"),
], ids=["a published port", "a ping", "somebody else's port"])  # fmt: skip
def test_a_published_port_is_answered_from_the_right_place(probe: Probe, result: str) -> None:
    """Whoever asks a port of a router has the answer of whom it is published for; a ping, or what is for somebody else, is led astray."""
    rules = tuple(rule(f"ip daddr {address} dnat to 10.0.0.2", number) for number, address in enumerate(("203.0.113.2", "198.51.100.10")))
    published = Chain("ip", "t", "pre", "nat", "prerouting", -100, "accept", rules=rules)
    now = edit_node(lab_with(1, forwarding=True), "host", chains=(published,))
    check = ProbeCheck(probe)
    own = asking(check)
    assert only(judge(own, now, outcomes(own, answered(probe)), Where())).result == result


def test_an_address_held_twice_is_no_proof() -> None:
    """c1 has its address, but the host has it too and answers itself."""
    both = edit(BUILT, "host", "veth2", addresses=BUILT.node("c1").link("veth1").addresses)  # type: ignore[union-attr]
    own = asking(ProbeCheck(Ping("host", "10.0.0.2")))
    item = only(judge(own, both, outcomes(own, answered(own.probes[0].probe)), HERE, owners={"10.0.0.2": "c1"}))
    assert item.result == "fail" and "answers itself" in item.near


def test_a_ping_to_oneself_is_fine_when_meant() -> None:
    """The post's own "it can ping itself" stays right."""
    own = asking(ProbeCheck(Ping("c1", "10.0.0.2")))
    assert judge(own, BUILT, outcomes(own, answered(own.probes[0].probe)), HERE, owners={"10.0.0.2": "c1"}).passed


def test_verdicts_speak_the_learners_words() -> None:
    """Claims, looks and probes carry the bound names; outcomes are found by the lesson's own check."""
    bound = Bindings(links={"veth1": "left", "br0": "sw0"}, nets={"10.0.0.0/24": "192.168.7.0/24"})
    check = ProbeCheck(Ping("c1", "10.0.0.1"))
    own = asking(check, LinkExists(name="veth1", node="c1"))
    snapshot = lab(
        host(bridge("sw0", "192.168.7.1/24"), veth("r", "c1:left", master="sw0")), container("c1", veth("left", "host:r", "192.168.7.2/24"))
    )
    verdict = judge(own, snapshot, {check: lost(Ping("c1", "192.168.7.1"), "no-route")}, HERE, bound)
    assert [item.claim for item in verdict.items] == ["left is in c1", "192.168.7.1 answers c1"]
    assert verdict.items[1].look == "ip -n c1 route get 192.168.7.1"


def test_a_name_stays_as_it_is_at_the_beginning_of_a_sentence_and_within() -> None:
    """A node called ``webA`` owns the address of another called ``DB``: neither is called otherwise for the sake of a capital."""
    twin = lab(host(), container("webA", veth("e1", "host:p1", "10.0.0.2/24")), container("DB", veth("e2", "host:p2", "10.0.0.2/24")))
    own = asking(ProbeCheck(Ping("webA", "10.0.0.2")), HasAddress(cidr="10.0.0.2/24", link="e2", node="DB"))
    (item,) = (item for item in judge(own, twin, outcomes(own, answered(own.probes[0].probe)), HERE).items if item.kind == "probe")
    assert item.near == "webA owns 10.0.0.2 as well, so it answers itself and no packet ever reaches DB."


def both(*extra: Route, **sysctls: str) -> Snapshot:
    """c1 and the host on one cable, with addresses of both families; c1 has ``extra`` routes beside those of its networks, the host these settings."""
    own = (Route("10.0.0.0/24", None, "e0"), Route("fd00::/64", None, "e0", family=6))
    far = tuple(msgspec.structs.replace(route, dev="br0") for route in own)
    c1 = container("c1", veth("e0", "host:br0", "10.0.0.2/24", "fd00::2/64"), routes=(*extra, *own))
    there = host(veth("br0", "c1:e0", "10.0.0.1/24", "fd00::1/64"), routes=far)
    return lab(msgspec.structs.replace(there, sysctls={**there.sysctls, **sysctls}), c1)


def near_of(to: str, snapshot: Snapshot) -> str:
    """What is told beside a ping of c1's that nobody answered."""
    check = ProbeCheck(Ping("c1", to))
    return judge(asking(check), snapshot, {check: lost(check.probe)}, HERE).items[0].near


def test_a_setting_of_ipv4_is_no_reason_for_a_lost_packet_of_ipv6() -> None:
    """Who leaves pings of IPv4 unanswered may answer those of IPv6."""
    muted = both(icmp_echo_ignore_all="1")
    assert "icmp_echo_ignore_all is 1" in near_of("10.0.0.1", muted)
    assert near_of("fd00::1", muted) == ""


def test_a_way_back_of_ipv4_that_leads_astray_is_no_reason_for_a_lost_packet_of_ipv6() -> None:
    """The answer goes to an address of the asker's family."""
    whole = both()
    there = whole.node("host")
    assert there is not None
    astray = edit_node(whole, "host", routes=(Route("10.0.0.2/32", "10.0.0.9", "eth9"), *there.routes))
    assert "sends packets to 10.0.0.2 by eth9" in near_of("10.0.0.1", astray)
    assert near_of("fd00::1", astray) == ""
