"""A lab that can open no more files says so to whoever comes, and goes on."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket

from helpers.sandboxed import sandboxed
from netless_lab.sandbox import way
from netless_lab.sandbox.callers import Callers
from netless_lab.sandbox.lines import CALLER


def fill() -> list[int]:
    """Open files until there are no more to be had."""
    held = []
    while True:
        try:
            held.append(os.open("/", os.O_PATH))
        except OSError:
            return held


@sandboxed
async def test_a_caller_without_room_is_told_and_the_next_one_is_let_in() -> None:
    """Every descriptor is in use: who comes is told so in words and hung up on, again and again. When there is room, callers come in."""
    agent, keeper = socket.socketpair()
    _, words = os.pipe()
    pairs = [socket.socketpair() for _ in range(3)]
    came: list[socket.socket] = []
    callers = Callers(asyncio.get_running_loop(), agent, words)
    callers.begin(came.append, lambda reason: None)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))  # whoever runs the tests may have many open himself
    most = resource.getrlimit(resource.RLIMIT_NOFILE)

    def call(theirs: socket.socket) -> None:
        """Somebody comes. Files on their way are counted for a user, and there may be as many as the sender could open (unix(7), ETOOMANYREFS)."""
        few = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
        socket.send_fds(keeper, [CALLER], [theirs.fileno()])
        resource.setrlimit(resource.RLIMIT_NOFILE, few)

    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 32, most[1]))
    held = fill()
    for (ours, theirs), asks in zip(pairs[:2], (b"", way.request("c1")), strict=True):
        ours.sendall(asks)
        call(theirs)
        theirs.close()
        held += fill()
        ours.setblocking(False)
        line = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 4096), 20)
        assert "no more files" in (line.removeprefix(b"no\0").decode() if asks else json.loads(line)["text"])
        assert line.startswith(b"no\0") is bool(asks), "each is told in the words of what it asked"
        assert came == []
    for fd in held:
        os.close(fd)
    call(pairs[2][1])
    async with asyncio.timeout(20):
        while not came:
            await asyncio.sleep(0.01)
    came[0].sendall(b"in")
    assert pairs[2][0].recv(2) == b"in"


@sandboxed
async def test_at_another_door_without_room_it_is_the_same() -> None:
    """Who comes by a listening socket when every descriptor is in use is told so, hung up on, and not heard; when there is room he is let in."""
    agent, keeper = socket.socketpair()
    _, words = os.pipe()
    came: list[socket.socket] = []
    callers = Callers(asyncio.get_running_loop(), agent, words)
    callers.begin(came.append, lambda reason: None)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("")  # a name of the kernel's choice (unix(7))
    listener.listen()
    callers.listen(listener)
    first, second = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 32, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = fill()
    first.connect(listener.getsockname())
    first.setblocking(False)
    line = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(first, 4096), 20)
    assert "no more files" in json.loads(line)["text"]
    assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(first, 1), 20) == b""
    assert came == []
    for fd in held:
        os.close(fd)
    second.connect(listener.getsockname())
    while not came:
        await asyncio.sleep(0.01)
    callers.close(listener)
    keeper.close()
