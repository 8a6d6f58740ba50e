"""Probes on a slow way: an answer that takes longer than an attempt is an answer. tc(8) makes it slow, Python's own socket is the witness."""

from __future__ import annotations

import asyncio
import socket

from helpers.sandboxed import sandboxed_once, sh
from netless_lab.kernel import probe as probing
from netless_lab.kernel.read import own_node
from netless_lab.model.probe import Connect

BUILD = "ip link set lo up; tc qdisc add dev lo root tbf rate 3kbit burst 80 limit 4000"
"""Some 375 bytes a second: whatever follows a datagram of 70 bytes waits longer than a tenth of a second, and the longer the more there is."""


def stuff() -> None:
    """Take what the queue would let through at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.sendto(bytes(28), ("127.0.0.9", 9))


@sandboxed_once
async def test_a_connection_that_opens_late_is_open() -> None:
    """Each attempt waits a tenth of a second, and then the next begins; the answer to the first comes later, and counts."""
    sh(BUILD)
    with socket.create_server(("127.0.0.1", 80)) as server:
        stuff()
        outcome = await probing.run(Connect("host", "127.0.0.1", 80), {"host": own_node()}, deadline_s=1.0, grace_s=0.05)
        assert outcome.result == "answered", outcome.text
        own, there = await asyncio.to_thread(server.accept)
        own.close()
        assert there == (outcome.answer, outcome.ident)
