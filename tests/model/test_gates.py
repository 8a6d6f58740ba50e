"""Gates are decided from facts in the snapshot, simply, and never more certain than the facts."""

from __future__ import annotations

import msgspec
import pytest

from helpers.snapshots import FORWARD, forward_drop, host, masquerade
from netless_lab.model.gates import firewall, forwarding, gates_of, nat
from netless_lab.model.snapshot import Chain, Node, Rule


def chain(hook: str | None, *verdicts: str, policy: str | None = None, name: str = "x", **more: object) -> Chain:
    """A chain with a rule for each verdict; ``drop*`` is one without a match."""
    rules = tuple(
        Rule(handle=n, text=verdict, verdict=verdict.rstrip("*"), matches=() if verdict.endswith("*") else (("iifname", "==", "br0"),))
        for n, verdict in enumerate(verdicts)
    )
    return Chain(family="ip", table="t", name=name, type="filter", hook=hook, policy=policy, rules=rules, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [FORWARD, "ip_forward", "net.ipv4.ip_forward"])
@pytest.mark.parametrize(("value", "state"), [("1", "open"), ("0", "closed"), ("1\n", "open"), ("2", "open"), ("-1", "open")])
def test_forwarding_is_what_the_sysctl_says(key: str, value: str, state: str) -> None:
    """Zero is closed and every other number open, as the kernel has it, however the key is spelt."""
    assert forwarding(Node("host", "host", 1, sysctls={key: value})) == state


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
        ((chain("forward", "reject with icmp port-unreachable*"),), "closed"),
        ((chain("forward", policy="accept"), chain("forward", policy="drop", name="y")), "closed"),
        ((chain("forward", "jump mine", policy="drop"), chain(None, "accept", name="mine")), "narrow"),
        ((chain("forward", "goto mine", policy="drop"), chain(None, "accept", name="mine")), "narrow"),
        ((chain("forward", "jump mine", policy="drop"), chain(None, "jump x", name="mine")), "closed"),
        ((msgspec.structs.replace(chain("forward", policy="drop"), family="ip6"),), "absent"),
        ((msgspec.structs.replace(chain("forward", policy="drop"), family="inet"),), "closed"),
    ],
)
def test_the_firewall_is_its_strictest_forward_chain(chains: tuple[Chain, ...], state: str) -> None:
    """Only chains on the forward hook that see IPv4 count; what they jump to counts with them; loops end."""
    assert firewall(Node("host", "host", 1, chains=chains)) == state


def test_nat_is_a_rule_that_rewrites_the_source_behind_postrouting() -> None:
    """Masquerade and snat count, also through a jump and in rules this reader cannot parse; dnat and other hooks do not."""
    snat = Rule(1, "snat to 203.0.113.2", verdict="snat to 203.0.113.2")
    legacy = Rule(1, "xt target MASQUERADE", opaque=True)
    base = Chain("ip", "nat", "POSTROUTING", "nat", "postrouting", 100, "accept")
    through = (msgspec.structs.replace(base, rules=(Rule(1, "jump mine", verdict="jump mine"),)), Chain("ip", "nat", "mine", rules=(snat,)))
    for chains, state in (
        ((masquerade(),), "open"),
        ((msgspec.structs.replace(base, rules=(snat,)),), "open"),
        ((msgspec.structs.replace(base, rules=(legacy,)),), "open"),
        (through, "open"),
        ((msgspec.structs.replace(base, hook="prerouting", rules=(Rule(1, "dnat", verdict="dnat to 10.0.0.2:80"),)),), "absent"),
        ((base,), "absent"),
    ):
        assert nat(Node("host", "host", 1, chains=chains)) == state


def test_gates_come_in_the_order_a_packet_meets_them() -> None:
    """Routing, forward hook, postrouting."""
    assert [(gate.name, gate.state) for gate in gates_of(host(forwarding=True, chains=(masquerade(), forward_drop())))] == [
        ("fwd", "open"),
        ("fw", "closed"),
        ("NAT", "open"),
    ]
