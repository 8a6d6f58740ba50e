"""The judge on bad days: slow ports, probes that cannot run, foreign tongues, a fault of its own. Never a false word, never silence."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.hands import passed
from helpers.running import Running, eventually, running

pytestmark = pytest.mark.kernel
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for this file; every test begins with its own goto or reset."""
    with running() as own:
        yield own


def netless(lab: Running, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A verb of the command line, in a process of its own."""
    path = {"PYTHONPATH": f"{CHECKOUT}/tui:{CHECKOUT}/lab"}
    return subprocess.run(
        [sys.executable, "-m", "netless", "--lab", lab.name, *words],
        capture_output=True, text=True, env={**os.environ, **path, **(env or {})}, timeout=60, check=False,
    )  # fmt: skip


def test_a_port_under_stp_is_waited_for(lab: Running) -> None:
    """C2: with spanning tree a port listens and learns first; the verdict says what is waited for, fails nobody, and then passes."""
    lab.goto("switch/port-up")
    lab.sh("ip link set br0 type bridge stp_state 1 forward_delay 300; ip link set veth2 up")
    assert eventually(lambda: "listening" in lab.sh("bridge link show dev veth2"))
    seen = []
    end = time.monotonic() + 60
    while not passed(lab):
        assert time.monotonic() < end, seen[-1:]
        verdict = lab.status().verdict
        assert verdict is not None
        if all(item.result == "pass" for item in verdict.items[:2]):
            seen.append(verdict)
            assert verdict.result == "waiting", verdict
        time.sleep(0.1)
    assert any("STP" in item.claim and " s more" in item.claim for verdict in seen for item in verdict.items)
    assert lab.pings("10.0.0.1")
