"""What a reset says of the routes to a node's own addresses, which the kernel makes and takes (table local, ip-route(8))."""

from __future__ import annotations

import pytest

from helpers.running import Running

pytestmark = pytest.mark.kernel


def test_what_the_kernel_made_for_an_address_is_missed(lab: Running) -> None:
    """The way to an address of one's own stands in a table that no picture shows: without it the host does not know itself."""
    lab.goto("netless/name")
    before = lab.sh("ip route show table local")
    lab.sh("ip route flush table local")
    told = lab.what_goes()
    assert "back: 5 of ip route in the host" in told.coming and not told.going
    lab.reset("step")
    assert lab.sh("ip route show table local") == before


@pytest.mark.parametrize("link", ["lo", "eth0"])
def test_what_the_kernel_takes_with_a_link_that_goes_down_is_not_missed_beside_it(lab: Running, link: str) -> None:
    """The ways to a link's own addresses in table local go and come with the link, which is listed: nothing is said of them (``ip route``)."""
    lab.goto("netless/name")
    before = lab.sh("ip route show table local")
    lab.sh(f"ip link set {link} down")
    assert lab.sh("ip route show table local") != before
    told = lab.what_goes()
    assert [line for line in told.coming if link in line] and not [line for line in (*told.going, *told.coming) if "ip route" in line], told
    lab.reset("step")
    assert lab.sh("ip route show table local") == before
