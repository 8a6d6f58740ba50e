"""Broadcast storms: a loop of bridges is found, a real storm is ended and named, and a loop in which nothing circles is left alone."""

from __future__ import annotations

import asyncio

from helpers.sandboxed import sandboxed, sh
from helpers.wires import Nodes, inside, wired
from netless_lab.kernel.read import Reader
from netless_lab.model.loops import loops
from netless_lab.model.snapshot import Snapshot
from netless_lab.session.storm import StormGuard

SECOND_BRIDGE = """sysctl -qw net.ipv6.conf.default.disable_ipv6=1
for b in br0 br1; do ip link add $b type bridge 2>/dev/null || true; ip link set $b type bridge mcast_snooping 0; ip link set $b up; done
for n in 1 2; do ip link add a$n type veth peer name b$n; ip link set a$n master br0 up; ip link set b$n master br1 up; done"""


def look(nodes: Nodes) -> Snapshot:
    """A snapshot of every node."""
    return Reader().snapshot(tuple(nodes.values()))


def forwarding() -> bool:
    """Whether all four ports between the bridges forward, and the container's, by bridge(8)."""
    return sh("bridge -o link").count("state forwarding") == 5


async def joined() -> None:
    """Join a second bridge by two cables, and wait until their ports forward."""
    sh(SECOND_BRIDGE)
    for _ in range(100):
        if forwarding():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the ports never came to forward")


@sandboxed
async def test_a_storm_is_ended_and_named() -> None:
    """One ARP question between two bridges joined twice goes round for ever; the guard switches one cable off and says why."""
    with wired("c1") as nodes:
        told: list[str] = []
        guard = StormGuard()

        async def stop(node: str, link: str, text: str) -> None:
            assert node == "host"
            sh(f"ip link set {link} down")
            told.append(text)
            guard.consider(look(nodes), nodes)

        guard.stop = stop
        guard.consider(look(nodes), nodes)
        await joined()
        guard.consider(look(nodes), nodes)
        inside(nodes, "c1", "ping -nqc1 -W0.1 10.0.0.77 || true")
        for _ in range(200):
            if told:
                break
            await asyncio.sleep(0.05)
        guard.close()
        assert len(told) == 1 and told[0].startswith("A broadcast storm: bridges br")
        assert "are joined by more than one way" in told[0] and "stp_state 1" in told[0]
        assert loops(look(nodes)) == ()
        first = rx("b1")
        await asyncio.sleep(0.2)
        assert rx("b1") - first < 100, "something still goes round"


def rx(link: str) -> int:
    """Frames a link has received."""
    with open("/proc/net/dev", encoding="ascii") as file:
        return next(int(line.split(":")[1].split()[1]) for line in file if line.strip().startswith(f"{link}:"))


@sandboxed
async def test_a_quiet_loop_is_left_alone() -> None:
    """As long as nothing goes round, nothing is switched off."""
    with wired("c1") as nodes:
        stopped: list[str] = []
        guard = StormGuard()

        async def stop(node: str, link: str, text: str) -> None:
            stopped.append(link)

        guard.stop = stop
        await joined()
        guard.consider(look(nodes), nodes)
        await asyncio.sleep(0.8)
        guard.close()
        assert stopped == [] or rx("b1") > 10_000


@sandboxed
async def test_what_is_a_loop() -> None:
    """Two cables make one, one cable none; a port that is down, blocked or on a bridge with spanning tree breaks it."""
    with wired("c1") as nodes:
        assert loops(look(nodes)) == ()
        await joined()
        (loop,) = loops(look(nodes))
        assert {node for node, _ in loop.ports} == {"host"} and {name for _, name in loop.bridges} == {"br0", "br1"}
        sh("bridge link set dev b2 state 0")
        assert loops(look(nodes)) == ()
        sh("bridge link set dev b2 state 3; ip link set a1 down")
        assert loops(look(nodes)) == ()
        sh("ip link set a1 up; ip link set b1 nomaster; ip link set b2 master br0")
        sh("bridge link set dev b2 state 3; bridge link set dev a2 state 3")
        (own,) = loops(look(nodes))
        assert "back into the same bridge" in own.sentence()
