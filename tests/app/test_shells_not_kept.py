"""A shell that the lab does not keep says so in its own terminal, once, whatever the reason: it ends with the tutor."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterator

import pytest

from app.driving import opened, until
from netless.app import shells
from netless.app.app import TutorApp
from netless_lab import keeping
from netless_lab.address import terminals_name
from netless_lab.sandbox import kept, way

SAYS = "[this shell ends with the tutor, for it is not kept by the lab"
HELD = "the name of the lab's terminals is held by another user's process"


@pytest.fixture(autouse=True)
def own_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says a word when it runs, and is no shell of a lab."""
    monkeypatch.setattr(shells, "shell_in", lambda lab, node: (("sh", "-c", "echo ru''ns; exec cat"), {}))


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Whoever holds the name of the lab's terminals, as the test has it answer."""
    monkeypatch.setattr(keeping, "terminals_name", lambda lab, uid: terminals_name(f"pretended-{os.getpid()}", uid))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(terminals_name(f"pretended-{os.getpid()}", os.geteuid()))
        listener.listen(8)
        listener.setblocking(False)
        yield listener


def shown(app: TutorApp) -> str:
    """All that the terminal of the host shows, in one line, as it was before it was cut into rows."""
    terminal = app._tutor.lower.terminal("host")
    return " ".join(terminal.terminal.screen.text.split()) if terminal is not None else ""


async def pretend(listener: socket.socket, *refusal: bytes) -> None:
    """Nothing was left behind; what is to be kept is refused so."""
    while True:
        caller, _ = await asyncio.get_running_loop().sock_accept(listener)
        caller.setblocking(True)
        word, _, files = kept.receive(caller)
        for file in files:
            os.close(file)
        kept.send(caller, *(refusal if word == kept.KEEP else (kept.NONE,)))
        caller.close()


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ((b"refused", b"no memory"), f"{SAYS}: no memory]"),
        ((b"refused", b""), f"{SAYS}]"),
        ((b"refused", b"\x1b[2Jno\xff"), f"{SAYS}: ?[2Jno\ufffd]"),
        ((kept.FULL, b"3"), "[this shell ends with the tutor, for the lab keeps 3 at once and all are in use"),
    ],
    ids=["why", "no why", "signs", "full"],
)
async def test_what_the_lab_refuses_is_told(keeper: socket.socket, refusal: tuple[bytes, ...], told: str) -> None:
    """With the reason that it gives, if it gives one; no sign of that acts on the terminal."""
    pretending = asyncio.create_task(pretend(keeper, *refusal))
    async with opened() as (app, pilot, _peer):
        await pilot.press("f3")
        await until(pilot, lambda: "runs" in shown(app) and told in shown(app))
        assert shown(app).count("[this shell ends") == 1
    pretending.cancel()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (way.NotOurs(errno.EPERM, HELD), HELD),
        (ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), os.strerror(errno.ECONNREFUSED)),
    ],
    ids=["another user", "nobody"],
)
async def test_where_the_lab_cannot_be_asked_that_is_told(error: OSError, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since another user has its name, or nobody."""

    def connected(name: str) -> socket.socket:
        raise error

    monkeypatch.setattr(kept, "connected", connected)
    async with opened() as (app, pilot, _peer):
        await pilot.press("f3")
        await until(pilot, lambda: "runs" in shown(app) and f"{SAYS}: {told}]" in shown(app))
        assert shown(app).count("[this shell ends") == 1


async def test_what_cannot_be_handed_over_is_told(keeper: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no memory for what it prints."""

    def new() -> int:
        raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))

    monkeypatch.setattr(keeping, "new", new)
    pretending = asyncio.create_task(pretend(keeper))
    async with opened() as (app, pilot, _peer):
        await pilot.press("f3")
        await until(pilot, lambda: "runs" in shown(app) and f"{SAYS}: {os.strerror(errno.ENFILE)}]" in shown(app))
    pretending.cancel()
