"""What is there and no step has asked for: it is told, it costs nobody a tick, and no success that speaks of less is said."""

from __future__ import annotations

import msgspec
import pytest

from helpers.post import course, step
from helpers.running import Running
from helpers.snapshots import bridge, container, edit, edit_node, forward_drop, host, internet, lab, lab_with, uplink, veth
from netless_lab.course.extras import extras
from netless_lab.course.judge import judge
from netless_lab.course.outline import commanded, goal, outline, start
from netless_lab.course.step import positions
from netless_lab.primitives.base import Action, Where
from netless_lab.primitives.run import Run
from netless_lab.primitives.updown import LinkUp
from netless_lab.protocol import Judged

HERE = Where("host", {"c1": "c1"}, {"c1": 42})


def test_extras_are_mentioned_and_never_punished() -> None:
    """A typo first, then the right thing: the step passes, the stray cable, namespace and address are told."""
    base = lab(host(uplink()), container("c1"), internet())
    stray = lab(
        host(
            uplink(),
            veth("vteh1", "host:vteh2", up=False),
            veth("vteh2", "host:vteh1", up=False),
            veth("veth1", "host:veth2"),
            veth("veth2", "host:veth1", "10.1.1.1/24"),
        ),
        container("c1"),
        container("c9"),
        internet(),
    )
    wanted = outline(base, step("cable/pair").do)
    found = extras(stray, (base, wanted))
    assert found == (
        "the veth vteh1 on the host",
        "the veth vteh2 on the host",
        "veth1 on the host, switched on",
        "the address 10.1.1.1/24 of veth2 on the host",
        "veth2 on the host, switched on",
        "the container c9",
    )
    own = step("cable/pair")
    verdict = judge(own, stray, {}, HERE, extras=found)
    assert verdict.passed and verdict.extras == found


def test_who_has_switched_an_end_on_is_not_told_that_both_are_down() -> None:
    """The words of a success are for one with whom nothing is further on: a link that is up though no step has asked for it yet is."""
    base = start(course().world)
    own, before = step("cable/plug"), outline(base, (*step("cable/pair").do, *step("cable/plug").do))
    here = edit_node(before, "host", links=tuple(msgspec.structs.replace(link, up=link.up or link.name == "veth2") for link in before.node("host").links))  # type: ignore[union-attr]
    assert "both ends are down" in own.success
    beyond = ("veth2 on the host, switched on",)
    for state, found, told in ((before, (), own.success), (here, beyond, "Done; there is more here than this step asks for.")):
        verdict = judge(own, state, {}, HERE, extras=extras(state, (base, before)))
        assert verdict.passed and verdict.extras == found and verdict.told(own.success) == told


def test_what_steps_make_is_no_extra() -> None:
    """A network built as the lessons say has nothing beyond it; routes never count."""
    base = start(course().world)
    assert extras(edit_node(lab_with(1), "internet", links=base.node("internet").links), (base, goal(course(), "internet", base))) == ()  # type: ignore[union-attr]


def test_a_long_list_of_extras_is_cut() -> None:
    """Eight lines at most, the last says how many more there are."""
    many = lab(host(*(bridge(f"b{number}") for number in range(20))))
    found = extras(many, (lab(host()),))
    assert len(found) == 8 and found[-1] == "and 13 more things that no step asked for"


@pytest.mark.parametrize(("action", "found"), [(Run("nft -f rules", "host"), False), (Run("nft -f rules", "c1"), True), (LinkUp("br0"), True)])
def test_what_a_steps_own_command_line_may_have_made_is_no_extra(action: Action, found: bool) -> None:
    """No sketch shows what a line does: rules and plugs are left alone where it was run, and everywhere when a host ran it."""
    before = lab(host(uplink(), bridge("br0"), veth("v", "c1:w")), container("c1", veth("w", "host:v")), internet())
    after = edit(edit_node(before, "host", chains=(forward_drop(),)), "host", "v", master="br0")
    told = extras(after, (outline(before, (LinkUp("br0"),)),), (), commanded(before, (action,)))
    assert told == (("v on the host, plugged into br0", "the policy of ip lab forward on the host") if found else ())


