"""By which address somebody means a node that he calls by its name."""

from __future__ import annotations

from helpers.snapshots import address, edit, lab_with
from netless_lab.model.snapshot import Address

LAB = lab_with(1)
STRAY = Address("10.9.9.9", 32, 4)


def test_an_address_in_a_network_of_the_asker_comes_first() -> None:
    """A stray one that was given before does not hide it; to one who shares no network it is the first that has neighbours."""
    mixed = edit(LAB, "c1", "veth1", addresses=(STRAY, address("192.0.2.7/24"), address("10.0.0.2/24")))
    c1, host = mixed.node("c1"), mixed.node("host")
    assert c1 is not None and host is not None and host.owner("10.0.0.1") is not None
    assert c1.address_for(host) == "10.0.0.2"
    assert c1.address_for(None) == "192.0.2.7"


def test_one_that_is_alone_is_better_than_none() -> None:
    """A node has no other, or none at all."""
    alone, bare = (edit(LAB, "c1", "veth1", addresses=own).node("c1") for own in ((STRAY,), ()))
    assert alone is not None and alone.address_for(None) == "10.9.9.9"
    assert bare is not None and bare.address_for(None) is None
