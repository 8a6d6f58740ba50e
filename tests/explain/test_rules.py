"""Reading tables without a kernel: whether a mend heals, and the way over cables and bridges. Pure."""

from __future__ import annotations

import msgspec
import pytest

from helpers.snapshots import bridge, container, edit, edit_node, host, lab, lab_with, uplink, veth, vxlan
from netless_lab.explain import segment
from netless_lab.explain.case import Case
from netless_lab.explain.cause import heals, with_route
from netless_lab.model.evidence import Evidence
from netless_lab.model.journey import Journey
from netless_lab.model.probe import Outcome, Ping
from netless_lab.model.snapshot import BridgePort, Link, Route
from netless_lab.primitives.base import Where


def test_a_mend_heals_when_the_packet_gets_further() -> None:
    """Tried on the snapshot: a default route by the gateway brings it on, one by an address that nobody has does not."""
    c1 = container("c1", veth("veth1", "host:veth2", "10.0.0.2/24"), routes=(Route("10.0.0.0/24", None, "veth1"),))
    healthy = lab_with(1)
    state = msgspec.structs.replace(healthy, nodes=tuple(msgspec.structs.replace(own, routes=c1.routes) if own.name == "c1" else own for own in healthy.nodes))
    probe = Ping("c1", "203.0.113.2")
    case = Case(Evidence(probe, Outcome(probe, "failed", "no-route", "no route"), Journey("c1", "203.0.113.2", ()), state, state), Where(), {})
    for via, good in (("10.0.0.1", True), ("10.0.0.77", False)):
        assert heals(case, "c1", with_route("c1", Route("default", via, "veth1"))(state)) is good


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
