"""The switch of forwarding is a number, and the kernel alone says which numbers are on: a ping through the host is the witness."""

from __future__ import annotations

import pytest

from conformance.cases import POST
from helpers.lab import Lab, expectation, lab
from helpers.sandboxed import answers, sandboxed, sh
from netless_lab.model.gates import forwarding
from netless_lab.model.routes import forwards
from netless_lab.primitives.base import Met, NotMet

SITE = "198.51.100.10"
WAY_OUT = (
    {"masquerade": "10.0.0.0/24", "except": "br0"},
    {"route": "default", "via": "10.0.0.1", "in": "c1"},
    {"forwarding": True},
)


def passes(own: Lab) -> bool:
    """Whether a packet of c1 gets through the host and its answer back."""
    return answers(SITE, own.refs()["c1"].pid, seconds=0.5)


@pytest.mark.parametrize("value", ["0", "1", "2", "-1"])
@sandboxed
def test_gate_check_and_why_agree_with_the_packets(value: str) -> None:
    """For every value of ip_forward the gate, the check of a step and Why's own look say what a ping finds."""
    with lab() as own:
        own.do(*POST, *WAY_OUT)
        assert answers(SITE, own.refs()["c1"].pid)
        sh(f"sysctl -qw net.ipv4.ip_forward={value}")
        passed, host = passes(own), own.snapshot().node("host")
        assert host is not None
        assert forwarding(host) == ("open" if passed else "closed")
        assert forwards(host, "br0", 4) == passed
        for wanted in (True, False):
            found = expectation({"forwarding": wanted}).check(own.snapshot(), own.where())
            assert isinstance(found, Met if passed == wanted else NotMet), found


@pytest.mark.parametrize("value", ["0", "2"])
@sandboxed
def test_a_device_has_a_switch_of_its_own(value: str) -> None:
    """The same for the one interface by which the packet comes in, while ip_forward itself is on."""
    with lab() as own:
        own.do(*POST, *WAY_OUT)
        assert answers(SITE, own.refs()["c1"].pid)
        sh(f"sysctl -qw net.ipv4.conf.br0.forwarding={value}")
        passed, host = passes(own), own.snapshot().node("host")
        assert host is not None
        assert forwards(host, "br0", 4) == passed
        found = expectation({"forwarding": True}).check(own.snapshot(), own.where())
        assert isinstance(found, Met if passed else NotMet), found
