"""Reading rules and tables without a kernel: matches, chains, policy routing, and the way over cables and bridges. Pure."""

from __future__ import annotations

import pytest

from helpers.snapshots import bridge, container, edit, edit_node, host, lab, lab_with, uplink, veth, vxlan
from netless_lab.explain import routes, segment
from netless_lab.explain.matching import match, matches
from netless_lab.explain.ruleset import at_hook, blocked, decide, redirection, source_rules, target_of
from netless_lab.model.snapshot import Address, BridgePort, Chain, Link, Node, PolicyRule, Route, Rule

PING = {
    "ether type": "ip", "meta nfproto": "ipv4", "meta l4proto": "icmp", "icmp type": "echo-request", "ip saddr": "10.0.0.2",
    "ip daddr": "198.51.100.10", "iifname": "br0", "oifname": "eth0", "ct state": "new",
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "operator", "wanted", "fits"),
    [
        ("ip saddr", "==", "10.0.0.2", True), ("ip saddr", "==", "10.0.0.0/24", True), ("ip saddr", "!=", "10.0.0.0/24", False),
        ("ip saddr", "==", "10.1.0.0/16", False), ("ip saddr", "==", "10.0.0.1-10.0.0.9", True), ("ip saddr", "in", "10.0.0.9,10.0.0.2", True),
        ("ip saddr", "not in", "10.0.0.9,10.0.0.2", False), ("iifname", "==", "br*", True), ("iif", "==", "br0", True),
        ("oifname", "!=", "br0", True), ("ct state", "in", "established,related", False), ("ct state", "in", "new", True),
        ("tcp dport", "==", "80", False), ("th dport", "==", "80", None), ("ip protocol", "==", "icmp", True),
        ("ip6 saddr", "==", "fd00::1", False), ("arp operation", "==", "request", False),
        ("ip saddr", "in", "@bad", None), ("meta mark", "==", "0x00000007", None), ("fib daddr type", "==", "local", None),
        ("ip saddr . ip daddr", "in", "10.0.0.2 . 198.51.100.10", None),
    ],
)  # fmt: skip
def test_a_match_fits_or_not_or_nobody_knows(key: str, operator: str, wanted: str, fits: bool | None) -> None:
    """Prefixes, ranges, lists, wildcards and negations as nft(8) has them; what is not known of the packet is never guessed."""
    assert match(key, operator, wanted, PING) is fits


def test_a_rule_is_only_sure_when_all_of_it_can_be_read() -> None:
    """Opaque expressions, rates and unknown fields make a rule a maybe; one match that fails makes it a no all the same."""
    assert matches(Rule(1, "ip saddr 10.0.0.2 drop", (("ip saddr", "==", "10.0.0.2"),), "drop"), PING) is True
    assert matches(Rule(1, "limit rate 1/second accept", (), "accept"), PING) is None
    assert matches(Rule(1, "<socket> drop", (), "drop", opaque=True), PING) is None
    assert matches(Rule(1, "<socket> tcp dport 80 drop", (("tcp dport", "==", "80"),), "drop", opaque=True), PING) is False


def chain(*rules: Rule, name: str = "f", hook: str | None = "forward", policy: str = "accept", priority: int = 0, kind: str = "filter") -> Chain:
    """A chain of the table ip t."""
    return Chain("ip", "t", name, kind if hook else None, hook, priority, policy if hook else None, None, rules)


def node(*chains: Chain, **more: object) -> Node:
    """A node with these chains."""
    return Node("host", "host", 1, chains=chains, **more)  # type: ignore[arg-type]


def test_the_first_final_verdict_decides_and_else_the_policy() -> None:
    """Jumps come back, goto does not, a verdict map chooses, a later chain of the same hook has its say too."""
    drop = Rule(3, "drop", (), "drop")
    inner = chain(Rule(5, "ip saddr 10.0.0.2 return", (("ip saddr", "==", "10.0.0.2"),), "return"), drop, name="inner", hook=None)
    jumping = chain(Rule(4, "jump inner", (), "jump inner"), policy="drop")
    assert decide(node(jumping, inner), jumping, PING).rule is None, "returned, so the policy decides"
    going = chain(Rule(4, "goto inner", (), "goto inner"), Rule(6, "accept", (), "accept"), policy="drop")
    assert decide(node(going, inner), going, PING).verdict == "drop"
    mapped = chain(Rule(7, "ct state vmap {...}", (("ct state", "vmap", "established : accept,new : drop"),)))
    assert decide(node(mapped), mapped, PING).blocks
    first, second = chain(name="a", priority=-5), chain(drop, name="b", priority=5)
    found = blocked(node(second, first), {"ip"}, "forward", PING)
    assert found is not None and found.chain.name == "b"
    assert [own.name for own in at_hook(node(second, first), {"ip"}, "forward")] == ["a", "b"]


def test_a_drop_behind_an_unreadable_accept_is_not_sure() -> None:
    """The packet may have been let through by a rule that cannot be judged from here."""
    maybe = chain(Rule(1, "ip saddr @good accept", (("ip saddr", "in", "@good"),), "accept"), policy="drop")
    decision = decide(node(maybe), maybe, PING)
    assert decision.blocks and not decision.sure


