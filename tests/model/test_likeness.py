"""Two labs that a person would call the same have no differences, and what is another is told as going or as coming."""

from __future__ import annotations

import msgspec
import pytest

from helpers.snapshots import address, bridge, edit, edit_node, host, lab, lo, uplink, veth
from netless_lab.model.clearing import Clearing
from netless_lab.model.likeness import unlike
from netless_lab.model.options import Option
from netless_lab.model.snapshot import Chain, Rule, Snapshot

FILTER = Chain("ip", "lab", "forward", "filter", "forward", policy="drop")
LEGACY = Chain("ip", "filter", "INPUT", "filter", "input", policy="accept", rules=(Rule(0, "-j DROP"),), engine="legacy")
LAB = lab(host(lo(), uplink(), bridge("br0", "10.0.0.1/24"), veth("veth2", "c1:veth1", master="br0"), chains=(FILTER,), tables=("ip lab",)))


def test_numbers_that_the_kernel_deals_out_are_no_difference() -> None:
    """Indexes, handles, and MACs of what is in one of the two a sketch, or a bridge."""
    other = edit(edit(edit(LAB, "host", "veth2", mac="", ifindex=99), "host", "br0", mac="02:00:00:00:00:01"), "host", "eth0", ifindex=7)
    assert unlike(LAB, other) == unlike(other, LAB) == Clearing()


SCOPED = msgspec.structs.replace(address("10.9.0.1/24"), scope="link")
GOING: dict[str, tuple[Snapshot, str]] = {
    "alias": (edit(LAB, "host", "eth0", alias="mine"), "eth0 on the host has no alias any more (was mine)"),
    "other name": (edit(LAB, "host", "eth0", altnames=("mine",)), "eth0 on the host has no other name any more (was mine)"),
    "option": (edit(LAB, "host", "eth0", options=(Option("link", "group", "9"),)), "eth0 on the host has no options any more (was group 9)"),
    "program": (edit(LAB, "host", "eth0", programs=("xdp",)), "nothing but rules decides over packets of eth0 on the host any more"),
    "old iptables": (edit_node(LAB, "host", legacy=(LEGACY,)), "legacy iptables on the host: no more filter"),
    "address of the link": (edit(LAB, "host", "br0", addresses=(address("10.0.0.1/24"), SCOPED)), "the host lost the address 10.9.0.1/24 on br0"),
    "name server": (edit_node(LAB, "host", resolvers=("10.0.0.1",)), "the host has no name server any more"),
}
COMING: dict[str, tuple[Snapshot, str]] = {
    "MAC": (edit(LAB, "host", "eth0", mac="02:00:00:00:00:77"), f"the MAC address of eth0 on the host is now {LAB.nodes[0].links[1].mac} (was 02:00:00:00:00:77)"),
    "table that sleeps": (
        edit_node(LAB, "host", chains=(msgspec.structs.replace(FILTER, dormant=True),)),
        "table ip lab on the host is dormant no longer: its chains are asked",
    ),
    "promiscuous": (edit(LAB, "host", "eth0", promisc=True), "listening to every frame (promiscuous mode) is off for eth0 on the host"),
}


@pytest.mark.parametrize(("now", "words"), GOING.values(), ids=GOING)
def test_what_is_there_and_would_not_be_is_told_as_going(now: Snapshot, words: str) -> None:
    """Whatever somebody has added to the lab."""
    assert unlike(now, LAB) == Clearing(going=(words,))


@pytest.mark.parametrize(("now", "words"), COMING.values(), ids=COMING)
def test_what_is_not_so_and_would_be_is_told_as_coming(now: Snapshot, words: str) -> None:
    """Whatever somebody has set otherwise."""
    assert unlike(now, LAB) == Clearing(coming=(words,))
