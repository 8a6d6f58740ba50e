"""What the session does with packets: probes become journeys, the learner's traffic too, bytes and files can be had, floods are bounded."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, TypeVar

import msgspec
import pytest

from helpers.sandboxed import sandboxed, sh
from helpers.waiting import becomes
from helpers.wires import Nodes, inside, started, wired
from netless_lab import protocol
from netless_lab.errors import Refusal
from netless_lab.kernel import probe as probing
from netless_lab.kernel.evidence.lookout import Seen, Watching
from netless_lab.kernel.read import Reader
from netless_lab.model.journey import Journey
from netless_lab.model.probe import Outcome, Ping, Probe
from netless_lab.session.session import looks
from netless_lab.watching import following
from netless_lab.watching.following import Following
from netless_lab.watching.traffic import LONGEST_NS, QUIET_NS

SITE = "198.51.100.10"


R = TypeVar("R")


class Followed:
    """A wired lab, followed as a session does it."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes, self.reader = nodes, Reader()
        self.following = Following(self._hear, lambda error: None, lambda text: None)
        self.heard: list[Journey] = []
        self.skipped = 0
        self.look()

    def look(self) -> None:
        """Take a snapshot, as the session does after every change."""
        self.following.nodes(self.nodes, self.reader.snapshot(tuple(self.nodes.values())))

    async def send(self, probe: Probe) -> Outcome:
        """Send a probe as the judge does."""
        snapshot = self.reader.snapshot(tuple(self.nodes.values()))
        return await self.following.probe(probe, lambda: probing.run(probe, self.nodes, deadline_s=0.12, grace_s=0.06), snapshot)

    async def ask(self, request: protocol.Look[R]) -> R:
        """As a client asks for it."""
        stage: Any = SimpleNamespace(world=SimpleNamespace(following=self.following), views=SimpleNamespace(tell_status=lambda: None))
        asked: Any = request
        done = await looks(stage, asked)
        assert done is not None
        return request.reply(done)

    async def run(self, node: str, *argv: str) -> str:
        """A learner's command, while the loop goes on, and what it printed. What is told of its packets is still to come."""
        process = started(self.nodes, node, *argv)
        assert await becomes(lambda: process.poll() is not None, 60) and process.stdout is not None
        return process.stdout.read()

    def titles(self) -> list[str]:
        """What was told so far, without the groups that nodes join by themselves."""
        return [journey.title for journey in self.heard if "IGMP" not in journey.title]

    def _hear(self, journey: Journey, skipped: int) -> None:
        self.heard.append(journey)
        self.skipped += skipped


@asynccontextmanager
async def followed() -> AsyncIterator[Followed]:
    """A lab that somebody looks at."""
    with wired() as nodes:
        lab = Followed(nodes)
        lab.following.attend(True)
        await lab.following.ready()
        yield lab
        await lab.following.close()


@sandboxed
async def test_a_probe_becomes_a_journey() -> None:
    """Its journey is found by its outcome, has a number, and its packets can be looked into and saved."""
    async with followed() as lab:
        outcome = await lab.send(Ping("c1", SITE))
        journey = lab.following.journey_of(outcome)
        assert journey is not None and journey.complete and journey.id > 0
        last = await lab.ask(protocol.GetPacket(journey.id, len(journey.hops) - 1))
        assert [name for name, _ in last.layers][:3] == ["Ethernet", "IPv4", "ICMP"]
        saved = await lab.ask(protocol.GetCapture(journey.id))
        with open("/tmp/one.pcapng", "wb") as file:
            file.write(saved.pcapng)
        assert len(sh("unshare --user tcpdump -nn -r /tmp/one.pcapng").splitlines()) == saved.frames == len(journey.hops)
        assert await lab.ask(protocol.GetJourneys()) == (journey,)


@sandboxed
async def test_traffic_is_followed_for_nobody_who_has_hung_up() -> None:
    """Somebody asks for it and hangs up while room is made, or has hung up before: nothing is followed. Who asks while he watches gets it."""
    async with followed() as lab:
        asking = asyncio.create_task(lab.ask(protocol.Follow(True)))
        await asyncio.sleep(0)
        assert not asking.done()
        lab.following.attend(False)
        assert not (await asking).following
        assert not (await lab.ask(protocol.Follow(True))).following
        lab.following.attend(True)
        assert (await lab.ask(protocol.Follow(True))).following


