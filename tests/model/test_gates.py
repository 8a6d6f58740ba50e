"""Gates are decided from facts in the snapshot, simply, and never more certain than the facts."""

from __future__ import annotations

import msgspec
import pytest

from helpers.rules import rule
from helpers.snapshots import FORWARD, bridge, default, forward_drop, host, masquerade, uplink
from netless_lab.model.gates import firewall, forwarding, gates_of, leads_out, nat, uplinks
from netless_lab.model.netfilter import rules as r
from netless_lab.model.netfilter.packet import only
from netless_lab.model.snapshot import Chain, Node, Route, Rule


def chain(hook: str | None, *verdicts: str, policy: str | None = None, name: str = "x", **more: object) -> Chain:
    """A chain with a rule for each verdict; ``drop*`` is one without a condition."""
    rules = tuple(rule(verdict[:-1] if verdict.endswith("*") else f"iifname br0 {verdict}", n) for n, verdict in enumerate(verdicts))
    return Chain(family="ip", table="t", name=name, type="filter", hook=hook, policy=policy, rules=rules, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "state"), [("1", "open"), ("0", "closed"), ("1\n", "open"), ("2", "open"), ("-1", "open")])
def test_forwarding_is_what_the_sysctl_says(value: str, state: str) -> None:
    """Zero is closed and every other number open, as the kernel has it."""
    assert forwarding(Node("host", "host", 1, sysctls={FORWARD: value})) == state


def test_forwarding_is_unknown_when_nobody_looked() -> None:
    """A snapshot without the sysctl says nothing either way."""
    assert forwarding(Node("host", "host", 1)) == "unknown"


@pytest.mark.parametrize(
    ("chains", "state"),
    [
        ((), "absent"),
        ((chain("input", policy="drop"),), "absent"),
        ((chain("forward", policy="accept"),), "open"),
        ((chain("forward", policy="drop"),), "closed"),
        ((chain("forward", "accept", policy="drop"),), "narrow"),
        ((chain("forward", "drop", policy="accept"),), "narrow"),
        ((chain("forward", "drop*", policy="accept"),), "closed"),
        ((chain("forward", "accept", "drop*", policy="accept"),), "narrow"),
        ((chain("forward", "unread accept*", policy="drop"),), "unknown"),
        ((chain("forward", "unfollowed*", policy="drop"),), "unknown"),
        ((chain("forward", "unread counter*", policy="drop"),), "closed"),
        ((chain("forward", "reject*"),), "closed"),
        ((chain("forward", policy="accept"), chain("forward", policy="drop", name="y")), "closed"),
        ((chain("forward", "jump mine", policy="drop"), chain(None, "accept", name="mine")), "narrow"),
        ((chain("forward", "goto mine", policy="drop"), chain(None, "accept", name="mine")), "narrow"),
        ((chain("forward", "jump mine", policy="drop"), chain(None, "jump x", name="mine")), "unknown"),
        ((msgspec.structs.replace(chain("forward", policy="drop"), family="ip6"),), "absent"),
        ((msgspec.structs.replace(chain("forward", policy="drop"), family="inet"),), "closed"),
    ],
)
def test_the_firewall_is_its_strictest_forward_chain(chains: tuple[Chain, ...], state: str) -> None:
    """Only chains on the forward hook that see IPv4 count; what they jump to counts with them; a loop, which the kernel takes from nobody, ends."""
    assert firewall(Node("host", "host", 1, chains=chains)) == state


def test_nat_is_a_rule_that_rewrites_the_source_behind_postrouting() -> None:
    """Masquerade and snat count, also through a jump and in rules this reader cannot parse; dnat and other hooks do not."""
    snat = rule("snat to 203.0.113.2")
    base = Chain("ip", "nat", "POSTROUTING", "nat", "postrouting", 100, "accept")
    through = (msgspec.structs.replace(base, rules=(rule("jump mine"),)), Chain("ip", "nat", "mine", rules=(snat,)))
    for chains, state in (
        ((masquerade(),), "open"),
        ((msgspec.structs.replace(base, rules=(snat,)),), "open"),
        ((msgspec.structs.replace(base, rules=(rule("unfollowed"),)),), "unknown"),
        ((msgspec.structs.replace(base, rules=(rule("unread masquerade"),)),), "unknown"),
        (through, "open"),
        ((msgspec.structs.replace(base, hook="prerouting", rules=(rule("dnat to 10.0.0.2:80"),)),), "absent"),
        ((base,), "absent"),
    ):
        assert nat(Node("host", "host", 1, chains=chains)) == state


BR0, BR1 = bridge("br0", "10.0.0.1/24"), bridge("br1", "10.1.0.1/24")
ROUTES = (default("203.0.113.1", "eth0"),)


