"""Which questions for its addresses a node leaves unanswered: arp_ignore has a meaning for each value, and the kernel alone knows it."""

from __future__ import annotations

import pytest

from conformance.cases import POST
from helpers.lab import lab
from helpers.sandboxed import answers, sandboxed_once, sh
from netless_lab.explain.rungs.neighbour import ignores

OWN = {"on the link": "10.0.0.1", "of another link": "10.7.0.1", "on the link, of another network": "10.8.0.1", "of scope host": "10.9.0.1"}


@pytest.mark.parametrize("value", ["0", "1", "2", "3", "4", "8"])
@sandboxed_once
def test_what_arp_ignore_keeps_from_being_answered(value: str) -> None:
    """c1 asks the host for addresses of each kind, and pings whom it finds."""
    with lab() as own:
        own.do(*POST)
        sh("ip link add other type bridge; ip link set other up; ip address add 10.7.0.1/24 dev other; ip address add 10.8.0.1/24 dev br0")
        sh("ip address add 10.9.0.1/32 dev br0 scope host")
        own.shell("c1", "; ".join(f"ip route add {to}/32 dev veth1" for to in OWN.values() if not to.startswith("10.0.")))
        c1 = own.refs()["c1"].pid
        assert all(answers(to, c1) for to in OWN.values())
        sh(f"sysctl -qw net.ipv4.conf.br0.arp_ignore={value}")
        own.shell("c1", "ip neighbour flush all")
        host = own.snapshot().node("host")
        assert host is not None and (br0 := host.link("br0")) is not None
        silent = {kind: not answers(to, c1, seconds=0.3) for kind, to in OWN.items()}
        assert {kind: ignores(value, host, br0, to, "10.0.0.2") for kind, to in OWN.items()} == silent
