"""The room itself: from nothing to ready, into a node, a node more, an end. The agent here is the tests' small one."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.row import Row, median_ms
from netless_lab import join
from netless_lab.sandbox import find
from netless_lab.sandbox.doctor import examine
from netless_lab.sandbox.start import Started, start
from sandbox.helpers.agent import ENTRY
from sandbox.helpers.rooms import room

LAB = f"bench-room-{os.getpid()}"


def rows() -> Iterator[Row]:
    """Each beside what comes closest among ordinary programs."""
    yield Row("room with internet and c1, from nothing", median_ms(_cycle, 9, _gone), "<= 350 ms", *_bare_start())
    _gone()
    with room(LAB, internet=True, containers=["c1"]) as made:
        enter = median_ms(lambda: subprocess.run([*join.command(LAB, "c1"), "true"], check=True))
        by_hand = ["nsenter", "-t", str(made.started.pid), "-U", "-m", "-n", "-p", "-u", "-i", "--preserve-credentials", "true"]
        yield Row("enter a node and run true", enter, "", "nsenter ... true", median_ms(lambda: subprocess.run(by_hand, check=True)))
        script = "import time; from netless_lab.sandbox import container; t = time.perf_counter(); container.launch('n'); "
        script += "print((time.perf_counter() - t) * 1000)"
        path = ":".join(entry for entry in sys.path if entry)
        launches = sorted(float(made.sh(f"PYTHONPATH='{path}' '{sys.executable}' -c \"{script}\"")) for _ in range(9))
        reference = median_ms(lambda: subprocess.run(["unshare", "-Urnmui", "true"], check=True))
        yield Row("start one more container", launches[4], "", "unshare ... true", reference)
    yield Row("all processes gone after SIGKILL of the agent", median_ms(_end, 9, _begin), "", note="4 processes in the room")
    yield Row("doctor", median_ms(examine, 5), "", "bare python3", _bare_python())


_running: list[Started] = []


def _begin() -> None:
    _gone()
    _running.append(start(LAB, ENTRY, argument=json.dumps({"internet": True, "containers": ["c1"]})))


def _cycle() -> None:
    _running.append(start(LAB, ENTRY, argument=json.dumps({"internet": True, "containers": ["c1"]})))


def _end() -> None:
    """Until PID 1 has ended, which the kernel lets it do only after every other process of its namespace (pid_namespaces(7))."""
    started = _running.pop()
    watched = os.pidfd_open(started.pid)
    os.kill(started.pid, signal.SIGKILL)
    select.select([watched], [], [])
    os.close(watched)
    started.close()


def _gone() -> None:
    while _running:
        _end()
    while any(lab.lab == LAB for lab in find.labs()):
        time.sleep(0.001)


def _bare_python() -> float:
    return median_ms(lambda: subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True))


def _bare_start() -> tuple[str, float]:
    command = ["unshare", "-Urnmpuif", sys.executable, "-I", "-S", "-c", "import asyncio"]
    return "unshare, python3 -c 'import asyncio'", median_ms(lambda: subprocess.run(command, check=True), 9)
