"""Labs of many nodes, and of more than there is room for: what is listened to goes on, the rest is named, and memory has a bound."""

from __future__ import annotations

import asyncio
import re
import resource

from helpers.files import no_file_to_spare
from helpers.sandboxed import sandboxed, sh
from helpers.waiting import becomes
from helpers.wires import Nodes, inside, wired
from netless_lab.kernel import probe as probing
from netless_lab.kernel.capture.ring import SLOT
from netless_lab.kernel.capture.taps import FOLLOWED, MEMORY, PROBED, Taps, memory_for
from netless_lab.kernel.evidence.lookout import Lookout
from netless_lab.kernel.namespace import Namespace, call_in_new
from netless_lab.kernel.read import NodeRef, Reader
from netless_lab.model.journey import Journey
from netless_lab.model.probe import Outcome, Ping
from netless_lab.watching.following import SETTLE_S, Following

SITE = "198.51.100.10"


class Followed:
    """A wired lab, followed as a session does it, and what it told of itself."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes, self.reader = nodes, Reader()
        self.told: list[str] = []
        self.following = Following(lambda journey, skipped: None, lambda error: None, self.told.append)

    def attend(self, *names: str) -> None:
        """These are the nodes of the lab now."""
        refs = {name: self.nodes[name] for name in names}
        self.following.nodes(refs, self.reader.snapshot(tuple(refs.values())))

    async def journey(self, node: str, to: str) -> tuple[Outcome, Journey | None]:
        """A ping and what was seen of it."""
        probe, snapshot = Ping(node, to), self.reader.snapshot(tuple(self.nodes.values()))
        outcome = await self.following.probe(probe, lambda: probing.run(probe, self.nodes, deadline_s=0.12, grace_s=0.06), snapshot)
        return outcome, self.following.journey_of(outcome)


@sandboxed
async def test_a_node_that_cannot_be_listened_to_takes_no_other_along() -> None:
    """One node too many for the open files: probes between the others are followed, it is told which one is not, and what it does with a
    packet is not guessed. When there is room again it is heard too.
    """
    with wired() as nodes:
        lab = Followed(nodes)
        lab.attend("host", "net", "c1")
        lab.following.attend(True)
        await lab.following.ready()
        inside(nodes, "c2", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all")
        with no_file_to_spare():
            lab.attend(*nodes)
            assert await becomes(lambda: lab.following.unheard == {"c2"})
            outcome, journey = await lab.journey("c1", SITE)
            assert outcome.result == "answered" and journey is not None and journey.complete and journey.unheard == ()
            outcome, journey = await lab.journey("c1", "10.0.0.3")
            assert outcome.result == "failed" and journey is not None and journey.unheard == ("c2",) and journey.death is None
            outcome, journey = await lab.journey("c1", "10.0.0.9")
            assert journey is not None and journey.unheard == () and journey.death is not None, "that c2 is not heard does not matter here"
        assert len(lab.told) == 1 and "c2" in lab.told[0] and "files" in lab.told[0]
        await lab.following.ready()
        assert lab.following.unheard == frozenset()
        outcome, journey = await lab.journey("c1", "10.0.0.3")
        assert journey is not None and journey.death is not None and journey.death.node == "c2"
        await lab.following.close()


@sandboxed
async def test_what_is_missing_of_many_nodes_is_one_line() -> None:
    """Thirty nodes that are not heard for the same reason are told together, by name as far as a line has room."""
    with wired() as nodes:
        lookout = Lookout()
        refs = [NodeRef(f"many{number}", "unknown", call_in_new(Namespace.own)) for number in range(30)]
        with no_file_to_spare():
            await lookout.attend((*nodes.values(), *refs))
            missing = lookout.missing
            assert 0 < len(missing) <= 2, missing
            assert all(len(line) < 200 and "host" in line and re.search(r"and \d+ more", line) for line in missing)
        await lookout.close()


@sandboxed
async def test_what_is_only_quicker_leaves_room_for_what_is_heard() -> None:
    """A reader keeps files of as many nodes open as it may; all of them are listened to nevertheless."""
    refs = [NodeRef(f"many{number}", "unknown", call_in_new(Namespace.own)) for number in range(40)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, hard))
    reader, lookout = Reader(), Lookout()
    assert len(reader.snapshot(refs).nodes) == 40
    await lookout.attend(refs)
    assert lookout.missing == () and len(lookout.taps.nodes) == 40
    assert len(reader.snapshot(refs).nodes) == 40
    await lookout.close()
    reader.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def mapped() -> int:
    """Bytes of all rings, as the kernel lists this process's maps: each of a packet socket."""
    found = 0
    with open("/proc/self/maps", encoding="ascii") as file:
        for line in file:
            if "socket:[" in line:
                begin, end = line.split()[0].split("-")
                found += int(end, 16) - int(begin, 16)
    return found


