"""Shared by the tests of this folder: a lookout over a wired lab, probes that are watched, and how a journey reads."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from helpers.wires import Nodes, wired
from netless_lab.kernel import probe as probing
from netless_lab.kernel.capture import Recorder
from netless_lab.kernel.capture.taps import FOLLOWED
from netless_lab.kernel.evidence.conntrack import newest
from netless_lab.kernel.evidence.lookout import Lookout
from netless_lab.kernel.read import Reader
from netless_lab.model.evidence import Evidence
from netless_lab.model.journey import Journey
from netless_lab.model.journeys.assemble import follow
from netless_lab.model.journeys.frame import Ground, Recording
from netless_lab.model.probe import Probe
from netless_lab.watching.gather import gather


class Watched:
    """A wired lab with eyes and ears in every node."""

    def __init__(self, nodes: Nodes, lookout: Lookout, reader: Reader) -> None:
        self.nodes, self.lookout, self.reader = nodes, lookout, reader

    async def journey(self, probe: Probe) -> Journey:
        """Send a probe, watch it, and follow it."""
        ground = Ground.of(self.reader.snapshot(tuple(self.nodes.values())))
        with self.lookout.watch() as watching:
            outcome = await probing.run(probe, self.nodes, deadline_s=0.12, grace_s=0.06)
            await asyncio.sleep(0.002)
            seen = watching.stop()
        return follow(probe, outcome, seen.recording, newest(seen.flows), ground).journey

    async def investigate(self, probe: Probe) -> Evidence:
        """Send a probe and gather every fact about it."""
        return (await gather(probe, self.nodes, self.lookout, self.reader)).evidence

    async def record(self, *argv: str, node: str = "c1", limit: int = 200_000) -> Recording:
        """Everything that passes while a program runs in a node."""
        recorder = Recorder(self.lookout.taps, limit)
        recorder.start()
        process = await asyncio.create_subprocess_exec(
            "nsenter", f"--net=/proc/{self.nodes[node].pid}/ns/net", *argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )  # fmt: skip
        self.said = (await process.communicate())[0].decode()
        await asyncio.sleep(0.02)
        return recorder.stop()


@asynccontextmanager
async def watched(*containers: str) -> AsyncIterator[Watched]:
    """host, net and containers, wired and watched."""
    with wired(*containers) as nodes:
        lookout = Lookout()
        lookout.taps.slots = FOLLOWED  # these tests want everything, floods too
        await lookout.attend(nodes.values())
        assert lookout.missing == ()
        yield Watched(nodes, lookout, Reader())
        await lookout.close()


def places(journey: Journey, *legs: str) -> list[str]:
    """``c1.eth0>`` for a packet that leaves, ``host.veth1<`` for one that comes in; of these legs, or of all."""
    marks = {"out": ">"}
    return [f"{hop.node}.{hop.link}{marks.get(hop.direction, '<')}" for hop in journey.hops if not legs or hop.leg in legs]


@contextmanager
def busy(processors: int = 2) -> Iterator[None]:
    """Processes that never rest, one for each processor."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processors)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