def test_nat_rules_are_found() -> None:
    """Where a published port leads, and which rules rewrite sources."""
    assert target_of("dnat to 10.0.0.3:80") == ("10.0.0.3", 80)
    assert target_of("dnat to 10.0.0.3") == ("10.0.0.3", None) and target_of("redirect to :8080") == ("", 8080)
    rule = Rule(1, "tcp dport 8080 dnat to 10.0.0.3:80", (("tcp dport", "==", "8080"),), "dnat to 10.0.0.3:80")
    pre = chain(rule, name="pre", hook="prerouting", kind="nat")
    packet = {"meta l4proto": "tcp", "tcp dport": "8080"}
    assert redirection(node(pre), "prerouting", packet) == ("10.0.0.3", 80, rule)
    assert redirection(node(pre), "prerouting", packet | {"tcp dport": "81"}) is None
    masquerade = Rule(2, "masquerade", (), "masquerade")
    assert [own for _, own in source_rules(node(chain(masquerade, name="post", hook="postrouting", kind="nat")))] == [masquerade]


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


def test_a_clear_way_has_no_obstacles() -> None:
    """From container to container, to the bridge's own address, and out; and everybody on the segment hears."""
    healthy = lab_with(2)
    found = segment.way(healthy, ("c1", "veth1"), ("c2", "veth3"))
    assert found is not None and found.stops == ()
    assert found.places == (("c1", "veth1"), ("host", "veth2"), ("host", "br0"), ("host", "veth4"), ("c2", "veth3"))
    assert segment.way(healthy, ("host", "br0"), ("c1", "veth1")).stops == ()  # type: ignore[union-attr]
    assert {(own.name, link.name) for own, link in segment.hearers(healthy, ("c1", "veth1"))} == {("host", "br0"), ("c2", "veth3")}
    assert segment.way(healthy, ("c1", "veth1"), ("internet", "isp0")) is None


@pytest.mark.parametrize(
    ("where", "which", "change", "code"),
    [
        ("host", "veth4", {"up": False}, "port-down"), ("c2", "veth3", {"up": False}, "link-down"), ("host", "br0", {"up": False}, "bridge-down"),
        ("host", "veth4", {"master": None, "port": None}, "port-unplugged"), ("host", "veth4", {"port": BridgePort("blocking")}, "port-state"),
        ("host", "veth2", {"port": BridgePort("forwarding", locked=True)}, "port-locked"),
        ("host", "veth4", {"port": BridgePort("forwarding", broadcast=False)}, "port-flood"),
    ],
)  # fmt: skip
def test_an_obstacle_is_found_where_it_is(where: str, which: str, change: dict[str, object], code: str) -> None:
    """One thing is changed; the way names it and its place, and nobody beyond it hears."""
    broken = edit(lab_with(2), where, which, **change)
    found = segment.way(broken, ("c1", "veth1"), ("c2", "veth3"))
    assert found is not None and [(stop.code, stop.node, stop.link) for stop in found.stops] == [(code, where, which)]
    assert ("c2", "veth3") not in {(own.name, link.name) for own, link in segment.hearers(broken, ("c1", "veth1"))}


def test_the_bridge_with_the_address_was_meant() -> None:
    """A port in a second bridge that has no address: the port is wrong there, not all the others in the first."""
    two = edit_node(lab_with(2), "host", links=(*lab_with(2).node("host").links, Link("br1", 99, "bridge", up=True, carrier=True)))  # type: ignore[union-attr]
    broken = edit(two, "host", "veth4", master="br1")
    found = segment.way(broken, ("c1", "veth1"), ("c2", "veth3"))
    assert found is not None and [(stop.code, stop.link) for stop in found.stops] == [("port-wrong-bridge", "veth4")]


def test_a_tunnel_must_agree_at_both_ends() -> None:
    """The same network and the same port, or nothing is unpacked."""
    def world(second: int) -> object:
        return lab(
            host(uplink(), bridge("br0", "10.0.0.1/24"), veth("p1", "c1:e1", master="br0", port=BridgePort("forwarding")),
                 veth("p2", "c2:e2", master="br0", port=BridgePort("forwarding"))),
            container("c1", veth("e1", "host:p1", "10.0.0.2/24"), vxlan("vx", 42, "10.9.0.1/24", remote="10.0.0.3")),
            container("c2", veth("e2", "host:p2", "10.0.0.3/24"), vxlan("vx", second, "10.9.0.2/24", remote="10.0.0.2")),
        )  # fmt: skip

    same = segment.way(world(42), ("c1", "vx"), ("c2", "vx"))  # type: ignore[arg-type]
    other = segment.way(world(43), ("c1", "vx"), ("c2", "vx"))  # type: ignore[arg-type]
    assert same is not None and same.stops == ()
    assert other is not None and [stop.code for stop in other.stops] == ["vni-mismatch"]
