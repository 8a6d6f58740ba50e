"""What is blamed for a lost packet is on its way: of all that is gone only what it needs, and of that the nearest to its end."""

from __future__ import annotations

import pytest

from helpers.post import course
from helpers.snapshots import default, edit, edit_node, lab_with
from netless_lab.course.blame import nearest
from netless_lab.course.further import lacks_before
from netless_lab.course.outline import goal, owners, start
from netless_lab.course.step import Position
from netless_lab.model.probe import Ping, Probe
from netless_lab.model.snapshot import Snapshot

WHOLE = lab_with(2)
SHUT = edit_node(WHOLE, "host", sysctls={"ip_forward": "0"}, chains=())
"""The host passes nothing on, and no rule of it is left."""
ROADLESS = edit_node(SHUT, "c1", routes=())
APART = edit(SHUT, "host", "veth2", master=None)
SITE, NEIGHBOUR, HOST = Ping("c1", "198.51.100.10"), Ping("c1", "10.0.0.3"), Ping("host", "10.0.0.3")


@pytest.mark.parametrize(
    ("snapshot", "probe", "claim"),
    [
        (SHUT, SITE, "the host passes on packets that are not for itself"),
        (SHUT, NEIGHBOUR, None),
        (SHUT, HOST, None),
        (ROADLESS, SITE, "c1 has the route default via 10.0.0.1"),
        (ROADLESS, NEIGHBOUR, None),
        (APART, SITE, "veth2 is a port of br0 on the host"),
        (APART, NEIGHBOUR, "veth2 is a port of br0 on the host"),
        (APART, HOST, None),
        (edit(SHUT, "host", "br0", up=False), HOST, "br0 on the host is up"),
        (edit(SHUT, "c2", "veth3", addresses=()), NEIGHBOUR, "veth3 in c2 has 10.0.0.3/24"),
        (edit(SHUT, "c2", "veth3", addresses=()), SITE, "the host passes on packets that are not for itself"),
        (edit_node(SHUT, "c2", links=()), HOST, "veth3 and veth4 are the two ends of one cable"),
        (edit_node(WHOLE, "c1", routes=(default("10.0.0.9", "veth1"),)), SITE, "c1 has the route default via 10.0.0.1"),
    ],
)  # fmt: skip
def test_what_a_packet_needs_is_blamed(snapshot: Snapshot, probe: Probe, claim: str | None) -> None:
    """A neighbour on the same bridge is reached without the router, its firewall and a way out; the host reaches one guest without the other's cable."""
    at = Position("container", "neighbour", "first-words")
    base = start(course().world)
    homes = owners(goal(course(), "neighbour", base))
    found = nearest(lacks_before(course(), at, snapshot), probe, snapshot, homes)
    assert (found.claim if found is not None else None) == claim
