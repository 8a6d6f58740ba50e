"""Who asks a lab something believes of the answer only that it is about the lab, and is not kept waiting by one that does not live."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import socket
import subprocess
import sys

import msgspec
import pytest

from app import story
from helpers.checkout import as_here
from helpers.pretender import pretender
from hostile.helpers.rogue import GREETING, rogue, says
from netless.desk.connection import Connection
from netless.desk.reduce import Ended, Event
from netless.printer import Printer
from netless.verbs import tutor
from netless_lab import client, ending, labs, stream
from netless_lab.address import socket_name
from netless_lab.client import Client, LabGone, understood
from netless_lab.errors import Refusal
from netless_lab.model.listed import Listed
from netless_lab.model.probe import Outcome, Ping
from netless_lab.protocol import VERSION, GetStatus, Hello, Judgement, Run
from netless_lab.sandbox import find
from netless_lab.stream import Stream
from sandbox.helpers.alone import alone, alone_as_ordinary

NOTHING = says()
HELLO = Hello(client="test", lab="rogue")
SHORT_S = 0.2
DEEP = 400
"""More than Python follows step by step, less than a reader of JSON refuses."""


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
                asking.ask(GetStatus())
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
        await asyncio.wait_for(asking.ask(GetStatus()), 30)
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
def test_who_agrees_to_end_and_does_not() -> None:
    """The tutor that started the lab and is quit waits for its end no longer than for anybody's, and then ends it."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as shorter, pretender(socket_name("rogue", os.geteuid())[1:], "agrees") as process:
        shorter.setattr(labs, "LEAVING_S", SHORT_S, raising=False)
        tutor._end_unless_used("rogue", process.pid, Printer(err=said).narrate, agreed=False)
        assert process.poll() is not None, "it lives on"
    assert "is gone" in said.getvalue()


@alone_as_ordinary
def test_who_takes_his_time_is_waited_for() -> None:
    """A lab that greets is a lab that lives: what is done in it may take many times as long as it is silent."""
    with pytest.MonkeyPatch.context() as shorter:
        for module in (client, stream):
            shorter.setattr(module, "SILENCE_S", SHORT_S)
        with rogue(socket_name("rogue", os.geteuid()), NOTHING, b'{"verdicts":[],"text":"at last"}', after=10 * SHORT_S):
            with Client(find.connect("rogue"), HELLO) as asking:
                assert asking.ask(Run()).text == "at last"
            assert asyncio.run(_answer_by_stream()).text == "at last"


async def _answer_by_stream() -> Judgement:
    asking = await Stream.open(find.connect("rogue"), HELLO)
    listening = asyncio.create_task(asking.listen(lambda event: None))
    answer = await asking.ask(Run())
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    asking.close()
    return answer


@pytest.mark.parametrize("verb", ["status", "snapshot", "courses", "faults", "ping"])
@alone_as_ordinary
def test_a_document_holds_what_was_understood(verb: str) -> None:
    """What a lab says beside what it was asked for, and be it nested too deep to be told, is not passed on."""
    beside = {"beside": json.loads("[" * DEEP + "]" * DEEP)}
    fault = Listed("id", "title", "tells", "teaches", "", None, (), ())
    outcome = Outcome(Ping("host", "10.0.0.1"), "answered", "answered", "said")
    values = {"status": story.status(), "snapshot": story.BUILT, "ping": outcome}
    lists = {"courses": story.status().course, "faults": fault}
    plain = msgspec.to_builtins(values.get(verb) or lists[verb], str_keys=True)
    value = plain | beside if verb in values else [plain | beside]
    words = ("ping", "host", "10.0.0.1") if verb == "ping" else (verb,)
    status = msgspec.json.encode(story.status())  # which `courses` asks for as well
    agrees = {"getstatus": status, "getcourses": json.dumps(value).encode()} if verb == "courses" else json.dumps(value).encode()
    with rogue(socket_name("rogue", os.geteuid()), NOTHING, agrees):
        done = netless("rogue", "--json", *words)
    assert done.returncode == 0, done.stderr[-500:]
    said = json.loads(done.stdout)
    assert "beside" not in done.stdout and plain.keys() <= (said if verb in values else said[0]).keys()


@pytest.mark.parametrize(("number", "told"), [(b"0", 0), (b"3", 3), (b"-7", None), (b"1e300", None), (b"99999999", None)])
def test_how_many_others_there_were(number: bytes, told: int | None) -> None:
    """A number of clients is one that can be: a lab that says another has not agreed to end."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b'{"type":"done","id":1,"value":{"others":%s}}\n' % number)
    theirs.shutdown(socket.SHUT_WR)
    with ours, theirs:
        assert ending.ask(ours, VERSION) == told


JOURNEYS = (b"5", b"null", b"[]", b'"x"', b'{"hops":5}', b'{"source":"a","target":"b","hops":[1]}')
TIMES = (b"1e308", b"-1e308", b"1e18", b"-1", b'"now"', b"null")
LINE = b'{"type":"%s","at":%s,"who":"kernel","lines":[],"sentence":"","commands":[],"journey":%s}'
JOURNEY = b'{"source":"a","target":"b","hops":[]}'


def test_events_that_no_screen_can_show() -> None:
    """A time that no calendar has and a journey that is none are no words of a lab, wherever they come in."""
    for kind in (b"changesevent", b"actionevent", b"journeyevent"):
        assert understood(LINE % (kind, b"1.5", JOURNEY)) is not None
        for at in TIMES:
            with pytest.raises(LabGone, match="does not speak as a lab does"):
                understood(LINE % (kind, at, JOURNEY))
    for journey in JOURNEYS:
        with pytest.raises(LabGone, match="does not speak as a lab does"):
            understood(LINE % (b"journeyevent", b"1.5", journey))


def test_who_says_much_leaves_others_their_turn() -> None:
    """However many messages lie there to be taken, those who do something else on the same loop come between them."""
    asyncio.run(asyncio.wait_for(_between(), 60))


async def _between() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(GREETING % VERSION)
    asking = await Stream.open(ours, HELLO)
    told, most, since = 0, 0, 0

    def take(event: object) -> None:
        nonlocal told, most, since
        told, since = told + 1, since + 1
        most = max(most, since)

    theirs.sendall(b'{"type":"notice","level":"info","text":"n"}\n' * 2000)
    listening = asyncio.create_task(asking.listen(take))
    while told < 2000:
        since = 0
        await asyncio.sleep(0)
    assert most <= 64, most
    theirs.close()
    with pytest.raises(LabGone):
        await listening
    asking.close()
