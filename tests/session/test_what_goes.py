"""What a reset would do, as it is told before somebody says yes to it. ip(8) and nft(8) are the witnesses."""

from __future__ import annotations

import pytest

from helpers.running import running

pytestmark = pytest.mark.kernel


def test_what_is_listed_is_so_afterwards() -> None:
    """Somebody raised a link, took lo of the host down, and set how long a queue is: each is told as it is after the reset, which ip(8) confirms."""
    with running() as lab:
        lab.goto("cable/plug")
        lab.sh("ip link set veth2 up; ip link set lo down; ip link set lo txqueuelen 7; nft add table ip mine")
        told = lab.what_goes()
        assert set(told.going) == {"veth2 on host is down", "gone: the changed txqueuelen of lo in host", "gone: the table ip mine in host"}
        assert "lo on host is up" in told.coming
        lab.reset("step")
        flags = {link["ifname"]: link["flags"] for link in lab.told("ip -j link")}
        assert "UP" not in flags["veth2"] and "UP" in flags["lo"] and "mine" not in lab.sh("nft list tables")
