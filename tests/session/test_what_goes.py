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
        options = "lo on host has no options any more (was txqueuelen 7)"
        assert set(told.going) == {"veth2 on host is down", options, "gone: the changed txqueuelen of lo in host", "gone: the table ip mine in host"}
        assert "lo on host is up" in told.coming
        lab.reset("step")
        flags = {link["ifname"]: link["flags"] for link in lab.told("ip -j link")}
        assert "UP" not in flags["veth2"] and "UP" in flags["lo"] and "mine" not in lab.sh("nft list tables")


def test_a_lab_that_is_not_as_it_was_is_never_told_to_be() -> None:
    """A table that was put to sleep, another MAC of the way out, an address that is only for a link: a reset tells of them and takes them back."""
    with running() as lab:
        lab.goto("internet", end=True)
        lab.reset("step")
        assert not lab.what_goes()
        mac = lab.sh("cat /sys/class/net/eth0/address").strip()
        lab.sh("nft add table ip lab '{ flags dormant; }'; ip link set eth0 address 02:00:00:00:00:77; ip addr add 10.9.0.1/24 dev br0 scope link")
        told = lab.what_goes()
        assert told.going == ("host lost the address 10.9.0.1/24 on br0",)
        assert set(told.coming) == {
            "table ip lab on host is dormant no longer: its chains are asked", f"the MAC address of eth0 on host is now {mac} (was 02:00:00:00:00:77)",
        }  # fmt: skip
        lab.reset("step")
        assert "dormant" not in lab.sh("nft list ruleset") and "10.9.0.1" not in lab.sh("ip addr")
        assert lab.sh("cat /sys/class/net/eth0/address").strip() == mac
