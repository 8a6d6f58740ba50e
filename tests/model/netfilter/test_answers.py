"""What is said of an answer at the forward hook is what the kernel makes of it. The witness is a socket that hears it, or does not."""

from __future__ import annotations

import select
import socket

import pytest

from helpers.sandboxed import sandboxed_once, sh
from model.netfilter.test_against_the_kernel import LONG_S, SOON, Router, packet, router
from netless_lab.kernel.namespace import socket_in
from netless_lab.model.netfilter.packet import answer
from netless_lab.model.netfilter.run import agreed, always, run

ASKED = ("198.51.100.10", 53)
"""Whom the one behind the router asks."""


def comes_home(there: Router, heard_at: tuple[str, int], seconds: float) -> bool:
    """Whether the answer to a question is heard in this time. The question must come to the far side, at this address."""
    with socket_in(there.far, socket.AF_INET, socket.SOCK_DGRAM) as far, socket_in(there.near, socket.AF_INET, socket.SOCK_DGRAM) as near:
        far.bind(heard_at)
        near.bind(("10.0.0.2", 0))
        near.sendto(b"?", ASKED)
        assert select.select([far], [], [], LONG_S)[0]
        far.sendto(b"!", far.recvfrom(8)[1])
        return bool(select.select([near], [], [], seconds)[0])


RULES = """
table ip t {{
 chain pre {{ type nat hook prerouting priority dstnat; udp dport 53 dnat to 203.0.113.9:5000; }}
 chain passing {{ type filter hook forward priority 0; policy drop; ct direction original accept; {condition} accept; }}
}}
"""


@pytest.mark.parametrize(
    ("condition", "passes"), [("ct status dnat", True), ("ct status snat", False), ("ct status ! dnat", False), ("ct status seen-reply", True)]
)
@sandboxed_once
def test_an_answer_is_of_a_conversation_that_was_translated_there(condition: str, passes: bool) -> None:
    """Whose receiver was another at first, its answer belongs to the same entry of the connection table: a rule that asks for that meets it too."""
    with router(4) as there:
        sh(f"nft -f - <<'end'\n{RULES.format(condition=condition)}\nend\n")
        assert comes_home(there, ("203.0.113.9", 5000), LONG_S if passes else SOON * 3) is passes
        node = there.node()
        led = agreed(run(node, "prerouting", packet("10.0.0.2", *ASKED)))
        assert led is not None
        assert always(run(node, "forward", answer(led, translated=False)), lambda way: way.end == "accept") is passes


UNTRACKED = """
table ip t {
 chain pre { type filter hook prerouting priority raw; iifname in0 notrack; }
 chain passing { type filter hook forward priority 0; policy drop; iifname in0 accept; ct state established accept; }
}
"""


@sandboxed_once
def test_an_answer_to_what_conntrack_never_saw_is_not_said_to_be_known() -> None:
    """The kernel finds no conversation that it belongs to, and a rule that asks for one lets it not by."""
    with router(4) as there:
        sh(f"nft -f - <<'end'\n{UNTRACKED}\nend\n")
        assert not comes_home(there, ASKED, SOON * 3)
        node = there.node()
        led = agreed(run(node, "prerouting", packet("10.0.0.2", *ASKED)))
        assert led is not None and not led.tracked
        assert always(run(node, "forward", answer(led, translated=False)), lambda way: way.end == "accept") is not True
