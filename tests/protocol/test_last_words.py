"""What a client is told last reaches it: the process that says it ends right after."""

from __future__ import annotations

import asyncio
import socket

from netless_lab.connection import Connection
from netless_lab.protocol import Notice, encode


async def test_all_is_said_before_the_line_is_cut() -> None:
    """A client is slow to read, and there is less left to send than asyncio makes anybody wait for: it is hung up on when it has all of it."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    theirs.setblocking(False)
    _, writer = await asyncio.open_unix_connection(sock=ours)
    last = Notice("info", "x" * 40_000)
    client = Connection(writer)
    client.send(last)
    assert writer.transport.get_write_buffer_size() > 0
    closing = asyncio.create_task(client.close())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not closing.done()
    heard = b""
    while more := await asyncio.get_running_loop().sock_recv(theirs, 4096):
        heard += more
    await closing
    assert heard == encode(last)
    theirs.close()
