"""What is worked out of a node's tables is what ``ip route get`` says: the way, or the error and its words."""

from __future__ import annotations

import subprocess

import pytest

from conformance.cases import POST
from helpers.lab import Lab, expectation, lab
from helpers.sandboxed import sandboxed_once, sh
from netless_lab.model import routes
from netless_lab.primitives.base import Met

WAYS = "ip address add 10.9.0.1/24 dev br0; ip -6 address add fd00::1/64 dev br0 nodad; ip -6 route add default via fd00::2"


def agrees(own: Lab, target: str) -> None:
    """The host's own packets to an address, as the kernel sends them and as it is worked out."""
    kernel = subprocess.run(["ip", "route", "get", target], capture_output=True, text=True, check=False)
    host = own.snapshot().node("host")
    assert host is not None
    found = routes.worked_out(host, target)
    if kernel.returncode:
        assert found.error and found.words in kernel.stderr, (found, kernel.stderr)
    else:
        words = kernel.stdout.split()
        via = words[words.index("via") + 1] if "via" in words else None
        assert (found.error, found.via, found.dev) == ("", via, words[words.index("dev") + 1]), (found, kernel.stdout)


@pytest.mark.parametrize(
    "rules",
    [
        "add to {} unreachable", "add to {} prohibit", "add to {} blackhole", "add to {} priority 9 goto 32766",
        "add to {} priority 9 goto 10; add to {} priority 10 nop",
        "add to {} priority 9 goto 11; add to {} priority 10 unreachable; add to {} priority 11 nop", "add to {} priority 9 goto 11; add to {} priority 10 unreachable",
    ],
)  # fmt: skip
@pytest.mark.parametrize("target", ["198.51.100.10", "fd01::1"])
@sandboxed_once
def test_a_policy_rule_refuses_or_leads_on_as_the_kernel_has_it(target: str, rules: str) -> None:
    """One that refuses has an errno of its own, which is not always that of a route; one that jumps, or does nothing, decides nothing, and so does
    one that jumps to a rule that is not there.
    """
    with lab() as own:
        own.do(*POST)
        six = "-6 " * (":" in target)
        sh("; ".join([WAYS, *(f"ip {six}rule {rule.format(target)}" for rule in rules.split("; "))]))
        agrees(own, target)


@sandboxed_once
def test_a_route_for_one_type_of_service_is_for_nobody_else() -> None:
    """Another to the same network is taken, though it comes later in the table, or a wider one."""
    with lab() as own:
        own.do(*POST)
        sh("ip route add 10.77.0.0/24 tos 0x10 via 10.0.0.2; ip route add 10.77.0.0/24 via 10.0.0.3; ip route add 10.78.0.0/24 tos 0x10 via 10.0.0.2")
        for target in ("10.77.0.5", "10.78.0.5"):
            agrees(own, target)
        assert isinstance(expectation({"route": "10.77.0.0/24", "via": "10.0.0.3"}).check(own.snapshot(), own.where()), Met)
