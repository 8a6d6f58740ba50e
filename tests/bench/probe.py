"""What a probe costs, whole call: socket in the node, packet, answer or silence, reason."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Iterator

from bench.row import Row, median_ms
from helpers.sandboxed import container, run_in_sandbox, sh
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.probe import run
from netless_lab.kernel.read import NodeRef
from netless_lab.model.probe import Connect, Ping, Probe

_TIMES = 60


def rows() -> Iterator[Row]:
    """An answered ping, a refused connection, and one that must not be answered, beside ping(8)."""
    out, into = os.pipe()
    failure = run_in_sandbox(lambda: os.write(into, json.dumps(_measure()).encode()) and None, "self")
    os.close(into)
    with os.fdopen(out, "rb") as file:
        text = file.read()
    if failure:
        raise RuntimeError(failure)
    measured = json.loads(text)
    yield Row("probe: a ping answered, from a container", measured["ping"], "", "nsenter ping -c1", measured["witness"])
    yield Row("probe: a connection refused", measured["refused"], "")
    yield Row("probe: silence, two attempts of 60 ms", measured["silent"], "<= 130 ms")


def _measure() -> dict[str, float]:
    """A container on a cable, both ends up."""
    with container() as pid:
        inside = f"nsenter --net=/proc/{pid}/ns/net"
        sh(f"""ip link add v0 type veth peer name e0 netns {pid}; ip addr add 10.0.0.1/24 dev v0; ip link set v0 up
            {inside} sh -ec 'ip link set lo up; ip addr add 10.0.0.2/24 dev e0; ip link set e0 up; ping -c1 -W2 10.0.0.1'""")
        nodes = {"c1": NodeRef("c1", "container", Namespace.of_pid(pid), pid)}
        witness = median_ms(lambda: sh(f"{inside} ping -c1 -W1 10.0.0.1"), 10)
        return asyncio.run(_probes(nodes)) | {"witness": witness}


async def _probes(nodes: dict[str, NodeRef]) -> dict[str, float]:
    async def median(probe: Probe, result: str, times: int = _TIMES) -> float:
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            outcome = await run(probe, nodes, deadline_s=0.12, grace_s=0.06)
            taken.append((time.perf_counter() - start) * 1000)
            assert outcome.reason == result, outcome
        return statistics.median(taken)

    found = {
        "ping": await median(Ping("c1", "10.0.0.1"), "answered"),
        "refused": await median(Connect("c1", "10.0.0.1", 81), "refused"),
    }
    sh("sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
    return found | {"silent": await median(Ping("c1", "10.0.0.1"), "silence", 5)}
