"""A lab that nobody can have touched since it was cleaned is not cleaned again; whatever anybody did is taken away."""

from __future__ import annotations

import pytest

from helpers.broken import ping
from helpers.hands import hands
from helpers.running import Running
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel
SETTING = "net.ipv4.conf.all.arp_announce"
"""What no picture shows, and the kernel tells nobody of."""


@pytest.mark.parametrize("node", ["host", "c1", "internet"])
def test_what_somebody_did_in_silence_after_a_reset_goes(lab: Running, node: str) -> None:
    """He came in, changed a setting, and left: the next goto puts it back."""
    lab.reset("lab")
    lab.sh(f"sysctl -qw {SETTING}=2", node)
    lab.goto("switch", end=True)
    assert lab.sh(f"sysctl -n {SETTING}", node) == "0\n"


def test_what_somebody_does_who_was_there_all_the_time_goes(lab: Running) -> None:
    """His shell is as old as the lab, so nobody has come in since the reset."""
    with hands(lab) as shell:
        assert not shell.type(":")
        lab.reset("lab")
        assert not shell.type(f"sysctl -qw {SETTING}=2")
        lab.goto("switch", end=True)
        assert shell.type(f"sysctl -n {SETTING}").split() == ["0"]


def test_what_came_by_packets_goes(lab: Running) -> None:
    """The tutor's own ping taught the host who the far router is: after the next goto nobody has asked for it yet (ip neigh shows it)."""
    lab.reset("lab")
    assert lab.client.ask(Explain(probe=ping("203.0.113.1", "host"))).answered
    lab.goto("netless")
    assert "203.0.113.1" not in lab.sh("ip -4 neigh show nud reachable nud stale nud delay")


def test_a_container_that_was_ended_runs_again(lab: Running) -> None:
    """Its process is killed from inside the lab, and may still be ending when the goto begins: kill(1) does not wait for that."""
    for _ in range(10):
        lab.reset("lab")
        pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
        lab.sh(f"kill -9 {pid}")
        lab.goto("switch", end=True)
        assert lab.pings("10.0.0.1")


def test_twice_the_same_is_the_same(lab: Running) -> None:
    """After a reset nobody has touched, goto makes what it makes after any other (ip and nft list it)."""
    look = "ip -br link; ip -br addr; ip route; nft -s list ruleset; ip -n c1 -br addr; ip -n c1 route; sysctl -a --pattern forwarding"
    listed = f"{{ {look}; }} | sed -E 's/@if[0-9]+//; s/fe80::[^ ]*//; s/([0-9a-f]{{2}}:){{5}}[0-9a-f]{{2}}//'"
    lab.goto("container/internet", end=True)
    lab.goto("container/internet", end=True)
    usual = lab.sh(listed)
    lab.reset("lab")
    lab.goto("container/internet", end=True)
    assert lab.sh(listed) == usual