def router(*chains: Chain, **switches: str) -> Node:
    """A host between two networks and the world."""
    found = host(BR0, BR1, uplink(), forwarding=True, routes=ROUTES, chains=chains)
    return msgspec.structs.replace(found, sysctls={**found.sysctls, **{key.replace("_", "/", 1): value for key, value in switches.items()}})


def nat_chain(*texts: str) -> Chain:
    """A postrouting chain with these rules."""
    return Chain("ip", "t", "post", "nat", "postrouting", 100, "accept", rules=tuple(map(rule, texts)))


@pytest.mark.parametrize(
    ("switches", "state"),
    [
        ({}, "open"),
        ({"forwarding_br0": "0"}, "narrow"),
        ({"forwarding_br0": "0", "forwarding_br1": "0"}, "closed"),
        ({"forwarding_eth0": "0"}, "closed"),
        ({"ip_forward": "0"}, "closed"),
        ({"ip_forward": "0", "forwarding_br0": "1", "forwarding_eth0": "1"}, "narrow"),
    ],
)
def test_forwarding_is_the_switch_of_each_device_on_the_way(switches: dict[str, str], state: str) -> None:
    """A request needs that of its inner network, the answer that of the uplink; ip_forward is only what they are when nothing else is said."""
    own = {key: value for key, value in switches.items() if key != "ip_forward"}
    found = router(**own)
    sysctls = {**found.sysctls, FORWARD: switches["ip_forward"]} if "ip_forward" in switches else found.sysctls
    assert forwarding(msgspec.structs.replace(found, sysctls=sysctls)) == state


@pytest.mark.parametrize(
    ("switches", "state"),
    [
        ({FORWARD: "0"}, "closed"),
        ({FORWARD: "1"}, "open"),
        ({FORWARD: "0", "forwarding/br0": "1", "forwarding/br1": "1"}, "open"),
        ({FORWARD: "0", "forwarding/br0": "1"}, "narrow"),
        ({FORWARD: "1", "forwarding/br0": "0", "forwarding/br1": "0"}, "closed"),
        ({}, "unknown"),
    ],
)
def test_without_a_way_out_the_switches_of_all_its_networks_tell(switches: dict[str, str], state: str) -> None:
    """A router between two networks has no default route, and each of the two devices a switch of its own."""
    assert forwarding(Node("host", "host", 1, links=(BR0, BR1), sysctls=switches)) == state


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_a_default_route_that_refuses_leads_nowhere(kind: str) -> None:
    """For IPv6 the kernel lists such a route with the device lo, which is no way out."""
    own = bridge("br0", "fd00::1/64")
    node = Node("host", "host", 1, links=(own,), routes=(Route("default", None, "lo", type=kind, metric=1024, family=6),), sysctls={"v6.forwarding": "1"})
    assert uplinks(node, 6) == () and not leads_out(node, 6)


@pytest.mark.parametrize(
    ("rules", "state"),
    [
        (("masquerade",), "open"),
        (("ip saddr 10.0.0.0/24 masquerade",), "narrow"),
        (("ip saddr 10.0.0.0/8 oifname != br0 masquerade",), "open"),
        (("ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24 masquerade",), "absent"),
        (("oifname wlan0 masquerade",), "absent"),
        (("ip saddr 10.0.0.2 masquerade",), "narrow"),
        (("ip saddr 10.0.0.0/8 return", "masquerade"), "absent"),
        (("unread masquerade",), "unknown"),
        (("unread return", "oifname wlan0 masquerade"), "absent"),
    ],
)
def test_nat_is_what_becomes_of_the_packets_that_leave(rules: tuple[str, ...], state: str) -> None:
    """Of a rule for hairpins, for a device that is not the way out or for one host among many it is not said that it translates what leaves."""
    assert nat(router(nat_chain(*rules))) == state


def test_a_mark_and_an_untracked_packet_are_followed_to_where_they_matter() -> None:
    """A mark set before routing chooses the rule behind it, as Kubernetes does it; what conntrack never sees is not translated."""
    mark, kept = r.Write("meta mark", 0xFFFFBFFF, 0x4000), r.Condition("meta mark", r.Numbers(only(0x4000), 0x4000))
    pre = Chain("ip", "t", "pre", "nat", "prerouting", -100, "accept", rules=(Rule(1, "mark", parts=(mark,)),))
    post = nat_chain()
    post = msgspec.structs.replace(post, rules=(Rule(1, "marked masquerade", parts=(kept, r.Rewrite("masquerade"))),))
    assert nat(router(pre, post)) == "open"
    assert nat(router(post)) == "absent"
    raw = Chain("ip", "t", "raw", "filter", "prerouting", -300, "accept", rules=(Rule(1, "notrack", parts=(r.Untrack(),)),))
    assert nat(router(raw, nat_chain("masquerade"))) == "absent"


