"""A thing that is called otherwise from now on is still the same thing: nothing is missing, nothing is there in excess, nothing is built anew."""

from __future__ import annotations

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.protocol import Notice

pytestmark = pytest.mark.kernel

RENAME = "ip -n c1 link set veth1 down; ip -n c1 link set veth1 name eth0; ip -n c1 link set eth0 up; ip -n c1 route add default via 10.0.0.1"


def known(lab: Running) -> dict[str, str]:
    """What the lab knows to be called otherwise."""
    return lab.status().bindings


@pytest.mark.parametrize("end", [True, False])
def test_an_end_renamed_long_after_its_step(lab: Running, *, end: bool) -> None:
    """Whether the step at hand is done by then or not: the success is told as it is, ``next`` and ``run`` go on, and the cable keeps its name."""
    lab.reset("lab")
    lab.goto("neighbour/second", end=end)
    lab.events.clear()
    lab.sh(RENAME)
    assert eventually(lambda: known(lab) == {"veth1": "eth0"})
    (entry,) = lab.check().verdicts
    assert entry.verdict.passed == end and not entry.verdict.extras
    if end:
        assert entry.success.startswith("c2 runs")
        assert "second-cable" in lab.next().position
    assert lab.run().verdicts[-1].verdict.passed
    assert lab.links("c1") == {"lo", "eth0"}
    assert not [event for event in lab.events if isinstance(event, Notice)]


def test_a_bridge_and_a_network_called_otherwise(lab: Running) -> None:
    """The same of a bridge with another name, in a network with other numbers."""
    lab.reset("lab")
    lab.goto("internet/default-route")
    lab.sh("ip link set br0 down; ip link set br0 name lan; ip link set lan up")
    assert eventually(lambda: known(lab) == {"br0": "lan"})
    for node, link, number in (("host", "lan", 1), ("c1", "veth1", 2)):
        lab.sh(f"ip addr add 192.168.7.{number}/24 dev {link}; ip addr del 10.0.0.{number}/24 dev {link}", node)
    assert eventually(lambda: known(lab) == {"br0": "lan", "10.0.0.0/24": "192.168.7.0/24"})
    assert lab.run().verdicts[-1].verdict.passed
    assert "lan" in lab.links() and "br0" not in lab.links()
    assert [route["gateway"] for route in lab.told("ip -j route show default", "c1")] == ["192.168.7.1"]


def test_a_stray_cable_is_not_one_that_is_gone(lab: Running) -> None:
    """The cable of an earlier step is gone and another lies about: it is not taken for it, and the true one, made again, is known."""
    lab.reset("lab")
    lab.goto("neighbour/second")
    lab.sh("ip -n c1 link del veth1; ip link add foo type veth peer name bar")
    lab.check()
    assert known(lab) == {}
