"""What a purge brings back is read when it is first needed; where that fails, whoever needs it next has it read again. Looking for it gives way.
So is the lab looked at again by whoever wants to know, when a look has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import subprocess
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.sandboxed import sandboxed
from helpers.wires import own_node
from netless_lab.kernel import ipsec
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.settings import Difference, Settings
from netless_lab.model.clearing import Things
from netless_lab.session.world import World
from netless_lab.watching.following import Following
from netless_lab.watching.storm import StormGuard


class Spoiled:
    """A ground of one node, which cannot be looked at the first time: it fails when it is let."""

    def __init__(self, error: Exception) -> None:
        self.error, self.let, self.asked = error, threading.Event(), 0
        host = own_node()
        unasked: Any = lambda *asked, **also: None  # noqa: E731
        self.ground: Any = SimpleNamespace(
            refs=lambda: (host,), remember=self._remember, settle=unasked, release=unasked, tune=unasked, written=lambda ref: Things(),
            agent_pid=1, limits="",
        )

    def _remember(self) -> None:
        self.asked += 1
        if self.asked == 1:
            self.let.wait(10)
            raise self.error


async def nothing(node: str, link: str, text: str) -> None:
    """No storm is ended here."""


def world_on(ground: Any) -> World:
    """A world that stands on this ground, and tells nobody of anything."""
    following = Following(lambda journey, skipped: None, lambda error: None, lambda text: None)
    return World(lambda on_end: ground, following, StormGuard(nothing, lambda error: None), lambda name: None)


@sandboxed
async def test_a_look_that_failed_has_seen_nothing() -> None:
    """There is no file left to look with, whoever looks first (ip made a link before): when there is, the next who asks for the latest sees the link,
    though the kernel has told of nothing since.
    """
    world = world_on(Spoiled(OSError()).ground)
    await world.look()
    subprocess.run(["ip", "link", "add", "one", "type", "bridge"], check=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, hard))
    with pytest.raises(OSError, match="Too many open files"):
        await world.look()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "one" in [link.name for link in (await world.latest()).nodes[0].links]


@sandboxed
async def test_a_look_that_is_given_up_ends_with_its_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb begins while what no picture shows is looked at: the next that is done to the lab waits for one question to the kernel, and not for all
    of a node.
    """
    spoiled = Spoiled(OSError())
    spoiled.asked = 1  # nothing fails here
    world = world_on(spoiled.ground)
    await world.look()
    world._origin.baseline = world.seen
    asking, later = threading.Event(), list[Namespace]()
    differences, told = Settings.differences, ipsec.told

    def slow(settings: Settings, namespace: Namespace) -> tuple[Difference, ...]:
        asking.set()
        spoiled.let.wait(10)
        return differences(settings, namespace)

    def asked(namespace: Namespace) -> tuple[str, ...]:
        later.append(namespace)
        return told(namespace)

    monkeypatch.setattr(Settings, "differences", slow)
    monkeypatch.setattr(ipsec, "told", asked)
    look = asyncio.create_task(world.unseen())
    await asyncio.to_thread(asking.wait, 10)
    look.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await look
    spoiled.let.set()
    await world._on_thread(lambda: None)
    assert not later
    await world.unseen()
    assert len(later) == 1


@pytest.mark.parametrize("error", [OSError("no file to spare"), RuntimeError("can't start new thread")], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("hangs_up", [False, True])
@sandboxed
async def test_what_could_not_be_read_is_read_again(error: Exception, hangs_up: bool) -> None:
    """Whatever failed, and whether who had it read waits for that or has gone: the next who needs it gets it."""
    spoiled = Spoiled(error)
    world = world_on(spoiled.ground)
    first = asyncio.create_task(world.begun())
    await asyncio.sleep(0)
    if hangs_up:
        first.cancel()
        await asyncio.sleep(0)
    spoiled.let.set()
    with pytest.raises(type(error)) if not hangs_up else contextlib.suppress(asyncio.CancelledError):
        await first
    await world._on_thread(lambda: None)  # the thread has done by then what it was asked before
    await world.begun()
    assert spoiled.asked == 2
