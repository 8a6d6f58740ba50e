"""What is told of a part of the picture when it is picked. Pure."""

from __future__ import annotations

import msgspec

from helpers.snapshots import bridge, default, host, lab, masquerade, uplink
from netless.say.cells import cells
from netless.say.detail import detail, listing
from netless_lab.model.scene import Rect, Region
from netless_lab.model.snapshot import Neighbour, Node, Route


def test_what_is_too_much_to_tell_is_counted() -> None:
    """Some routes are told, and how many more there are; none is left out without a word."""
    routes = tuple(Route(f"10.{number}.0.0/16", "203.0.113.1", "eth0") for number in range(7))
    told = detail(lab(host(uplink(), routes=routes)), Region("node", "host", "host", Rect(0, 0, 1, 1)))
    line = next(line for line in told if line.startswith("routes: "))
    assert "10.3.0.0/16" in line and "10.4.0.0/16" not in line and line.endswith("; … and 3 more")


def test_both_families_are_told() -> None:
    """IPv6 has lines of its own for routes and neighbours; what every live link has by itself is no way to anywhere."""
    routes = (Route("10.0.0.0/24", None, "br0"), Route("fd00:a::/64", None, "br0", family=6), Route("fe80::/64", None, "br0", family=6))
    six = Neighbour("fd00:a::2", "br0", "0e:00:00:00:00:02", "reachable", family=6)
    four = Neighbour("10.0.0.2", "br0", "0e:00:00:00:00:02", "stale")
    node = msgspec.structs.replace(host(bridge("br0", "10.0.0.1/24", "fd00:a::1/64"), uplink(), routes=routes), neighbours=(four, six))
    assert detail(lab(node), Region("node", "host", "host", Rect(0, 0, 1, 1)))[-4:] == (
        "routes: 10.0.0.0/24 dev br0",
        "neighbours: 10.0.0.2 is 0e:00:00:00:00:02 (stale)",
        "routes of IPv6: fd00:a::/64 dev br0",
        "neighbours of IPv6: fd00:a::2 is 0e:00:00:00:00:02 (reachable)",
    )
    only = msgspec.structs.replace(node, role="container", routes=routes[2:], neighbours=())
    assert detail(lab(only), Region("node", "host", "host", Rect(0, 0, 1, 1)))[-1] == "no route to anywhere"
    assert "  route fd00:a::/64 dev br0" in [row.plain for row in listing(node)]


def test_a_gate_says_what_it_is_for_each_family_that_leads_out() -> None:
    """IPv6 has a line of its own, and there no translation is nothing amiss."""
    four, six = default("203.0.113.1", "eth0"), Route("default", "fd00:c::1", "eth0", family=6)
    both = host(bridge("br0", "10.0.0.1/24", "fd00:a::1/64"), uplink(), chains=(masquerade(),), routes=(four, six))
    both = msgspec.structs.replace(both, sysctls={"ip_forward": "1", "v6.forwarding": "0"})

    def told(node: Node, name: str) -> tuple[str, ...]:
        return detail(lab(node), Region("gate", "host", name, Rect(0, 0, 1, 1)))

    assert [line.partition(":")[0] for line in told(both, "fwd")] == ["forwarding in host · open", "for IPv6 · closed"]
    assert told(both, "NAT")[1].startswith("for IPv6 · absent") and "do not find back" not in told(both, "NAT")[1]
    assert len(told(msgspec.structs.replace(both, routes=(four,)), "fwd")) == 1


def test_columns_are_straight_whatever_a_link_is_called() -> None:
    """A name of wide letters takes as many cells as it is wide."""
    rows = [row.plain for row in listing(host(bridge("br0"), bridge("\u7f51\u6865")))][1:]
    assert len({cells(row.partition(" bridge ")[0]) for row in rows if " bridge " in row}) == 1
