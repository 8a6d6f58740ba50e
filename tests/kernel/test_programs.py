"""What decides over packets and is no rule: filters of tc and XDP programs are seen, and nothing that depends on them is called certain.

tc(8), ip(8) and ping(8) are the witnesses.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from typing import Any

import pytest
from pyroute2 import IPRoute

from helpers.lab import expectation, lab
from helpers.sandboxed import answers, run_in_sandbox, sandboxed_once, sh
from netless_lab.model.changes import LinkSet
from netless_lab.model.diff import diff
from netless_lab.model.gates import gates_of
from netless_lab.model.snapshot import Snapshot
from netless_lab.model.telling import sentence
from netless_lab.primitives.base import CannotTell, Met
from netless_lab.sandbox.drops.load import is_real_root

ROUTER = """
ip link add veth1 type veth peer name veth2; ip link set veth1 netns $C1
nsenter -t $C1 -n sh -ec 'ip addr add 10.0.0.2/24 dev veth1; ip link set veth1 up; ip link set lo up; ip route add default via 10.0.0.1'
ip link add br0 type bridge; ip link set br0 up; ip link set veth2 master br0; ip link set veth2 up; ip addr add 10.0.0.1/24 dev br0
sysctl -qw net.ipv4.ip_forward=1
nft add table ip mine; nft 'add chain ip mine way { type filter hook forward priority filter; policy drop; }'
nft add rule ip mine way iifname br0 accept; nft add rule ip mine way ct state established accept
nft 'add chain ip mine out { type nat hook postrouting priority srcnat; }'; nft add rule ip mine out oifname eth0 masquerade
"""
STEAL = "protocol all u32 match u32 0 0 action mirred egress redirect dev lo"
"""A filter that takes every packet."""
EXPECTED = ({"forward-accept": "br0"}, {"forward-accept": "established"}, {"masquerade": "10.0.0.0/24", "except": "br0"})
SITE = "198.51.100.10"


def need_filters() -> None:
    """Skip where the kernel has no classifier that any of this can be tried with."""
    sh("ip link add probe0 type veth peer name probe1")
    said = sh(f"tc qdisc add dev probe0 clsact 2>&1 && tc filter add dev probe0 ingress {STEAL} 2>&1 || true")
    sh("ip link del probe0")
    if said:
        pytest.skip(f"this kernel has no such filters: {said.strip()}")


def told(before: Snapshot, after: Snapshot) -> list[str]:
    """What became of the settings of links."""
    return [sentence(change) for change in diff(before, after) if isinstance(change, LinkSet)]


PLACES = {
    "on the way in by a port": ("veth2", "ingress", "tc-ingress"),
    "on the way out": ("eth0", "egress", "tc-egress"),
    "on the way in of the bridge": ("br0", "ingress", "tc-ingress"),
    "on the way back": ("eth0", "ingress", "tc-ingress"),
}


@pytest.mark.kernel_may_lack
@pytest.mark.parametrize("place", PLACES)
@sandboxed_once
def test_a_filter_on_the_way_leaves_nothing_certain(place: str) -> None:
    """The rules let everything pass and the packets do not: no expectation is met, no gate is open or absent, until the filter is gone."""
    need_filters()
    link, direction, program = PLACES[place]
    with lab() as own:
        own.shell("host", f"C1={own.refs()['c1'].pid}\n{ROUTER}")
        assert answers(SITE, own.refs()["c1"].pid)
        before = own.snapshot()
        assert all(isinstance(expectation(wanted).check(before, own.where()), Met) for wanted in EXPECTED)
        own.shell("host", f"tc qdisc add dev {link} clsact")
        assert told(before, own.snapshot()) == [], "an empty place for filters takes no packet"
        own.shell("host", f"tc filter add dev {link} {direction} {STEAL}")
        assert not answers(SITE, own.refs()["c1"].pid, 0)
        after = own.snapshot()
        host = after.node("host")
        assert host is not None and {own.name: own.programs for own in host.links if own.programs} == {link: (program,)}
        assert any(link in line and "tc" in line for line in told(before, after))
        found = [expectation(wanted).check(after, own.where()) for wanted in EXPECTED]
        doubted = [finding for finding in found if isinstance(finding, CannotTell)]
        assert doubted and all(link in finding.why and "tc" in finding.why for finding in doubted)
        assert {gate.name: gate.state for gate in gates_of(host)}["fw"] == "unknown"
        own.shell("host", f"tc filter del dev {link} {direction}")
        assert told(before, own.snapshot()) == []
        assert answers(SITE, own.refs()["c1"].pid)


@pytest.mark.kernel_may_lack
@sandboxed_once
def test_no_rule_is_not_said_where_a_filter_may_be_the_rule() -> None:
    """Without any chain of netfilter a gate with a filter of tc on its way is unknown, and not absent."""
    need_filters()
    with lab() as own:
        own.shell("host", f"C1={own.refs()['c1'].pid}\n{ROUTER}\nnft flush ruleset")
        host = own.snapshot().node("host")
        assert host is not None and [gate.state for gate in gates_of(host)] == ["open", "absent", "absent"]
        own.shell("host", f"tc qdisc add dev eth0 clsact; tc filter add dev eth0 egress {STEAL}")
        host = own.snapshot().node("host")
        assert host is not None and [gate.state for gate in gates_of(host)] == ["open", "unknown", "unknown"]


@sandboxed_once
def test_a_queue_that_may_drop_is_seen() -> None:
    """A discipline that delays or drops is told of; one as every device may have is not."""
    with lab() as own:
        before = own.snapshot()
        own.shell("host", "tc qdisc add dev eth0 root pfifo")
        assert told(before, own.snapshot()) == []
        own.shell("host", "tc qdisc replace dev eth0 root tbf rate 8bit burst 1 latency 1ms")
        assert ["queue" in line for line in told(before, own.snapshot())] == [True]


_SYSCALLS = {"x86_64": 321, "aarch64": 280}
_PROG_LOAD, _XDP, _DROP = 5, 6, 1


def xdp_program() -> int:
    """A descriptor of an XDP program that drops everything (bpf(2)): ``r0 = XDP_DROP; exit``."""
    code = struct.pack("=BBhi", 0xB7, 0, 0, _DROP) + struct.pack("=BBhi", 0x95, 0, 0, 0)
    text, license_ = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"GPL")
    body = ctypes.create_string_buffer(struct.pack("=IIQQ", _XDP, 2, ctypes.addressof(text), ctypes.addressof(license_)), 128)
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(_SYSCALLS[os.uname().machine], _PROG_LOAD, body, 128)
    if descriptor < 0:
        pytest.skip(f"this kernel loads no XDP program: {os.strerror(ctypes.get_errno())}")
    return int(descriptor)


@pytest.mark.kernel
@pytest.mark.kernel_may_lack
def test_an_xdp_program_on_the_way_leaves_nothing_certain() -> None:
    """Real root outside lends a program; attached inside, it is seen, and what depends on it is not told from the rules."""
    if not is_real_root():
        pytest.skip("only the machine's root may load a program")
    descriptor = xdp_program()

    def inside() -> None:
        with lab() as own:
            own.shell("host", f"C1={own.refs()['c1'].pid}\n{ROUTER}")
            assert answers(SITE, own.refs()["c1"].pid)
            before = own.snapshot()
            with IPRoute() as ipr:
                ipr.link("set", index=ipr.link_lookup(ifname="veth2")[0], xdp_fd=descriptor)
            assert "xdp" in sh("ip link show dev veth2")
            assert not answers(SITE, own.refs()["c1"].pid, 0)
            after = own.snapshot()
            host = after.node("host")
            assert host is not None and {link.name: link.programs for link in host.links if link.programs} == {"veth2": ("xdp",)}
            assert any("XDP" in line for line in told(before, after))
            finding = expectation(EXPECTED[0]).check(after, own.where())
            assert isinstance(finding, CannotTell) and "XDP" in finding.why
            sh("ip link set dev veth2 xdp off")
            assert told(before, own.snapshot()) == []

    test: Callable[[], Any] = inside
    failure = run_in_sandbox(test, "root")
    os.close(descriptor)
    assert not failure, failure
