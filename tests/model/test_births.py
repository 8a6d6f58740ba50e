"""Which MACs somebody gave: told by what each link was first seen with, wherever it goes. One that only bears an earlier one's numbers is another."""

from __future__ import annotations

from msgspec.structs import replace

from helpers.snapshots import container, edit, edit_node, host, lab, lab_with, veth
from netless_lab.model.births import Births
from netless_lab.model.snapshot import Snapshot

MINE = "02:00:00:00:00:77"


def given(*looks: Snapshot) -> list[str]:
    """The links that are told after these looks, when a rebuild would make them all."""
    births = Births()
    for look in looks:
        births = births.after(look)
    sketch = [replace(node, links=tuple(replace(link, mac="") for link in node.links)) for node in looks[-1].nodes]
    return [words.split()[4] for words in births.given(looks[-1], replace(looks[-1], nodes=tuple(sketch)))]


def test_another_mac_than_at_birth_was_given() -> None:
    """Until it is taken back; a link that was there with it at the first look was born so, and one that a rebuild does not make goes anyway."""
    before = lab_with(1)
    after = edit(before, "c1", "veth1", mac=MINE)
    assert given(before, before) == []
    assert given(before, after) == given(before, after, after) == ["veth1"]
    assert given(before, after, before) == []
    assert given(after) == []
    assert Births().after(before).after(after).given(after, lab(host(), container("c1"))) == ()


def test_a_link_that_moves_is_the_same() -> None:
    """It was born on the host: what it is given in c1 is no MAC of its birth, and what it was given before is not either."""
    ends = veth("veth1", "host:veth2"), veth("veth2", "host:veth1")
    born, moved = lab(host(*ends), container("c1")), lab(host(veth("veth2", "c1:veth1")), container("c1", veth("veth1", "host:veth2")))
    assert given(born, moved) == []
    assert given(born, moved, edit(moved, "c1", "veth1", mac=MINE)) == ["veth1"]
    assert given(born, edit(born, "host", "veth1", mac=MINE), edit(moved, "c1", "veth1", mac=MINE)) == ["veth1"]


def test_a_new_process_has_new_links() -> None:
    """A container that is started again may get the inode of the one before, and its links the same numbers."""
    before = edit_node(lab_with(1), "c1", pid=7)
    assert given(before, edit(edit_node(before, "c1", pid=9), "c1", "veth1", mac=MINE)) == []


def test_a_bridge_has_the_mac_of_a_port() -> None:
    """Of one it gets, of the next when that one goes, or none; any other somebody gave it."""
    before = lab_with(2)
    ports = [link.mac for link in before.nodes[0].links if link.master == "br0"]
    looks = [edit(before, "host", "br0", mac=mac) for mac in (*ports, "00:00:00:00:00:00")]
    assert given(before, *looks) == []
    assert given(before, edit(before, "host", "br0", mac=MINE)) == ["br0"]