@pytest.mark.parametrize("policy", ["accept", "drop"])
def test_a_mark_of_the_forward_hook_chooses_the_rule_behind_it(policy: str) -> None:
    """Also where nobody lets the packet through yet: whether it comes so far is the firewall's gate to tell. One that marks nothing changes nothing."""
    mark, kept = r.Write("meta mark", 0, 7), r.Condition("meta mark", r.Numbers(only(7)))
    passing = Chain("ip", "t", "fwd", "filter", "forward", 0, policy, rules=(Rule(1, "mark", parts=(mark,)),))
    post = msgspec.structs.replace(nat_chain(), rules=(Rule(1, "marked masquerade", parts=(kept, r.Rewrite("masquerade"))),))
    assert nat(router(passing, post)) == "open"
    unmarked = msgspec.structs.replace(passing, rules=(rule("unread accept"),))
    assert nat(router(unmarked, post)) == "absent"
    assert nat(router(unmarked, nat_chain("masquerade"))) == "open"


def test_tables_of_the_old_iptables_are_asked_like_others() -> None:
    """A policy there closes the gate though nft shows nothing, and a rule there translates."""
    shut = Chain("ip", "filter", "FORWARD", "filter", "forward", 0, "drop", engine="legacy")
    assert firewall(msgspec.structs.replace(router(), legacy=(shut,))) == "closed"
    assert nat(msgspec.structs.replace(router(), legacy=(msgspec.structs.replace(nat_chain("masquerade"), engine="legacy"),))) == "open"


@pytest.mark.parametrize(
    ("accepts", "state"),
    [
        (("iifname br0 accept", "iifname br1 accept", "ct state established accept"), "narrow"),
        (("iifname eth0 accept",), "closed"),
        (("accept",), "open"),
        (("unread accept",), "unknown"),
    ],
)
def test_a_firewall_is_closed_only_when_nothing_that_is_to_leave_does(accepts: tuple[str, ...], state: str) -> None:
    """Narrow is one that stops something; open one that stops nothing, whatever its policy is."""
    shut = Chain("ip", "t", "f", "filter", "forward", 0, "drop", rules=tuple(map(rule, accepts)))
    assert firewall(router(shut)) == state


SIX = host(bridge("br0", "10.0.0.1/24", "fd00:a::1/64"), uplink(), routes=(*ROUTES, Route("default", "fd00:c::1", "eth0", family=6)))
"""A host that leads a network of both families into the world."""


@pytest.mark.parametrize(
    ("forwards", "words", "policy", "states"),
    [
        ("1", (), "accept", ("open", "open", "absent")),
        ("0", (), "accept", ("closed", "open", "absent")),
        ("1", ("ct state established accept",), "drop", ("open", "closed", "absent")),
        ("1", ("ip6 saddr fd00:a::/64 accept", "ct state established accept"), "drop", ("open", "narrow", "absent")),
        ("1", ("ip6 saddr fd00:b::/64 drop",), "accept", ("open", "narrow", "absent")),
        ("1", ("unread accept",), "drop", ("open", "unknown", "absent")),
    ],
)
def test_ipv6_has_gates_of_its_own(forwards: str, words: tuple[str, ...], policy: str, states: tuple[str, ...]) -> None:
    """Its own switch, the rules of its own tables and of those of both; what is set for IPv4 says nothing about it, nor the reverse."""
    shut = Chain("inet", "t", "f", "filter", "forward", 0, policy, rules=tuple(map(rule, words)))
    four = Chain("ip", "t", "g", "filter", "forward", 0, "drop")
    found = msgspec.structs.replace(SIX, sysctls={"ip_forward": "0", "v6.forwarding": forwards}, chains=(shut, four, nat_chain("masquerade")))
    assert leads_out(found, 6) and tuple(gate.state for gate in gates_of(found, 6)) == states
    assert forwarding(found) == "closed" and firewall(found) == "closed" and nat(found) == "open"


def test_translation_of_ipv6_is_that_of_its_own_tables() -> None:
    """A masquerade in a table ip6 opens IPv6's gate, one for part of its network narrows it."""
    for words, state in (("masquerade", "open"), ("ip6 saddr fd00:a::/96 masquerade", "narrow"), ("ip6 saddr fd00:b::/64 masquerade", "absent")):
        assert nat(msgspec.structs.replace(SIX, chains=(msgspec.structs.replace(nat_chain(words), family="ip6"),)), 6) == state


def test_gates_come_in_the_order_a_packet_meets_them() -> None:
    """Routing, forward hook, postrouting."""
    assert [(gate.name, gate.state) for gate in gates_of(host(forwarding=True, chains=(masquerade(), forward_drop())))] == [
        ("fwd", "open"),
        ("fw", "closed"),
        ("NAT", "open"),
    ]
