"""What Why makes of a packet whose source is an address of the node it comes into. Pure."""

from __future__ import annotations

import msgspec
import pytest

from explain.test_ladder import evidence, hop, stuck, with_sysctls
from helpers.snapshots import edit, lab_with, lo
from netless_lab.explain.ladder import explain


@pytest.mark.parametrize(("scope", "value", "code"), [("br0", "0", "duplicate-address"), ("br0", "1", "forwarding-off"), ("all", "1", "forwarding-off")])
def test_who_accepts_such_packets_has_not_thrown_this_one_away_for_its_source(scope: str, value: str, code: str) -> None:
    """By accept_local (ip-sysctl of the kernel) it is a source like any other; the host forwards nothing, and that is the cause then."""
    world = edit(with_sysctls(lab_with(1), {"ip_forward": "0"}), "c1", "lo", addresses=lo("203.0.113.2/32").addresses)
    sent = msgspec.structs.replace(hop("c1", "veth1", "out"), src="203.0.113.2")
    came = [msgspec.structs.replace(sent, node="host", link=link, direction="in") for link in ("veth2", "br0")]
    found = explain(msgspec.structs.replace(evidence(world, stuck(sent, *came)), knobs={"host": {f"net/ipv4/conf/{scope}/accept_local": value}}))
    assert found.code == code, found
