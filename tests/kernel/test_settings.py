"""Settings go back to what they were, although some drag others along and some stand in each other's way; sysctl(8) is the witness."""

from __future__ import annotations

import pytest

from helpers.sandboxed import sandboxed, sh
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.settings import read_settings

CASES = {
    "all is copied to default": (
        ("net.ipv6.conf.all.forwarding", "net.ipv6.conf.default.forwarding"),
        "sysctl -qw net.ipv6.conf.all.forwarding=0; sysctl -qw net.ipv6.conf.default.forwarding=1",
        "sysctl -qw net.ipv6.conf.all.forwarding=1",
    ),
    "one is refused until the other is back": (
        ("net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"),
        "sysctl -qw net.ipv4.ip_local_port_range='32768 60999'; sysctl -qw net.ipv4.ip_unprivileged_port_start=1024",
        "sysctl -qw net.ipv4.ip_local_port_range='50000 60999'; sysctl -qw net.ipv4.ip_unprivileged_port_start=40000",
    ),
}


@pytest.mark.parametrize("case", CASES)
@sandboxed
def test_settings_that_depend_on_one_another_go_back(case: str) -> None:
    """The order of writing is the kernel's: what is copied from goes first, and what was refused is tried again."""
    keys, before, after = CASES[case]
    show = f"sysctl -n {' '.join(keys)}"
    sh(before)
    was = sh(show)
    with Namespace.own() as own:
        settings = read_settings(own)
        sh(after)
        assert sh(show) != was
        assert settings.put_back(own) == {}
    assert sh(show) == was


@sandboxed
def test_a_device_made_anew_has_the_rest_by_itself() -> None:
    """What is otherwise than in a device that was just made is all that has to be put back: then every setting is what it was."""
    make = "ip link add veth1 type veth peer name veth2; ip link set veth1 up"
    show = "sysctl -a 2>/dev/null | grep -F .veth1."
    sh(f"{make}; sysctl -qw net.ipv4.neigh.veth1.retrans_time_ms=50 net.ipv6.conf.veth1.hop_limit=7 net.ipv4.conf.default.arp_filter=1")
    was = sh(show)
    with Namespace.own() as own:
        settings = read_settings(own)
        sh(f"ip link del veth1; {make}")
        assert sh(show) != was
        few = settings.of_newborn({"veth1"})
        assert len(few) < len(settings.of_devices({"veth1"})) / 10
        assert settings.put_back(own, few) == {}
    assert sh(show) == was
