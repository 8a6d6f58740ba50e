"""What happens while the shells are joined that were left behind: a real program on a terminal that a test hands out in the lab's place."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack

import pytest
from msgspec import json

from app.driving import opened, until
from app.helpers import Answer
from netless.app import shells
from netless.app.app import TutorApp
from netless.desk.view import Identity, identity
from netless.shell.child import Child, Listener
from netless_lab import keeping, protocol
from netless_lab.sandbox import ring


class Left:
    """A shell that was left behind, as the lab hands it out: once, and no more afterwards. ``asked`` is set when that is asked, and waits for ``go``."""

    def __init__(self, node: str) -> None:
        self._node = node
        self.went: Identity | None = (1, 1)
        """The node it went into, as it was noted."""
        self.gives: keeping.Over | None = None
        """What is handed out in its place."""
        self.over = False
        """It has ended when it is handed out."""
        self.memory = bytearray(ring.MEMORY)
        """What lies in the memory that comes along; ``shared`` is that memory."""
        self.shared: ring.Memory = self.memory
        self._open = ExitStack()
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.taken = 0
        self.between: Callable[[], None] = lambda: None
        """Done while the next one is asked for."""
        self._child = Child.start(["sh", "-c", "echo left; exec cat"], dict(os.environ), (80, 24), Listener(lambda data: None, lambda code: None))

    async def take(self, lab: str, but: Iterable[str]) -> keeping.Taken | keeping.Over | None:
        """As ``keeping.take``."""
        self.asked.set()
        await self.go.wait()
        self.taken += 1
        if self.taken > 1:
            self.between()
            return None
        if self.gives is not None:
            return self.gives
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        self._open.callback(theirs.close)
        memory = ring.new()
        os.pwrite(memory, self.memory, 0)
        self.shared = ring.mapped(memory)
        kept = keeping.Kept(ours, ring.mapped(memory))
        os.close(memory)
        master = os.dup(self._child.master)
        if self.over:
            await self._child.stop()
        return keeping.Taken(kept, self._node, json.encode(self.went), master)

    async def end(self) -> None:
        """Nothing stays behind."""
        await self._child.stop()
        self._open.close()


@pytest.fixture
async def left(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Left]:
    """One in the host. A shell that begins anew is no shell of a lab here."""
    monkeypatch.setattr(shells, "shell_in", lambda lab, node: (("cat",), {}))
    own = Left("host")
    monkeypatch.setattr(keeping, "take", own.take)
    yield own
    await own.end()


def said(app: TutorApp) -> str:
    """All that was told."""
    return "\n".join(own.text for own in app.view.sayings)


async def test_a_shell_whose_node_was_built_anew_is_not_called_as_it_was(left: Left) -> None:
    """Also when the screen is painted before the last one is joined: it begins anew, and that is what is told."""
    async with opened() as (app, pilot, _peer):
        left.between = lambda: app._tutor.show(app.view)
        left.go.set()
        await until(pilot, lambda: "its shell was started again there" in said(app))
        await app._tutor.shells.join_left()
        assert "as you left it" not in said(app)


async def test_a_node_that_nobody_may_enter_takes_no_shell_along(left: Left) -> None:
    """Whoever goes to the terminal of a node before its shell is joined finds that one there, and the lab is asked for nothing."""
    refused: Answer = lambda request: [protocol.Failed(request.id, 1, "not now")]  # noqa: E731
    async with opened(answers={protocol.Enter: refused}) as (app, pilot, peer):
        left.went = identity(app.view, "host")
        await pilot.press("f3")
        await until(pilot, lambda: app._tutor.lower.terminal("host") is not None and left.asked.is_set())
        await pilot.pause()
        left.go.set()
        await until(pilot, lambda: "as you left it" in said(app))
        terminal = app._tutor.lower.terminal("host")
        assert terminal is not None and terminal.running
        assert not [own for own in peer.asked if isinstance(own, protocol.Enter)]


async def test_a_shell_that_has_just_ended_is_not_called_as_it_was(left: Left) -> None:
    """What it printed stands there, and that it has ended; Enter begins another."""
    left.over = True
    async with opened() as (app, _pilot, _peer):
        left.went = identity(app.view, "host")
        left.go.set()
        await app._tutor.shells.join_left()
        terminal = app._tutor.lower.terminal("host")
        assert terminal is not None and terminal.offers_restart
        assert "[ended: enter starts a new shell]" in terminal.terminal.screen.text
        assert "as you left it" not in said(app)


async def test_how_a_shell_stands_is_noted_as_soon_as_it_is_joined(left: Left) -> None:
    """Not with the next thing that it prints: this tutor may be killed before, and more be printed then than is kept."""
    ring.Ring(left.memory).write(b"\x1b[?2004h")
    async with opened() as (app, _pilot, _peer):
        left.went = identity(app.view, "host")
        left.go.set()
        await app._tutor.shells.join_left()
        assert ring.Ring(left.shared).noted() == b"\x1b[?2004h"


async def test_what_is_left_of_a_shell_that_is_over_is_shown(left: Left) -> None:
    """Whoever is at its terminal already finds it there: no other is begun unasked, and what was typed meanwhile goes nowhere."""
    async with opened() as (app, pilot, peer):
        await pilot.press("f3", *"exit")
        await until(pilot, left.asked.is_set)
        left.gives = keeping.Over("host", json.encode(identity(app.view, "host")), 0, 3, (b"printed last\r\n", True, b""))
        left.go.set()
        await until(pilot, lambda: "The shell of the host ended at" in said(app))
        terminal = app._tutor.lower.terminal("host")
        assert terminal is not None and terminal.offers_restart
        lines = terminal.terminal.screen.text.split("\n")
        assert lines[0] == "printed last" and lines[1].startswith("[ended at ") and " with exit code 3, while nobody was at it: enter" in " ".join(lines)
        assert not [own for own in peer.asked if isinstance(own, protocol.Enter)]


async def test_a_node_that_was_built_anew_has_a_new_shell_in_place_of_one_that_is_over(left: Left) -> None:
    """That its shell ended is no news: it ended with the node."""
    async with opened() as (app, pilot, _peer):
        left.gives = keeping.Over("host", json.encode((1, 1)), 0, None, (b"printed last\r\n", True, b""))
        left.go.set()
        await until(pilot, lambda: "its shell was started again there" in said(app))
        assert "ended" not in said(app)
        terminal = app._tutor.lower.terminal("host")
        assert terminal is not None and terminal.running and "printed last" in terminal.terminal.screen.text
