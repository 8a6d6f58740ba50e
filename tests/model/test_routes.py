"""A node's routing, worked out from its tables without a kernel. Pure."""

from __future__ import annotations

from netless_lab.model import routes
from netless_lab.model.snapshot import Address, Link, Node, PolicyRule, Route


def routed(*found: Route, policy: tuple[PolicyRule, ...] = (), **sysctls: str) -> Node:
    """A node with eth0 10.0.0.1/24 and these routes."""
    eth0 = Link("eth0", 2, "veth", up=True, carrier=True, addresses=(Address("10.0.0.1", 24),))
    return Node("host", "host", 1, links=(eth0,), routes=found, policy=policy, sysctls={"ip_forward": "1"} | sysctls)


def test_routing_takes_the_longest_prefix_then_the_lowest_metric() -> None:
    """As ip-route(8) has it; special routes have the errno of the kernel."""
    table = routed(
        Route("default", "10.0.0.254", "eth0", metric=100), Route("default", "10.0.0.253", "eth0", metric=50),
        Route("198.51.100.0/24", None, "eth1"), Route("192.0.2.0/24", type="blackhole"), Route("203.0.113.0/24", type="throw"),
    )  # fmt: skip
    assert routes.worked_out(table, "8.8.8.8").via == "10.0.0.253"
    assert routes.worked_out(table, "198.51.100.10").dev == "eth1"
    assert routes.worked_out(table, "192.0.2.1").error == "EINVAL"
    assert routes.worked_out(table, "203.0.113.9").error == "ENETUNREACH"
    assert routes.worked_out(table, "10.0.0.1").type == "local"
    assert routes.worked_out(routed(), "8.8.8.8").words == "Network is unreachable"


def test_policy_rules_come_before_the_tables() -> None:
    """By priority, source, link; and forwarding is asked for what came in."""
    rules = (PolicyRule(100, "10.0.0.9/32", action="prohibit", table=0), PolicyRule(200, iif="br0", table=77), PolicyRule(32766, table=254))
    table = routed(Route("default", "10.0.0.254", "eth0"), Route("default", "10.7.7.7", "eth7", table=77), policy=rules)
    assert routes.worked_out(table, "8.8.8.8", "10.0.0.9").error == "EACCES"
    assert routes.worked_out(table, "8.8.8.8", "10.0.0.8", "br0").table == 77
    assert routes.worked_out(table, "8.8.8.8", "10.0.0.8").table == 254
    assert routes.worked_out(routed(Route("default", "10.0.0.254", "eth0"), ip_forward="0"), "8.8.8.8", "10.0.0.8", "br0").error == "EHOSTUNREACH"


def test_a_policy_rule_is_taken_at_its_word() -> None:
    """A *not* is for all others, a suppressed prefix lets the default route go by, and a rule that asks for what is not known decides nothing."""
    rules = (
        PolicyRule(100, suppress=0), PolicyRule(150, others=("ipproto tcp",), action="prohibit"),
        PolicyRule(200, mark="0xca6c", negated=True, table=51820), PolicyRule(32766),
    )  # fmt: skip
    own, tunnel = Route("10.0.0.0/24", None, "eth0"), Route("default", None, "wg0", table=51820)
    table = routed(Route("default", "10.0.0.254", "eth0"), own, tunnel, policy=rules)
    assert routes.worked_out(table, "8.8.8.8").dev == "wg0" and routes.worked_out(table, "10.0.0.9").dev == "eth0"
    assert rules[2].text == "not from all fwmark 0xca6c lookup 51820" and rules[0].text == "from all lookup 254 suppress_prefixlength 0"


def test_each_family_has_its_own_tables() -> None:
    """Routes, rules and the switch of the other family say nothing about an address."""
    table = routed(Route("default", "10.0.0.254", "eth0"), Route("fd00:b::/64", "fd00:a::1", "eth6", family=6))
    assert not table.sysctls.get("v6.forwarding")
    assert routes.worked_out(table, "fd00:b::1").dev == "eth6" and routes.worked_out(table, "fd00:c::1").error == "ENETUNREACH"
    assert routes.worked_out(table, "fd00:b::1", "fd00:a::9", "eth0").error == "EHOSTUNREACH" and not routes.worked_out(table, "8.8.8.8", "10.0.0.9", "eth0").error
    assert (routes.host_of("10.0.0.3:80"), routes.host_of("[fd00::3]:80"), routes.host_of("fd00::3")) == ("10.0.0.3", "fd00::3", "fd00::3")
