"""A purge of which the links were begun with: they are waited for, and nothing is lost where they could not be. ip and nft are the witnesses."""

from __future__ import annotations

import pytest

from conformance.cases import POST
from conformance.test_purge import differing, tools_say
from helpers.files import no_file_to_spare
from helpers.lab import lab, told
from helpers.sandboxed import sandboxed, sh
from helpers.waiting import eventually
from netless_lab.kernel.purge import begin_with_links


@sandboxed
def test_links_that_are_on_their_way_out_are_waited_for_and_the_purge_looks_again() -> None:
    """They go ahead of all else, the uplink with them when the internet is made anew; what somebody brings back meanwhile goes with the purge."""
    with lab() as own:
        own.do(*POST, {"masquerade": "10.0.0.0/24", "except": "br0"})
        begun = begin_with_links(own.refs()["host"], own.beginning, ("internet", "c1"))
        sh("iptables-legacy -P FORWARD DROP; ip link add again type bridge")  # which waits until the kernel can take it
        assert {"br0", "veth2", "eth0"}.isdisjoint(entry["ifname"] for entry in told(own, "host", "ip -j link"))
        assert own.purge(begun=begun) == ()
        assert sh("nft list tables; iptables-legacy -S FORWARD") == "-P FORWARD ACCEPT\n"
        assert [entry["ifname"] for entry in told(own, "host", "ip -j link")] == ["lo", "eth0"]


@sandboxed
@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_who_can_open_no_file_begins_with_no_link_and_loses_none(left: int) -> None:
    """However few there are: what was begun goes on, what was not is done by the purge, when there are files again."""
    with lab() as own:
        before = tools_say(own)
        own.do(*POST)
        host = own.refs()["host"]
        with no_file_to_spare(left):
            begun = begin_with_links(host, own.beginning, ("internet", "c1"))
        assert (begun is None) == (left < 3)
        assert own.purge(begun=begun) == ()
        # the kernel itself gives a link its last routes of IPv6 when it has noticed its carrier, in the background
        assert eventually(lambda: not differing(tools_say(own), before)), differing(tools_say(own), before)


@sandboxed
def test_nothing_is_begun_where_no_link_is_to_go() -> None:
    """A host that has only its uplink, which stays with its internet, loses nothing, and a purge waits for nothing."""
    with lab() as own:
        assert begin_with_links(own.refs()["host"], own.beginning, ()) is None
        assert [entry["ifname"] for entry in told(own, "host", "ip -j link")] == ["lo", "eth0"]
