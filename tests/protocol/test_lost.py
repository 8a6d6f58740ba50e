"""A lab that has ended answers nobody: whoever asks it all the same hears so at once, however the end was heard of."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from netless_lab.client import LabGone
from netless_lab.protocol import GetStatus, Hello, encode
from netless_lab.stream import Stream


@pytest.mark.parametrize(("last", "why"), [(b"", "it broke off without a word"), (b"what is this?\n", "does not speak as a lab does")])
async def test_who_asks_after_the_end_is_told(last: bytes, why: str) -> None:
    """The lab greets, says something or nothing, and ends; then it is asked."""
    ours, theirs = socket.socketpair()
    theirs.sendall(encode(Hello(client="agent", lab="mine")) + last)
    asking = await Stream.open(ours, Hello(client="test", lab="mine"))
    assert theirs.recv(4096)  # what is not read breaks the connection where it should end
    theirs.close()
    with pytest.raises(LabGone, match=why):
        await asking.listen(lambda event: None)
    with pytest.raises(LabGone, match=why):
        await asyncio.wait_for(asking.ask(GetStatus()), 10)
    asking.close()


async def test_who_asks_when_nobody_listens_any_more_is_told() -> None:
    """Whoever listened has stopped, and no answer would be read: one that is waited for does not come, and none is waited for after that."""
    ours, theirs = socket.socketpair()
    theirs.sendall(encode(Hello(client="agent", lab="mine")))
    asking = await Stream.open(ours, Hello(client="test", lab="mine"))
    listening = asyncio.create_task(asking.listen(lambda event: None))
    before = asyncio.create_task(asking.ask(GetStatus()))
    await asyncio.sleep(0)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    for answer in (before, asyncio.create_task(asking.ask(GetStatus()))):
        with pytest.raises(LabGone):
            await asyncio.wait_for(answer, 10)
    asking.close()
    theirs.close()
