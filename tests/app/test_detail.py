"""What is told of a part of the picture when it is picked. Pure."""

from __future__ import annotations

import msgspec

from helpers.snapshots import bridge, default, host, lab, masquerade, uplink
from netless.app.pages.detail import detail
from netless_lab.model.scene import Rect, Region
from netless_lab.model.snapshot import Node, Route


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