@sandboxed
async def test_the_rings_of_a_lab_that_grows_have_one_bound() -> None:
    """Nodes that come one after the other take no more memory together than as many that were there at once, and those who listen go on."""
    sh("ip link set lo up")
    taps = Taps()
    taps.slots = FOLLOWED
    own = NodeRef("host", "host", Namespace.own())
    heard: list[str] = []
    refs = [own]
    await taps.attend(refs)
    taps.listen(lambda frames: heard.extend(frame.node for frame in frames))
    for number in range(150):
        refs.append(NodeRef(f"many{number}", "unknown", call_in_new(Namespace.own)))
        if number < 10 or number % 20 == 9:
            await taps.attend(refs)
            assert 0 < mapped() <= MEMORY
            heard.clear()
            sh("ping -nqc1 127.0.0.1")
            taps.drain()
            assert heard.count("host") == 4, "on lo request and answer are seen going out and coming in"
    assert taps.missing == () and len(taps.nodes) == 151
    assert taps.lost() == 0
    await taps.close()
    assert mapped() == 0


@sandboxed
async def test_room_for_a_flood_is_taken_while_traffic_is_followed() -> None:
    """A lab that is only looked at has rings as large as probes need. There is room for all that passes before the learner's own traffic
    is followed, and it is given back when it no more is.
    """
    with wired() as nodes:
        lab = Followed(nodes)
        lab.attend(*nodes)
        lab.following.attend(True)
        await lab.following.ready()
        assert mapped() == len(nodes) * PROBED * SLOT
        for _ in range(2):
            await lab.following.overhear()
            assert mapped() >= len(nodes) * FOLLOWED * SLOT, "those of before may not be gone yet"
            lab.following.overhear_no_more()
            assert await becomes(lambda: mapped() == len(nodes) * PROBED * SLOT)
        await lab.following.overhear()
        lab.following.attend(False)
        assert await becomes(lambda: mapped() == 0)
        lab.following.attend(True)
        await lab.following.ready()
        assert mapped() == len(nodes) * PROBED * SLOT
        await lab.following.close()


@sandboxed
async def test_room_is_given_back_whenever_it_is_no_more_needed() -> None:
    """Traffic is followed for a moment just when the nodes begin to be listened to: the rings become small again all the same."""
    with wired() as nodes:
        lab = Followed(nodes)
        lab.attend(*nodes)
        for round_ in range(20):
            lab.following.attend(True)
            await asyncio.sleep(SETTLE_S * (0.95 + round_ / 200))  # around the moment at which they are
            await lab.following.overhear()
            lab.following.overhear_no_more()
            assert await becomes(lambda: mapped() == len(nodes) * PROBED * SLOT)
            lab.following.attend(False)
            assert await becomes(lambda: mapped() == 0)
        await lab.following.close()


def test_a_small_machine_gives_less_memory() -> None:
    """However many labs are opened on it, one after the other, a machine of 1 GiB keeps most of what it had: each takes a part of the rest."""
    available = first = 700 << 20
    for _ in range(30):
        available -= memory_for(available)
    assert available > first // 4
    assert memory_for(64 << 30) == MEMORY
    assert memory_for(0) > 0
