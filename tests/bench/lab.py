"""The lab as a whole: ready from nothing, goto, reset, moving at random, and a change seen by everybody."""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.row import Row, median_ms, stopwatch
from helpers.counted import counted, happened
from helpers.running import Running, running
from netless_lab.protocol import SnapshotEvent, VerdictEvent

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS = """
set -e
ip netns attach c1 $PID
ip -n c1 link set lo up
ip link add veth1 type veth peer name veth2
ip link set veth1 netns c1
ip -n c1 addr add 10.0.0.2/24 dev veth1
ip -n c1 link set veth1 up
ip link add br0 type bridge
ip link set veth2 master br0
ip addr add 10.0.0.1/24 dev br0
ip link set br0 up
ip link set veth2 up
ip -n c1 route add default via 10.0.0.1
sysctl -qw net.ipv4.ip_forward=1
nft add table ip lab
nft 'add chain ip lab postrouting { type nat hook postrouting priority srcnat; policy accept; }'
nft 'add rule ip lab postrouting ip saddr 10.0.0.0/24 oifname != "br0" counter masquerade'
nft 'add chain ip lab forward { type filter hook forward priority filter; policy drop; }'
nft 'add rule ip lab forward iifname "br0" counter accept'
nft 'add rule ip lab forward ct state established,related counter accept'
until ip netns exec c1 ping -n -c1 -W1 -q 198.51.100.10 >/dev/null; do :; done
"""
"""The same network by iproute2 and nft, one command a line, with the ping that proves it."""


def rows() -> Iterator[Row]:
    """One lab for all rows but the first."""
    yield _ready()
    with running() as lab:
        yield _goto(lab)
        yield _reset(lab)
        yield _jumps(lab)
        yield from _typed(lab)
    yield from _looks()


def _ready() -> Row:
    taken = []
    for _ in range(7):
        with stopwatch() as elapsed:
            manager = running()
            manager.__enter__()
        taken.append(elapsed[0])
        manager.__exit__(None, None, None)
    bare = ["unshare", "-Urnm", "--pid", "--fork", sys.executable, "-c", "import asyncio"]
    reference = median_ms(lambda: subprocess.run(bare, check=True), 7)
    return Row("lab ready from nothing", statistics.median(taken), "<= 350 ms", "bare unshare + python with asyncio", reference)


def _goto(lab: Running) -> Row:
    ours = median_ms(lambda: lab.goto("container/internet", end=True), 15, before=lambda: lab.reset("lab"))

    def by_commands() -> float:
        lab.reset("lab")
        pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
        text = lab.sh(f"PID={pid}; start=$(date +%s%N); {COMMANDS}\necho TOOK $(( ($(date +%s%N) - start) / 1000 ))")
        return int(text.rsplit("TOOK", 1)[1]) / 1000

    reference = statistics.median(by_commands() for _ in range(7))
    lab.reset("lab")
    return Row("goto container/internet --end", ours, "<= 0.5 of reference", "the same by ip and nft commands", reference, _mininet())


def _mininet() -> str:
    if shutil.which("mn") is None:
        return "mininet is not installed"
    begin = time.perf_counter()
    command = ["unshare", "-n", "-m", "-p", "-f", "--mount-proc", "mn", "--switch", "lxbr", "--controller", "none", "--test", "pingall"]
    done = subprocess.run(command, capture_output=True, check=False)
    took = (time.perf_counter() - begin) * 1000
    return f"mininet, 2 hosts and pingall: {took:.0f} ms" if done.returncode == 0 else "mininet does not run here"


def _reset(lab: Running) -> Row:

    def build() -> None:
        lab.goto("container/internet", end=True)

    ours = median_ms(lambda: lab.reset("lab"), 15, before=build)

    def by_commands() -> float:
        build()
        text = lab.sh("start=$(date +%s%N); ip link del veth2; ip link del br0; echo TOOK $(( ($(date +%s%N) - start) / 1000 ))")
        return int(text.rsplit("TOOK", 1)[1]) / 1000

    reference = statistics.median(by_commands() for _ in range(7))
    lab.reset("lab")
    return Row("reset of the lab", ours, "<= 40 ms", "ip link del of its two devices", reference)


def _jumps(lab: Running) -> Row:
    places = [f"{lesson.id}/{step.id}" for lesson in lab.status().course.lessons for step in lesson.steps]
    chance = random.Random(7)
    taken = []
    for _ in range(100):
        place, end = chance.choice(places), chance.random() < 0.5
        with stopwatch() as elapsed:
            lab.goto(place, end=end)
        taken.append(elapsed[0])
    taken.sort()
    note = f"median {statistics.median(taken):.0f} ms, worst {taken[-1]:.0f} ms"
    return Row("goto, 100 random jumps, p95", taken[94], "<= 250 ms", note=note)


def _typed(lab: Running) -> Iterator[Row]:
    """From the command's end in another terminal until the events arrive at a client."""
    for title, step, command, undo, reach in (
        (
            "typed command, until its verdict arrives, p95",
            "cable/pair",
            "ip link add veth1 type veth peer name veth2",
            "ip link del veth1",
            "<= 150 ms",
        ),
        ("the same with probes, p95", "switch/port-up", "ip link set veth2 up", "ip link set veth2 down", "<= 300 ms"),
    ):
        lab.goto(step)
        verdicts, snapshots = [], []
        for _ in range(20):
            took = _until(lab, command)
            verdicts.append(took[1])
            snapshots.append(took[0])
            lab.sh(undo)
            time.sleep(0.15)
        verdicts.sort()
        snapshots.sort()
        yield Row(
            title, verdicts[-2], reach, "until the change itself arrives", snapshots[-2], f"median {statistics.median(verdicts):.0f} ms"
        )


def _until(lab: Running, command: str) -> tuple[float, float]:
    """Milliseconds until the snapshot event, and until the passing verdict, from the moment the command ended."""
    lab.status()
    lab.events.clear()
    stamp = float(lab.sh(f"{command} && date +%s%N").strip()) / 1e9
    seen = judged = 0.0
    end = time.time() + 5
    while not judged and time.time() < end:
        for event in lab.events:
            if isinstance(event, SnapshotEvent) and not seen:
                seen = event.snapshot.taken / 1e9
            if isinstance(event, VerdictEvent) and event.verdict.passed and not judged:
                judged = time.time()
        lab.events.clear()
        if not judged:
            lab.status()
    return (seen - stamp) * 1000, (judged - stamp) * 1000


def _looks() -> Iterator[Row]:
    """How often every node is read for one change that is judged, from the command until its verdict has come."""
    with counted() as lab:
        for title, step, command, undo in (
            ("snapshots a judged change", "cable/pair", "ip link add veth1 type veth peer name veth2", "ip link del veth1"),
            ("the same with probes", "switch/port-up", "ip link set veth2 up", "ip link set veth2 down"),
        ):
            lab.goto(step)
            counts = []
            for _ in range(10):
                begin = time.monotonic_ns()
                _until(lab, command)
                counts.append(happened(lab, begin, time.monotonic_ns()).count("look"))
                lab.sh(undo)
                time.sleep(0.15)
            yield Row(title, statistics.median(counts), "1", unit="", note=f"{min(counts)} to {max(counts)}")
