"""What Why makes of a packet whose source is an address of the node it comes into. Pure."""

from __future__ import annotations

import msgspec
import pytest

from explain.test_ladder import evidence, hop, stuck, with_sysctls
from helpers.snapshots import edit, lab_with, lo
from netless_lab.explain.ladder import explain
from netless_lab.model.probe import Outcome, Ping


@pytest.mark.parametrize(("scope", "value", "code"), [("br0", "0", "duplicate-address"), ("br0", "1", "forwarding-off"), ("all", "1", "forwarding-off")])
def test_who_accepts_such_packets_has_not_thrown_this_one_away_for_its_source(scope: str, value: str, code: str) -> None:
    """By accept_local (ip-sysctl of the kernel) it is a source like any other; the host forwards nothing, and that is the cause then."""
    world = edit(with_sysctls(lab_with(1), {"ip_forward": "0"}), "c1", "lo", addresses=lo("203.0.113.2/32").addresses)
    sent = msgspec.structs.replace(hop("c1", "veth1", "out"), src="203.0.113.2")
    came = [msgspec.structs.replace(sent, node="host", link=link, direction="in") for link in ("veth2", "br0")]
    found = explain(msgspec.structs.replace(evidence(world, stuck(sent, *came)), knobs={"host": {f"net/ipv4/conf/{scope}/accept_local": value}}))
    assert found.code == code, found


def test_ipv6_takes_a_packet_from_its_own_address_like_any_other() -> None:
    """Only IPv4 calls that impossible: the host would pass it on, were it to pass on anything; what is for itself it answers to itself."""
    found = with_sysctls(lab_with(1), {"v6.forwarding": "0"})
    world = edit(edit(found, "c1", "lo", addresses=lo("fd07::1/128").addresses), "host", "eth0", addresses=lo("fd07::1/64").addresses[-1:])
    sent = msgspec.structs.replace(hop("c1", "veth1", "out"), src="fd07::1", dst="fd08::9")
    came = [msgspec.structs.replace(sent, node="host", link=link, direction="in") for link in ("veth2", "br0")]
    probe = Ping("c1", "fd08::9")
    asked = msgspec.structs.replace(evidence(world, stuck(sent, *came)), probe=probe, outcome=Outcome(probe, "failed", "silence", "no answer"))
    assert explain(asked).code == "forwarding-off", explain(asked)
    home = edit(edit(found, "c1", "lo", addresses=lo("fd07::1/128").addresses), "host", "br0", addresses=lo("fd07::1/64", "fd08::9/64").addresses[-2:])
    told = explain(msgspec.structs.replace(asked, before=home, after=home))
    assert told.code == "duplicate-address" and "drops" not in told.cause, told
