"""What a rule asks of a set, where no kernel is needed to see it."""

from __future__ import annotations

import pytest

from netless_lab.model.netfilter import rules as r
from netless_lab.model.netfilter.packet import Packet, any_packet, first, network
from netless_lab.model.netfilter.run import always, through
from netless_lab.model.snapshot import Chain, Node, Rule


@pytest.mark.parametrize("packet", [any_packet(), first(source=network("10.0.0.0/24"), protocol=6), first().between("br0", "eth0")], ids=["any", "some", "one"])
@pytest.mark.parametrize("fields", [("iifname",), ("ip saddr",), ("ip saddr", "th dport")], ids=" . ".join)
def test_nothing_is_in_an_empty_set(fields: tuple[str, ...], packet: Packet) -> None:
    """Of devices, addresses or both, whatever is known of the packet: a rule for what is in it is for none, one for what is not for all."""
    for negated, passes in ((False, True), (True, False)):
        drop = Rule(1, "a rule", parts=(r.Lookup(fields, "s", negated=negated), r.Drop()))
        node = Node("host", "host", 1, chains=(Chain("ip", "t", "c", "filter", "forward", rules=(drop,)),), sets=(r.NamedSet("ip", "t", "s", "any"),))
        assert always(through(node, ("forward",), packet), lambda way: way.end == "accept") is passes
