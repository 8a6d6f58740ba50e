"""Who asks a lab something believes of the answer only that it is about the lab, and is not kept waiting by one that does not live."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys

import pytest

from helpers.checkout import as_here
from hostile.helpers.rogue import rogue, says
from netless.app.connection import Connection
from netless.app.reduce import Ended, Event
from netless_lab import client, stream
from netless_lab.address import socket_name
from netless_lab.client import Client, LabGone
from netless_lab.errors import Refusal
from netless_lab.protocol import GetStatus, Hello, Run
from netless_lab.sandbox import find
from netless_lab.stream import Stream
from sandbox.helpers.alone import alone, alone_as_ordinary

NOTHING = says()
HELLO = Hello(client="test", lab="rogue")
SHORT_S = 0.2


def netless(lab: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line on a lab."""
    argv = [sys.executable, "-P", "-m", "netless", "--lab", lab, *words]
    return subprocess.run(argv, env=as_here(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


@alone
def test_who_calls_himself_otherwise_is_not_the_lab() -> None:
    """What answers for the lab ``mine`` and says that it is ``rogue`` is refused in words, by whoever asks."""
    with rogue(socket_name("mine", os.geteuid()), NOTHING):
        done = netless("mine", "status")
        assert done.returncode == 3 and "not the lab mine" in done.stderr and "down`" in done.stderr, done
        with pytest.raises(Refusal, match="not the lab mine"):
            asyncio.run(Stream.open(find.connect("mine"), Hello(client="test", lab="mine")))


VALUES = (b"5", b'"words"', b"[1]", b"null")


@pytest.mark.parametrize("words", [("status",), ("snapshot",), ("courses",), ("diagram",), ("ping", "host", "10.0.0.1"), ("progress",)], ids=" ".join)
@alone
def test_answers_of_another_shape(words: tuple[str, ...]) -> None:
    """They are refused in words that say how the lab is ended, with the code of what the machine cannot do."""
    for value in VALUES:
        with rogue(socket_name("rogue", os.geteuid()), NOTHING, value):
            done = netless("rogue", *words)
        assert done.returncode == 3 and "does not understand" in done.stderr and "down`" in done.stderr, (value, done)


@alone_as_ordinary
def test_who_falls_silent_is_given_up() -> None:
    """One that greets the first caller and nobody more, and answers nothing, keeps neither a verb nor a screen waiting."""
    with pytest.MonkeyPatch.context() as shorter:
        for module, name in ((client, "SILENCE_S"), (stream, "SILENCE_S"), (client, "PATIENCE_S")):
            shorter.setattr(module, name, SHORT_S)
        with rogue(socket_name("rogue", os.geteuid()), NOTHING, greets=1, after=1000), Client(find.connect("rogue"), HELLO) as asking:
            with pytest.raises(Refusal, match="`netless down` ends it") as refused:
                asking.ask(GetStatus)
            assert refused.value.code == 3
    with pytest.MonkeyPatch.context() as shorter:
        for module, name in ((stream, "SILENCE_S"), (client, "PATIENCE_S")):
            shorter.setattr(module, name, SHORT_S)
        with rogue(socket_name("rogue", os.geteuid()), NOTHING, greets=1, after=1000):
            asyncio.run(_ask_by_stream())


async def _ask_by_stream() -> None:
    asking = await Stream.open(find.connect("rogue"), HELLO)
    listening = asyncio.create_task(asking.listen(lambda event: None))
    with pytest.raises(LabGone):
        await asyncio.wait_for(asking.ask(GetStatus), 30)
    with pytest.raises(LabGone, match="`netless down` ends it"):
        await listening
    asking.close()


@alone
def test_a_tutor_says_why_it_has_given_up() -> None:
    """A lab that greets and then falls silent is over for the tutor, in the words and with the code of a verb."""
    told: list[Event] = []
    with pytest.MonkeyPatch.context() as shorter:
        for module, name in ((stream, "SILENCE_S"), (client, "PATIENCE_S")):
            shorter.setattr(module, name, SHORT_S)
        with rogue(socket_name("rogue", os.geteuid()), NOTHING, greets=1, after=1000):
            asyncio.run(asyncio.wait_for(Connection("rogue", lambda: find.connect("rogue"), told.append).converse(), 30))
    assert isinstance(told[-1], Ended) and told[-1].code == 3 and "`netless down` ends it" in told[-1].text, told


@alone_as_ordinary
def test_who_takes_his_time_is_waited_for() -> None:
    """A lab that greets is a lab that lives: what is done in it may take many times as long as it is silent."""
    with pytest.MonkeyPatch.context() as shorter:
        for module in (client, stream):
            shorter.setattr(module, "SILENCE_S", SHORT_S)
        with rogue(socket_name("rogue", os.geteuid()), NOTHING, b'"at last"', after=10 * SHORT_S):
            with Client(find.connect("rogue"), HELLO) as asking:
                assert asking.ask(Run) == "at last"
            assert asyncio.run(_answer_by_stream()) == "at last"


async def _answer_by_stream() -> object:
    asking = await Stream.open(find.connect("rogue"), HELLO)
    listening = asyncio.create_task(asking.listen(lambda event: None))
    answer = await asking.ask(Run)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    asking.close()
    return answer