@sandboxed
async def test_outcomes_alike_are_told_apart() -> None:
    """Two pings of which nothing differs but when they were sent: each has its own journey."""
    async with followed() as lab:
        snapshot = lab.reader.snapshot(tuple(lab.nodes.values()))

        async def send() -> Outcome:
            outcome = await probing.run(Ping("c1", SITE), lab.nodes, deadline_s=0.12, grace_s=0.06)
            return msgspec.structs.replace(outcome, text="", rtt_us=1.0, waited_ms=1.0, ident=1)

        first, second = [await lab.following.probe(Ping("c1", SITE), send, snapshot) for _ in range(2)]
        one, other = lab.following.journey_of(first), lab.following.journey_of(second)
        assert one is not None and other is not None and one.id != other.id


@sandboxed
async def test_probes_at_once_are_told_apart() -> None:
    """Twenty probes in flight together: each has its own journey, to its own target."""
    async with followed() as lab:
        targets = [SITE, "10.0.0.3", "10.0.0.1", "203.0.113.1"] * 5
        outcomes = await asyncio.gather(*(lab.send(Ping("c1", to)) for to in targets))
        journeys = [lab.following.journey_of(outcome) for outcome in outcomes]
        assert [journey and (journey.target, journey.complete) for journey in journeys] == [(to, True) for to in targets]
        asked = [{hop.dst for hop in journey.hops if hop.kind == "echo-request"} for journey in journeys if journey is not None]
        assert asked == [{to} for to in targets]


def taps(nodes: Nodes) -> dict[str, int]:
    """How many packet sockets there are in each node."""
    return {name: int(inside(nodes, name, "tail -n +2 /proc/net/packet | wc -l")) for name in nodes}


@sandboxed
async def test_nobody_looks_nothing_is_heard() -> None:
    """Without a client no tap is open, and a probe is sent all the same; somebody comes, and soon there are taps."""
    with wired() as nodes:
        lab = Followed(nodes)
        outcome = await lab.send(Ping("c1", SITE))
        assert outcome.result == "answered" and lab.following.journey_of(outcome) is None
        assert taps(nodes) == dict.fromkeys(nodes, 0)
        lab.following.attend(True)
        while lab.following.journey_of(await lab.send(Ping("c1", SITE))) is None:  # the sandbox has its time limit
            await asyncio.sleep(0)
        assert taps(nodes) == dict.fromkeys(nodes, 1)
        lab.following.attend(False)
        assert await becomes(lambda: taps(nodes) == dict.fromkeys(nodes, 0))
        await lab.following.close()


@sandboxed
async def test_the_learners_own_traffic() -> None:
    """On request a learner's pings are told as journeys, and the lab's own probes are not told twice."""
    async with followed() as lab:
        assert await lab.ask(protocol.Follow(True)) == protocol.FollowStatus(True)
        await lab.send(Ping("c1", "10.0.0.1"))
        await lab.run("c1", "ping", "-nqc2", "-i0.05", SITE)
        told = [f"10.0.0.2 > {SITE} echo request seq {n}" for n in (1, 2)]
        assert await becomes(lambda: len(lab.titles()) >= 2)
        assert lab.titles() == told
        assert all(journey.complete for journey in lab.heard) and lab.skipped == 0
        await lab.ask(protocol.Follow(False))
        await lab.run("c1", "ping", "-nqc2", "-i0.05", SITE)
        await lab.ask(protocol.Follow(True))
        await lab.run("c1", "ping", "-nqc1", "10.0.0.3")
        assert await becomes(lambda: len(lab.titles()) > 2)
        assert lab.titles() == [*told, "10.0.0.2 > 10.0.0.3 echo request seq 1"], "nothing of the time when it was off"


@sandboxed
async def test_a_flood_of_the_learners_is_sampled() -> None:
    """Twenty thousand pings: a few whole journeys are told, the rest is counted, none is called dead, and probes go on."""
    async with followed() as lab:
        await lab.ask(protocol.Follow(True))
        flood = asyncio.create_task(lab.run("c2", "ping", "-n", "-f", "-q", "-c", "20000", SITE))
        outcome = await lab.send(Ping("c1", "10.0.0.1"))
        await flood
        assert outcome.result == "answered"
        while "10.0.0.2 > 10.0.0.3 echo request seq 1" not in lab.titles():  # what was left out is told with the next one that is told
            await lab.run("c1", "ping", "-nqc1", "10.0.0.3")
            await becomes(lambda: "10.0.0.3" in "".join(lab.titles()), 0.5)
        assert len(lab.heard) > 1 and lab.skipped > 10_000 and len(lab.heard) < lab.skipped / 5
        assert all(journey.death is None for journey in lab.heard)


