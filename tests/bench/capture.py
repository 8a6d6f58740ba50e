"""What following packets costs: a frame, a probe, an investigation; and whether two thousand journeys come out in the right order."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator

from bench.row import Row, median_ms
from capture.test_recording import PINGS, REPLY, REQUEST, journeys_by_sequence
from capture.watching import Watched, busy, watched
from helpers.sandboxed import run_in_sandbox, sh
from helpers.wires import inside, own_node
from netless_lab.kernel.capture.sieve import EVERYTHING
from netless_lab.kernel.capture.taps import Tap
from netless_lab.kernel.probe import run
from netless_lab.model.journeys.decode import decode
from netless_lab.model.probe import Ping

SITE = "198.51.100.10"


def rows() -> Iterator[Row]:
    """Measured as the user who runs the benchmark, in a sandbox."""
    measured = _measured()
    yield Row("capture and decode one frame", measured["frame"], "<= 10 us", "recvmsg(2), not decoded", measured["recvmsg"], unit="us")
    yield Row("a probe, followed", measured["followed"], "", "the same probe, not followed", measured["plain"])
    yield Row("journeys in the right order, idle", measured["idle"], "2000", unit=f"of {PINGS}", note="flood of ping -f")
    yield Row("journeys in the right order, both CPUs busy", measured["busy"], "2000", unit=f"of {PINGS}", note="flood of ping -f")
    yield Row("evidence of a dead ping, no rules", measured["dead"], "<= 150 ms", "ping -c1 -W1", measured["ping"], "60 ms are the silence")
    yield Row("evidence of a dead ping, rules traced", measured["traced"], "<= 150 ms", "ping -c1 -W1", measured["ping"], "and the replay")


def _measured() -> dict[str, float]:
    out, into = os.pipe()

    async def inside_sandbox() -> None:
        async with watched() as lab:
            os.write(into, json.dumps(await _measure(lab)).encode())

    failure = run_in_sandbox(inside_sandbox, "self")
    os.close(into)
    with os.fdopen(out, "rb") as file:
        text = file.read()
    if failure:
        raise RuntimeError(failure)
    return dict(json.loads(text))


async def _measure(lab: Watched) -> dict[str, float]:
    found = {"frame": _per_frame(), "recvmsg": _per_recvmsg()}
    found["plain"], found["followed"] = await _probe(lab, followed=False), await _probe(lab, followed=True)
    found["idle"] = await _in_order(lab)
    with busy():
        found["busy"] = await _in_order(lab)
    sh("sysctl -qw net.ipv4.ip_forward=0; nft delete table ip lab")
    found["dead"] = await _investigation(lab)
    sh("sysctl -qw net.ipv4.ip_forward=1; nft add table ip t; nft add chain ip t f '{ type filter hook forward priority 0; policy drop; }'")
    found["traced"] = await _investigation(lab)
    found["ping"] = median_ms(lambda: inside(lab.nodes, "c1", f"ping -nqc1 -W1 {SITE} || true"), 1)
    return found


def _per_frame() -> float:
    """Microseconds to take a frame out of the ring and decode it."""
    tap = Tap.open(own_node(), 16384)
    tap.ring.hear(EVERYTHING)
    sh("ping -n -f -q -c 2000 127.0.0.1")
    start = time.perf_counter()
    packets = [decode(frame.data) for frame in tap.frames(16384)]
    taken = time.perf_counter() - start
    tap.ring.close()
    return taken * 1e6 / len(packets)


def _per_recvmsg() -> float:
    """Microseconds to receive a frame with stamp and interface by Python's own socket."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(3)) as heard:
        heard.setsockopt(socket.SOL_SOCKET, 35, 1)
        sh("ping -n -f -q -c 50 127.0.0.1")
        start, count = time.perf_counter(), 0
        try:
            while True:
                heard.recvmsg(2048, 256)
                count += 1
        except BlockingIOError:
            return (time.perf_counter() - start) * 1e6 / max(1, count)


async def _probe(lab: Watched, *, followed: bool) -> float:
    """Milliseconds of one answered ping, the median of thirty."""
    taken = []
    for _ in range(30):
        start = time.perf_counter()
        if followed:
            with lab.lookout.watch() as watching:
                await run(Ping("c1", SITE), lab.nodes, deadline_s=1, grace_s=0.06)
                watching.stop()
        else:
            await run(Ping("c1", SITE), lab.nodes, deadline_s=1, grace_s=0.06)
        taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)[len(taken) // 2]


async def _in_order(lab: Watched) -> float:
    """How many of the flood's journeys were seen in full and in the true order."""
    recording = await lab.record("ping", "-n", "-f", "-q", "-c", str(PINGS), SITE)
    return float(sum(sightings == REQUEST + REPLY for sightings in journeys_by_sequence(recording).values()))


async def _investigation(lab: Watched) -> float:
    """Milliseconds, the median of seven."""
    taken = []
    for _ in range(7):
        evidence = await lab.investigate(Ping("c1", SITE))
        assert evidence.outcome.result == "failed"
        taken.append(evidence.took_ms)
    return sorted(taken)[len(taken) // 2]
