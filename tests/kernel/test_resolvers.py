"""Whom the programs of a node ask for names: what resolv.conf(5) says in their own place, and no other file."""

from __future__ import annotations

from helpers.lab import lab
from helpers.sandboxed import sandboxed, sh
from netless_lab.model.snapshot import Node, Snapshot


def node(snapshot: Snapshot, name: str) -> Node:
    """The node called ``name``, which must be there."""
    found = snapshot.node(name)
    assert found is not None
    return found


@sandboxed
def test_the_resolvers_of_a_node_are_those_that_its_own_programs_read() -> None:
    """A file in /etc/netns is read by who enters by ``ip netns exec``, not by what lives in the container: getent(1) there finds nothing."""
    with lab() as own:
        c1 = own.refs()["c1"].pid
        sh(f"""ip netns attach box {c1}; mkdir -p /etc/netns/box; echo 'nameserver 198.51.100.53' > /etc/netns/box/resolv.conf
            rm -f /etc/resolv.conf; : > /etc/resolv.conf""")
        assert "198.51.100.53" not in sh(f"nsenter -t {c1} -m cat /etc/resolv.conf")
        assert "198.51.100.53" in sh("ip netns exec box cat /etc/resolv.conf")
        c1_node = node(own.snapshot(), "c1")
        assert (c1_node.resolvers, c1_node.resolvers_by_name) == ((), ("198.51.100.53",))
        assert node(own.snapshot(), "host").resolvers == node(own.snapshot(), "host").resolvers_by_name == ()


@sandboxed
def test_where_nobody_lives_the_name_says_whom_to_ask() -> None:
    """A namespace that is only a name is entered by it alone, with the files of /etc/netns in their places."""
    with lab() as own:
        sh("""ip netns add box; mkdir -p /etc/netns/box; echo 'nameserver 198.51.100.53' > /etc/netns/box/resolv.conf""")
        assert "198.51.100.53" in sh("ip netns exec box cat /etc/resolv.conf")
        assert node(own.snapshot(), "box").resolvers == ("198.51.100.53",)
