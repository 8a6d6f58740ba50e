"""Broadcast storms: a loop of bridges is found, a real storm is ended and named, and a loop in which nothing circles is left alone."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.sandboxed import sandboxed, sh
from helpers.waiting import becomes
from helpers.wires import Nodes, inside, wired
from netless_lab.errors import ApplyError
from netless_lab.kernel.evidence.counters import received
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.read import Reader
from netless_lab.model.loops import Loop, loops
from netless_lab.model.snapshot import Snapshot
from netless_lab.primitives.updown import LinkDown
from netless_lab.session.stage import Stage
from netless_lab.watching import storm
from netless_lab.watching.live import Live, News
from netless_lab.watching.storm import StormGuard

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
    assert await becomes(forwarding), "the ports never came to forward"


class Guarded:
    """A guard at work in the lab: what it said of the links it switched off, and how often it looked."""

    def __init__(self, nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nodes, self.looks = nodes, 0
        self.told: list[str] = []
        self.guard = StormGuard(self._stop, lambda error: None)
        monkeypatch.setattr(storm, "received", self._received)

    def consider(self) -> None:
        """As the session does after every change."""
        self.guard.consider(look(self.nodes), self.nodes)

    async def _stop(self, node: str, link: str, text: str) -> None:
        assert node == "host"
        sh(f"ip link set {link} down")
        self.told.append(text)
        self.consider()

    def _received(self, namespace: Namespace) -> dict[str, int]:
        self.looks += 1
        return received(namespace)


def start_a_storm(nodes: Nodes) -> None:
    """One ARP question goes round for ever."""
    inside(nodes, "c1", "ping -nqc1 -W0.1 10.0.0.77 || true")


def rx(link: str) -> int:
    """Frames a link has received."""
    with open("/proc/net/dev", encoding="ascii") as file:
        return next(int(line.split(":")[1].split()[1]) for line in file if line.strip().startswith(f"{link}:"))


def goes_round() -> bool:
    """Whether frames circle. One that does passes by every few microseconds."""
    before = rx("b1") + rx("b2")
    time.sleep(0.05)
    return rx("b1") + rx("b2") - before > 100


@sandboxed
async def test_a_storm_is_ended_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One ARP question between two bridges joined twice goes round for ever; the guard switches one cable off and says why."""
    with wired("c1") as nodes:
        own = Guarded(nodes, monkeypatch)
        own.consider()
        await joined()
        start_a_storm(nodes)
        assert goes_round(), "there is no storm"
        own.consider()
        assert await becomes(lambda: own.told)
        own.guard.close()
        assert len(own.told) == 1 and own.told[0].startswith("A broadcast storm: bridges br")
        assert "are joined by more than one way" in own.told[0] and "stp_state 1" in own.told[0]
        assert loops(look(nodes)) == ()
        off = [entry["ifname"] for entry in json.loads(sh("ip -j link")) if "UP" not in entry["flags"] and entry.get("master")]
        assert len(off) == 1 and f" {off[0]} was switched off" in own.told[0], (off, own.told)
        assert await becomes(lambda: not goes_round()), "something still goes round"


@sandboxed
async def test_a_quiet_loop_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing goes round, nothing is switched off, however often the guard looks; then something does, and it is."""
    with wired("c1") as nodes:
        own = Guarded(nodes, monkeypatch)
        await joined()
        sh("for n in a1 a2 b1 b2; do bridge link set dev $n flood off mcast_flood off bcast_flood off; done")
        monkeypatch.setattr(storm, "LOOK_S", 0.05)
        own.consider()
        assert len(loops(look(nodes))) == 1
        assert await becomes(lambda: own.looks > 10)
        assert own.told == []
        sh("for n in a1 a2 b1 b2; do bridge link set dev $n flood on mcast_flood on bcast_flood on; done")
        start_a_storm(nodes)
        assert await becomes(lambda: own.told)
        own.guard.close()


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


class Lab:
    """A wired lab as a stage has it: looked at, and written to."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes, self.news, self.seen = nodes, News(), Snapshot()
        self.refuses = False

    async def latest(self, *, learned: bool = False) -> Snapshot:
        """There is always something new."""
        return await self.look()

    async def look(self) -> Snapshot:
        """As a lab does."""
        self.seen = look(self.nodes)
        return self.seen

    async def write(self, actions: tuple[LinkDown, ...]) -> None:
        """Switch links of the host off, unless it ``refuses``."""
        if self.refuses:
            raise ApplyError("no such link")
        for action in actions:
            sh(f"ip link set {action.name} down")


class Staged:
    """As much of a stage as the end of a storm needs, with what it told and what stands in its history."""

    def __init__(self, nodes: Nodes) -> None:
        self.world = Lab(nodes)
        self.live = Live(self.world, lambda message: None, lambda burst: None, lambda snapshot: None, lambda error: None)
        self.told: list[str] = []
        self.done: list[str] = []
        self.judged: list[Snapshot] = []
        self.stage: Any = SimpleNamespace(
            live=self.live,
            world=self.world,
            note=self.told.append,
            history=SimpleNamespace(did=lambda actions, before_it, sentence, position: self.done.append(sentence)),
            state=SimpleNamespace(position=""),
            mode=SimpleNamespace(on_change=lambda snapshot, by_somebody: self.judged.append(snapshot)),
        )

    async def end_storm(self, loop: Loop) -> None:
        """As the guard asks for it."""
        await Stage._end_storm(self.stage, *loop.ports[0], "it was switched off")


@pytest.mark.parametrize("refuses", [False, True])
@sandboxed
async def test_what_could_not_be_switched_off_is_not_said_to_be(refuses: bool) -> None:
    """The kernel refuses: nothing was done, and so nothing is told, nothing stands in the history and nothing is judged."""
    with wired("c1") as nodes:
        await joined()
        own = Staged(nodes)
        own.world.refuses = refuses
        (loop,) = loops(await own.world.look())
        await own.end_storm(loop)
        assert (len(own.told), len(own.done), len(own.judged), len(loops(look(nodes)))) == ((0, 0, 0, 1) if refuses else (1, 1, 1, 0))


@sandboxed
async def test_a_storm_is_not_ended_in_the_middle_of_other_work() -> None:
    """While the tutor builds the lab anew its links are its own: the end of a storm waits, and where the loop is gone by then, ends nothing."""
    with wired("c1") as nodes:
        await joined()
        own = Staged(nodes)
        (loop,) = loops(await own.world.look())
        (_, link) = loop.ports[0]
        async with own.live.tutor_at_work():
            sh(f"ip link del a1; ip link del a2; ip link add {link} type veth peer name far; ip link set {link} up")
            ending = asyncio.create_task(own.end_storm(loop))
            for _ in range(10):
                await asyncio.sleep(0)
            await own.world.look()
        await ending
        assert "UP" in json.loads(sh(f"ip -j link show {link}"))[0]["flags"]
        assert not own.told and not own.done