def judged(lab: Running, at: str, commands: str = "", *, end: bool = True) -> Judged:
    """The judgement on a step at its end (or its start), when something more has been done by hand."""
    lab.reset("lab")
    lab.goto(at, end=end)
    if commands:
        lab.sh(commands)
    (entry,) = lab.check().verdicts
    return entry


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("at", "commands", "found"),
    [
        ("internet/firewall", "nft add rule ip lab forward ip daddr 203.0.113.1 accept", "the rule `ip daddr 203.0.113.1 accept` of ip lab forward on the host"),
        ("internet/door-back", "nft add rule ip lab forward tcp dport 22 accept", "the rule `tcp dport 22 accept` of ip lab forward on the host"),
        ("internet/door-back", "nft 'add chain ip lab in { type filter hook input priority 0; policy drop; }'; nft add rule ip lab in iifname br0 accept",
         "the policy of ip lab in on the host"),
        ("internet/masquerade", "ip netns exec c1 sysctl -qw net.ipv4.ip_forward=1", "forwarding in c1, switched on"),
        ("internet/masquerade", "sysctl -qw net.ipv6.conf.all.forwarding=1", "forwarding of IPv6 on the host, switched on"),
        ("neighbour/second-cable", "ip link set veth4 master br0", "veth4 on the host, plugged into br0"),
        ("neighbour/second-address", "ip link set veth4 master br0", "veth4 on the host, plugged into br0"),
    ],
)
def test_no_success_is_told_that_is_not_so(lab: Running, at: str, commands: str, found: str) -> None:
    """A further rule, a policy, a switch, a cable that is plugged in early: the step passes, and its sentence, which denies just that, is not said."""
    entry = judged(lab, at, commands)
    assert entry.verdict.passed and entry.verdict.extras[0] == found, entry
    assert entry.success == "Done; there is more here than this step asks for."


@pytest.mark.kernel
@pytest.mark.parametrize("at", ["cable/address", "switch/bridge", "internet/masquerade"])
def test_what_later_steps_have_made_is_asked_for(lab: Running, at: str) -> None:
    """Who is at the end of the course and has an early step judged is ahead; what no step of all has asked for is told, and nothing else."""
    lab.reset("lab")
    lab.goto("neighbour/everyone", end=True)
    for commands, found in (("true", ()), ("ip link add stray type bridge; nft add rule ip lab forward tcp dport 22 accept",
                                           ("the bridge stray on the host", "the rule `tcp dport 22 accept` of ip lab forward on the host"))):
        lab.sh(commands)
        (entry,) = lab.check(at).verdicts
        assert entry.verdict.passed and entry.verdict.extras == found, entry
        assert entry.success == "Done, and you are ahead: there is more already than this step asks for."


@pytest.mark.kernel
def test_a_success_does_not_speak_of_what_is_not_there(lab: Running) -> None:
    """One thing is said to be missing still, and another one is missing too: the step passes, and says which earlier one does not hold."""
    entry = judged(lab, "switch/bridge-up", "ip link set veth2 nomaster")
    assert entry.verdict.passed and entry.verdict.items[-1].result == "lapsed"
    assert "'Plug the cable in'" in entry.verdict.items[-1].claim and entry.success == "Done, but what an earlier step built is not there."


@pytest.mark.kernel
@pytest.mark.parametrize(
    "rules",
    [
        "nft add rule ip lab forward iifname { br0, br1 } counter accept; nft add rule ip lab forward ct state vmap { established : accept, related : accept }",
        "nft add chain ip lab doors; nft add rule ip lab forward jump doors; nft add rule ip lab doors iifname br0 accept;"
        "nft add rule ip lab doors ct state established,related accept; nft insert rule ip lab forward counter",
    ],
)
def test_a_rule_in_words_of_ones_own_is_no_extra(lab: Running, rules: str) -> None:
    """The rules that a step asks for, written otherwise, in a chain of their own too, and one that only counts: what it was to be is said."""
    entry = judged(lab, "internet/door-back", f"set -e; nft flush chain ip lab forward; {rules}")
    assert entry.verdict.passed and entry.verdict.extras == ()
    assert entry.success == step("internet/door-back").success


@pytest.mark.kernel
def test_what_the_step_itself_changes_is_no_extra(lab: Running) -> None:
    """At its start, and half way, what a step moves, makes or takes away is there as it has to be."""
    for place in positions(course()):
        assert judged(lab, str(place), end=False).verdict.extras == (), place
    half = judged(lab, "neighbour/second-cable", "ip link add veth3 type veth peer name veth4", end=False)
    assert not half.verdict.passed and half.verdict.extras == ()
