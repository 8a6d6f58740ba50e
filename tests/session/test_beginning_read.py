"""What a purge brings back is read when it is first needed; where that fails, whoever needs it next has it read again."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.sandboxed import sandboxed
from helpers.wires import own_node
from netless_lab.session.world import World
from netless_lab.watching.following import Following
from netless_lab.watching.storm import StormGuard


class Spoiled:
    """A ground of one node, which cannot be looked at the first time: it fails when it is let."""

    def __init__(self, error: Exception) -> None:
        self.error, self.let, self.asked = error, threading.Event(), 0
        host = own_node()
        self.ground: Any = SimpleNamespace(refs=lambda: (host,), remember=self._remember, settle=lambda: None, agent_pid=1, limits="")

    def _remember(self) -> None:
        self.asked += 1
        if self.asked == 1:
            self.let.wait(10)
            raise self.error


async def nothing(node: str, link: str, text: str) -> None:
    """No storm is ended here."""


@pytest.mark.parametrize("error", [OSError("no file to spare"), RuntimeError("can't start new thread")], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("hangs_up", [False, True])
@sandboxed
async def test_what_could_not_be_read_is_read_again(error: Exception, hangs_up: bool) -> None:
    """Whatever failed, and whether who had it read waits for that or has gone: the next who needs it gets it."""
    spoiled = Spoiled(error)
    following = Following(lambda journey, skipped: None, lambda error: None, lambda text: None)
    world = World(lambda on_end: spoiled.ground, following, StormGuard(nothing, lambda error: None), lambda name: None)
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
