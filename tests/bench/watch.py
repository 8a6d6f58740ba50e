"""How soon a change made elsewhere is told of, and what it costs to wait for one."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

from bench.row import Row
from helpers.sandboxed import container, run_in_sandbox, sh
from helpers.wires import own_node
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.read import NodeRef
from netless_lab.kernel.watch import QUIET_S, Watch

_CHANGES = 40
_IDLE_S = 5.0


def rows() -> Iterator[Row]:
    """A watch on four namespaces: from a change to the call that tells of it, and the processor time of an idle, attended watch."""
    out, into = os.pipe()
    failure = run_in_sandbox(lambda: os.write(into, json.dumps(asyncio.run(_measure())).encode()) and None, "self")
    os.close(into)
    with os.fdopen(out, "rb") as file:
        text = file.read()
    if failure:
        raise RuntimeError(failure)
    told, idle = json.loads(text)
    note = f"of it {QUIET_S * 1000:.0f} ms to see the burst end"
    yield Row("change in another terminal, until told of", told, "<= 100 ms p95 painted", note=note)
    yield Row("idle watch of 4 namespaces with the slow poll", idle, "< 1 % of a core", unit="%")


async def _measure() -> tuple[float, float]:
    """(ms until told, percent of a core while nothing happens)."""
    with ExitStack() as stack:
        pids = [stack.enter_context(container()) for _ in range(3)]
        sh("ip link add br0 type bridge; ip link set br0 up")
        for number, pid in enumerate(pids):
            sh(f"ip link add v{number} type veth peer name e0 netns {pid}; ip link set v{number} master br0")
        refs = [own_node(), *(NodeRef(f"c{pid}", "container", Namespace.of_pid(pid), pid) for pid in pids)]
        news = asyncio.Event()
        watch = Watch(asyncio.get_running_loop(), news.set)
        for ref in refs:
            watch.add(ref)
        told = [await _one_change(news, number) for number in range(_CHANGES)]
        watch.attend(True)
        await asyncio.sleep(1)
        before = _cpu_s()
        await asyncio.sleep(_IDLE_S)
        idle = (_cpu_s() - before) / _IDLE_S * 100
        watch.close()
        return statistics.median(told), idle


async def _one_change(news: asyncio.Event, number: int) -> float:
    await asyncio.sleep(0.06)
    news.clear()
    start = time.perf_counter()
    _set_mtu(number)
    await news.wait()
    return (time.perf_counter() - start) * 1000


def _set_mtu(number: int) -> None:
    with open("/sys/class/net/v0/mtu", "w", encoding="ascii") as file:
        file.write(str(1000 + number))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
