"""Who changed what: the tutor what is seen while it is at work, also when it fails; and nothing that happened then is missed."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from netless_lab.model.snapshot import Link, Node, Snapshot
from netless_lab.protocol import ChangesEvent, Message
from netless_lab.watching.live import Deed, Live, News


class Lab:
    """A lab with the links that it is given; ``broken`` looks that fail first."""

    def __init__(self) -> None:
        self.news, self.links, self.broken = News(), ["lo"], 0
        self.seen = Snapshot()

    def told_nothing(self) -> bool:
        """There is always something."""
        return False

    async def look(self) -> Snapshot:
        """As a lab does."""
        if self.broken:
            self.broken -= 1
            raise OSError("out of files")
        links = tuple(Link(name, number, "dummy", up=False, carrier=False, mtu=1500) for number, name in enumerate(self.links, 1))
        self.seen = Snapshot((Node("host", "host", 1, links=links),))
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