SERVER = """import socket
server = socket.create_server(("", 9001))
print("ready", flush=True)
client = server.accept()[0]
while client.recv(99): pass
"""
TALK = """import socket, time
client = socket.create_connection(("10.0.0.3", 9001))
asked = began = time.monotonic()
pauses = 0
while asked < began + 3 * LONGEST:
    before, asked = asked, time.monotonic()
    client.send(b"x")
    pauses += time.monotonic() - before > 0.8 * QUIET
    time.sleep(0.02)
print(pauses)
"""
"""Says how often it may have been silent indeed, kept waiting by a machine that had other things to do: from before one byte till after the next."""


async def talked(lab: Followed) -> int:
    """An endless conversation, followed, then a ping that is told; how often the conversation may have been silent."""
    server = started(lab.nodes, "c2", sys.executable, "-c", SERVER)
    assert server.stdout is not None and server.stdout.readline() == "ready\n"
    await lab.ask(protocol.Follow(True))
    pauses = int(await lab.run("c1", sys.executable, "-c", f"LONGEST = {LONGEST_NS / 1e9}\nQUIET = {QUIET_NS / 1e9}\n{TALK}"))
    server.wait()
    await lab.run("c1", "ping", "-nqc1", SITE)
    assert await becomes(lambda: f"10.0.0.2 > {SITE} echo request seq 1" in lab.titles())
    return pauses


@sandboxed
async def test_an_endless_conversation_is_told_once() -> None:
    """A connection that never falls silent is told after a while, not again and again; the rest of it is counted."""
    async with followed() as lab:
        pauses = await talked(lab)
        assert 1 <= len([journey for journey in lab.heard if ":9001" in journey.title]) <= 1 + pauses
        assert lab.skipped > 20


SINK = """import socket
server = socket.create_server(("", 9002))
print("ready", flush=True)
while True:
    with server.accept()[0] as client:
        while client.recv(1 << 20): pass
"""
FILE = "import socket; client = socket.create_connection((\"10.0.0.3\", 9002)); client.sendall(bytes(1 << 22))"


@sandboxed
async def test_of_large_packets_fewer_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are sent, in packets as large as they are inside a machine: what is kept of them is bounded by its bytes, and the last journey is whole."""
    monkeypatch.setattr(following, "KEPT_BYTES", most := 200_000)
    async with followed() as lab:
        server = started(lab.nodes, "c2", sys.executable, "-c", SINK)
        assert server.stdout is not None and server.stdout.readline() == "ready\n"
        await lab.ask(protocol.Follow(True))
        for number in range(1, 6):
            await lab.run("c1", sys.executable, "-c", FILE)
            assert await becomes(lambda: sum(":9002" in title for title in lab.titles()) >= number)  # noqa: B023  (it is awaited here)
        await lab.ask(protocol.Follow(False))
        kept, last = await lab.ask(protocol.GetJourneys()), lab.heard[-1]
        saved = await lab.ask(protocol.GetCapture(None))
        sizes = [len((await lab.ask(protocol.GetPacket(last.id, number))).data) for number in range(len(last.hops))]
        assert kept[-1].id == last.id and len(sizes) > 5
        assert len(kept) == 1 or sum(sizes) <= most
        assert len(saved.pcapng) - 100 * saved.frames <= most
        server.kill()


@sandboxed
async def test_who_is_not_listened_to_for_a_while_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still with the frames of a turn in its hands does not take for silence what it has not read yet."""
    take = Watching.take

    def held_up(watching: Watching) -> Seen:
        seen = take(watching)
        time.sleep(1.2 * QUIET_NS / 1e9)
        return seen

    monkeypatch.setattr(Watching, "take", held_up)
    async with followed() as lab:
        pauses = await talked(lab)
        assert 1 <= len([journey for journey in lab.heard if ":9001" in journey.title]) <= 1 + pauses


@sandboxed
async def test_questions_that_cannot_be_answered() -> None:
    """A journey that is not kept, a hop it does not have: each is refused in words."""
    async with followed() as lab:
        outcome = await lab.send(Ping("c1", "10.0.0.1"))
        journey = lab.following.journey_of(outcome)
        assert journey is not None
        with pytest.raises(Refusal, match="is not kept"):
            await lab.ask(protocol.GetPacket(999, 0))
        with pytest.raises(Refusal, match=r"has \d+ hops"):
            await lab.ask(protocol.GetPacket(journey.id, 99))


@sandboxed
async def test_an_investigation_is_kept_like_any_journey() -> None:
    """Its frames can be saved, and it is found by its outcome."""
    async with followed() as lab:
        sh("sysctl -qw net.ipv4.ip_forward=0")
        evidence = await lab.following.investigate(Ping("c1", SITE), lab.nodes, lab.reader)
        assert evidence.journey.id > 0 and lab.following.journey_of(evidence.outcome) == evidence.journey
        assert (await lab.ask(protocol.GetCapture(evidence.journey.id))).frames == len(evidence.journey.hops) > 0
