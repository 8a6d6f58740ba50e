"""A drill as a learner meets it: the real program, a really broken network, a repair from another terminal. The witness is sysctl(8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.test_real_tmux import learner

pytestmark = [pytest.mark.kernel, pytest.mark.tmux, pytest.mark.rootless]


def test_broken_explained_repaired_and_back(tmp_path: Path) -> None:
    """A chosen fault is really there; Why names its cause; a repair made elsewhere is noticed; Done leads back to the lesson."""
    with learner(tmp_path, 121, 40) as seat:
        seat.press("D")
        seat.wait_for("br0 is down  switch/bridge-up")
        seat.press("forwarding-off", "Enter")
        seat.wait_for("Something is broken", "✗ not healthy", "✗ 198.51.100.10 answers c1")
        assert seat.elsewhere("sysctl", "-n", "net.ipv4.ip_forward").strip() == "0"
        assert "does not forward" not in seat.screen()
        seat.press("w")
        seat.wait_for("The facts", "ip_forward", "place: the forwarding of the host")
        seat.press("Escape")
        seat.wait_for("with  Why once")
        seat.elsewhere("sysctl", "-w", "net.ipv4.ip_forward=1")
        seat.wait_for("The network is healthy again", "was   The host does not forward")
        seat.press("m")
        seat.wait_for("Give its namespace a name", "Check 0 of")
        assert seat.elsewhere("sysctl", "-n", "net.ipv4.ip_forward").strip() == "0"
