"""One address, whoever spells it: lessons, learners and the kernel write IPv6 differently and mean the same."""

from __future__ import annotations

import pytest

from helpers.lab import Table, expectation
from helpers.snapshots import container, host, lab, veth
from netless_lab.course.bindings import Bindings
from netless_lab.model.addresses import plain, same
from netless_lab.model.snapshot import Neighbour, Node, PolicyRule, Route, Snapshot
from netless_lab.primitives.base import Met, Where

SPELT = "FD00:0::0:2"
"""fd00::2, as nobody should write it and as everybody may."""


def network(*routes: Route, **more: object) -> Snapshot:
    """c1 with fd00::2 on veth1, and the host with fd00::1."""
    return lab(
        host(veth("veth2", "c1:veth1", "fd00::1/64", mac="02:00:00:00:00:01")),
        container("c1", veth("veth1", "host:veth2", "fd00::2/64"), routes=routes, **more),
    )


def met(table: Table, snapshot: Snapshot) -> bool:
    """Whether an expectation as a lesson writes it holds."""
    return isinstance(expectation(table).check(snapshot, Where()), Met)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (SPELT, "fd00::2", True), ("fd00::0:2/64", "fd00::2/64", True), ("fe80::0:1%veth1", "fe80::1%veth1", True),
        ("fd00::2", "fd00::20", False), ("10.0.0.2", "10.0.0.2", True), ("10.0.0.2", "::ffff:10.0.0.2", False),
        ("example.test", "example.test", True), (None, None, True), (None, "fd00::2", False),
    ],
)  # fmt: skip
def test_an_address_is_what_it_means(one: str | None, other: str | None, alike: bool) -> None:
    """Spelling does not matter, the value does; IPv4 and IPv6 are never the same, and no address is no address."""
    assert same(one, other) is alike


def test_what_is_no_address_is_left_alone() -> None:
    """Names, nonsense and ``default`` come back as they were."""
    assert [plain(text) for text in ("default", "example.test", "10.0.0.300", "fd00::g", "")] == ["default", "example.test", "10.0.0.300", "fd00::g", ""]


def test_a_node_knows_its_own_address_in_any_spelling() -> None:
    """The owner of an address is found by its value."""
    c1 = network().node("c1")
    assert c1 is not None
    assert [link.name for text in (SPELT, "fd00::2") if (link := c1.owner(text))] == ["veth1", "veth1"]
    assert c1.owner("fd00::3") is None


@pytest.mark.parametrize("via", ["fd00::1", "FD00::0:1"])
def test_a_gateway_in_any_spelling(via: str) -> None:
    """A route through the gateway is there, however the lesson spells the gateway; through another it is not."""
    snapshot = network(Route("default", "fd00::1", "veth1", family=6))
    assert met({"route": "default", "via": via, "in": "c1"}, snapshot)
    assert not met({"route": "default", "via": "fd00::9", "in": "c1"}, snapshot)


def test_a_neighbour_in_any_spelling() -> None:
    """The entry is found, and so is a wrong one: the MAC is compared with that of the address's owner."""
    right = network(neighbours=(Neighbour("fd00::1", "veth1", "02:00:00:00:00:01", "reachable", 6),))
    wrong = network(neighbours=(Neighbour("fd00::1", "veth1", "02:00:00:00:00:99", "reachable", 6),))
    assert met({"neighbour": "fd00:0::1", "in": "c1"}, right)
    assert not met({"neighbour": "fd00:0::1", "in": "c1"}, wrong)


def test_a_name_server_in_any_spelling() -> None:
    """What stands in resolv.conf is what its writer typed."""
    assert met({"resolver": "2001:db8::53", "in": "c1"}, network(resolvers=("2001:DB8:0::53",)))


def test_the_learners_address_for_any_spelling_of_the_lessons() -> None:
    """A word that is bound is found again in the spelling of another line of the lesson."""
    bound = Bindings(addresses={"fd00::2": "fd07::5"}, nets={"fd00::/64": "fd07::/64"})
    assert bound.address(SPELT) == "fd07::5"
    assert bound.cidr("fd00::0:2/64") == "fd07::5/64"
    assert bound.net("fd00:0::/64") == "fd07::/64"


def test_a_route_of_the_other_family_counts_for_nothing() -> None:
    """Neither a default route of IPv6 for one of IPv4, nor the reverse: for having it and for having none."""
    four, six = network(Route("default", "10.0.0.1", "veth1")), network(Route("default", "fd00::1", "veth1", family=6))
    assert met({"route": "default", "dev": "veth1", "in": "c1"}, four)
    assert not met({"route": "default", "dev": "veth1", "in": "c1"}, six)
    assert met({"no-route": "default", "in": "c1"}, six)
    assert not met({"route": "::/0", "dev": "veth1", "in": "c1"}, four)
    assert met({"route": "::/0", "dev": "veth1", "in": "c1"}, six)
    assert not met({"no-route": "::/0", "in": "c1"}, six)


LOCAL, MAIN = PolicyRule(0, table=255), PolicyRule(32766, table=254)
TABLE = Route("default", "10.0.0.1", "veth1", table=100)


@pytest.mark.parametrize(
    ("what", "routes", "rules", "there"),
    [
        ("a rule leads to its table", (TABLE,), (PolicyRule(100, table=100),), True),
        ("no rule leads there", (TABLE,), (), False),
        ("a rule for packets of another sender", (TABLE,), (PolicyRule(100, src="10.0.0.7/32", table=100),), False),
        ("a rule for marked packets", (TABLE,), (PolicyRule(100, mark="0x1", table=100),), False),
        ("a rule for the other family", (TABLE,), (PolicyRule(100, table=100, family=6),), False),
        ("a rule after that of main", (TABLE,), (PolicyRule(32767, table=100),), True),
        ("another way before it", (TABLE, Route("default", "10.0.0.9", "veth1")), (PolicyRule(32767, table=100),), False),
        ("a wall before it", (TABLE,), (PolicyRule(50, action="prohibit", table=0), PolicyRule(100, table=100)), False),
        ("a jump over the wall", (TABLE,), (PolicyRule(40, action="goto 60", table=0), PolicyRule(50, action="prohibit", table=0),
                                            PolicyRule(60, table=100)), True),
        ("a rule for all that is not marked", (TABLE,), (PolicyRule(100, mark="0x1", table=100, negated=True),), True),
        ("a rule for nothing", (TABLE,), (PolicyRule(100, table=100, negated=True),), False),
        ("a rule for one protocol", (TABLE,), (PolicyRule(100, table=100, others=("ipproto tcp",)),), False),
        ("a rule that lets no default route count", (TABLE,), (PolicyRule(100, table=100, suppress=0),), False),
        ("a rule in front of main's own", (Route("default", "10.0.0.1", "veth1"), Route("default", "10.0.0.9", "veth1", table=100)),
         (PolicyRule(100, table=100),), False),
    ],
)  # fmt: skip
def test_a_route_is_there_when_the_rules_lead_to_it(what: str, routes: tuple[Route, ...], rules: tuple[PolicyRule, ...], there: bool) -> None:
    """The node's own packets are routed by the tables in the order of its policy rules, not by the table main alone (ip-rule(8))."""
    snapshot = network(*routes, policy=(LOCAL, MAIN, *rules))
    assert met({"route": "default", "via": "10.0.0.1", "in": "c1"}, snapshot) is there, what
    assert isinstance(snapshot.node("c1"), Node)
