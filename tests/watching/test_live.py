"""Who changed what: the tutor what is seen while it is at work, also when it fails; and nothing that happened then is missed."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import pytest

from netless_lab.model.snapshot import Link, Neighbour, Node, Snapshot
from netless_lab.protocol import ChangesEvent, Message, SnapshotEvent
from netless_lab.watching.live import Deed, Live, News


class Lab:
    """A lab with the links and neighbours that it is given; ``broken`` looks that fail first."""

    def __init__(self) -> None:
        self.news, self.links, self.broken = News(), ["lo"], 0
        self.neighbours: tuple[Neighbour, ...] = ()
        self.seen = Snapshot()

    async def latest(self, *, learned: bool = False) -> Snapshot:
        """There is always something new."""
        return await self.look()

    async def look(self) -> Snapshot:
        """As a lab does."""
        if self.broken:
            self.broken -= 1
            raise OSError("out of files")
        links = tuple(Link(name, number, "dummy", up=False, carrier=False, mtu=1500) for number, name in enumerate(self.links, 1))
        self.seen = Snapshot((Node("host", "host", 1, links=links, neighbours=self.neighbours),))
        return self.seen


@pytest.mark.parametrize("broken", [0, 1])
async def test_what_a_failing_tutor_leaves_behind_is_its_own(broken: int) -> None:
    """A rebuild fails halfway: what it has done is seen at once and called the tutor's; where even a look fails then, the news is not lost."""
    lab, told, deeds = Lab(), list[Message](), list[Deed]()
    live = Live(lab, told.append, deeds.append, lambda snapshot: None, lambda error: None)
    live.last = await lab.look()
    heard = lab.news.count
    with pytest.raises(RuntimeError, match="no thread"):
        async with live.tutor_at_work():
            lab.links.append("veth1")
            lab.broken = broken
            raise RuntimeError("no thread")
    whose = [event.who for event in told if isinstance(event, ChangesEvent)]
    assert (whose, lab.news.count - heard) == ((["tutor"], 0) if not broken else ([], 1))
    assert not deeds


async def test_a_neighbour_known_as_before_is_no_news() -> None:
    """What the kernel's timers do with an entry shows in the picture and is not told; learnt, unanswered, another MAC, by hand and gone are."""
    lab, told = Lab(), list[Message]()
    live = Live(lab, told.append, lambda deed: None, lambda snapshot: None, lambda error: None)
    live.last = await lab.look()

    async def said(*entries: Neighbour) -> list[str]:
        told.clear()
        lab.neighbours = entries
        await live.refresh()
        assert [event.snapshot for event in told if isinstance(event, SnapshotEvent)] == [lab.seen]
        return [line.sentence for event in told if isinstance(event, ChangesEvent) for line in event.lines]

    known = Neighbour("10.0.0.2", "br0", "0e:00:00:00:00:02", "reachable")
    assert await said(known) == ["the host learned that 10.0.0.2 is at 0e:00:00:00:00:02 on br0"]
    for state in ("stale", "delay", "probe", "reachable", "probe", "stale", "reachable"):
        assert await said(msgspec.structs.replace(known, state=state)) == []
    assert await said(msgspec.structs.replace(known, mac="0e:00:00:00:00:09")) == ["the host now finds 10.0.0.2 at 0e:00:00:00:00:09 (was 0e:00:00:00:00:02)"]
    assert await said(msgspec.structs.replace(known, state="failed")) == ["nobody answered the host on br0 for 10.0.0.2"]
    assert await said(known) == ["the host learned that 10.0.0.2 is at 0e:00:00:00:00:02 on br0"]
    assert await said(msgspec.structs.replace(known, state="permanent")) == [
        "the host was told by hand that 10.0.0.2 is at 0e:00:00:00:00:02 on br0"
    ]
    assert await said() == ["the host forgot where 10.0.0.2 is: it had been told by hand"]


@pytest.mark.parametrize("ends", ["quietly", "cut off"])
async def test_what_came_while_the_tutor_was_at_work_is_seen_though_it_does_not_look(ends: str) -> None:
    """The tutor begins, the learner types, and the tutor ends without a look, or is cut off: what was typed is seen, and is the learner's."""
    lab, deeds = Lab(), list[Deed]()
    live = Live(lab, lambda message: None, deeds.append, lambda snapshot: None, lambda error: None)
    await live.begin()
    typed, rest = asyncio.Event(), asyncio.Event()

    async def tutor() -> None:
        async with live.tutor_at_work():
            lab.links.append("veth1")
            lab.news.tell()
            for _ in range(20):
                await asyncio.sleep(0)
            typed.set()
            await rest.wait()

    working = asyncio.create_task(tutor())
    await typed.wait()
    assert not deeds
    if ends == "quietly":
        rest.set()
    else:
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    for _ in range(20):
        await asyncio.sleep(0)
    assert [[link.name for link in deed.after.nodes[0].links] for deed in deeds] == [["lo", "veth1"]]
