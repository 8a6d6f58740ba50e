"""What a lab that starts over makes its nodes of is as at the very start, whatever was put in the way of it. The tools that read a fresh lab are the witnesses."""

from __future__ import annotations

from functools import partial

import pytest

from helpers.running import running
from helpers.waiting import eventually
from session.test_reset import difference, read_all, reads_like

pytestmark = pytest.mark.kernel


def test_nodes_are_born_as_at_the_beginning_whatever_is_in_the_way_of_it() -> None:
    """What decides for good how a namespace is made, and how many may be, is put right before the new ones are: also where another file system hides
    it, and a cable is in the way of the uplink's name.
    """
    nodes = ("host", "internet", "c1")
    with running() as other:
        fresh = {node: read_all(other, node) for node in nodes}
        other.goto("neighbour/everyone", end=True)
        other.sh(
            "sysctl -qw net.ipv4.tcp_child_ehash_entries=5 net.ipv4.udp_child_hash_entries=256 user.max_net_namespaces=1 kernel.pid_max=400; "
            "ip link set eth0 down; ip link set eth0 name mine; ip link add eth0 type bridge; ip link add thief type bridge; ip link set mine master thief; "
            "mount -t tmpfs none /proc/sys"
        )
        other.reset("lab")
        for node in nodes:
            assert eventually(partial(reads_like, other, node, fresh[node])), (node, difference(read_all(other, node), fresh[node]))
