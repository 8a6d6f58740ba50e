"""Each request declares its reply, and each message is read strictly as what it is: whatever else comes is refused in words."""

from __future__ import annotations

from typing import Any, assert_type, get_args

import msgspec
import pytest

from netless_lab import client, protocol
from netless_lab.client import Client, LabGone, Refused
from netless_lab.errors import Refusal
from netless_lab.model.clearing import Clearing
from netless_lab.model.probe import Outcome, Ping
from netless_lab.protocol.base import reply_type
from netless_lab.stream import Stream

KINDS: tuple[type[protocol.Request[Any]], ...] = get_args(protocol.Asked)
EVENTS: tuple[type[protocol.Message], ...] = tuple(
    kind for kind in get_args(protocol.AgentMessage) if kind not in (protocol.Hello, protocol.Done, protocol.Failed)
)
NONSENSE = (5, "words", [1], None, {"text": 5}, {"position": ["[/]"]}, [{"id": 1}], {"verdicts": 1})
OUTCOME = Outcome(Ping("c1", "10.0.0.1"), "answered", "answered", "It answered.")


def asked(kind: type[protocol.Request[Any]]) -> protocol.Request[Any]:
    """One such request, from the least that can be sent."""
    least = {"node": "c1", "journey": 1, "hop": 0, "target": "cable", "on": True, "dialect": "ip", "probe": Ping("c1", "10.0.0.1")}
    needed = {field.name: least[field.name] for field in msgspec.structs.fields(kind) if field.required}
    return kind(**needed, id=7)


def typed(asking: Client) -> None:
    """What the type checker knows where a request is made; it is only read."""
    assert_type(asking.ask(protocol.Goto("cable")), protocol.Moved)
    assert_type(asking.ask(protocol.GetStatus()), protocol.Status)
    assert_type(asking.ask(protocol.WhatGoes()), Clearing)
    assert_type(asking.ask(protocol.GetCourses()), tuple[protocol.CourseView, ...])


async def typed_too(asking: Stream) -> None:
    """The same over asyncio."""
    assert_type(await asking.ask(protocol.Run(rest=True)), protocol.Judgement)
    assert_type(await asking.ask(protocol.Break("forwarding-off")), protocol.Broke)


@pytest.mark.parametrize("kind", KINDS)
def test_each_request_says_what_its_reply_is_and_whether_it_waits(kind: type[protocol.Request[Any]]) -> None:
    """It is a look or a verb, or has to do with the conversation itself; it goes over the wire and is the same there."""
    assert issubclass(kind, protocol.Look | protocol.Verb) or kind in (protocol.Subscribe, protocol.Down, protocol.Leave)
    msgspec.json.Decoder(reply_type(kind))
    request = asked(kind)
    assert protocol.decode_request(protocol.encode(request)) == request


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_another_shape_is_refused_in_words(kind: type[protocol.Request[Any]]) -> None:
    """By whoever asked, with the way out; nothing is taken for what it is not."""
    told = 0
    for value in NONSENSE:
        request = asked(kind)
        done = protocol.decode_event(msgspec.json.encode({"type": "done", "id": 7, "value": value}))
        assert isinstance(done, protocol.Done)
        try:
            taken = client.reply(request, done)
        except Refusal as refusal:
            told += 1
            assert refusal.code == 3 and "`netless down`" in str(refusal)
        else:
            assert msgspec.to_builtins(taken) == msgspec.to_builtins(msgspec.convert(value, reply_type(kind)))
    assert told >= len(NONSENSE) - 3, "what has a default for everything takes an object of other keys, and no more than that"


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (protocol.SendProbe(Ping("c1", "10.0.0.1"), id=1), OUTCOME),
        (protocol.GetCapture(id=2), protocol.Capture(b"\n\r\r\n", 1)),
        (protocol.WhatGoes(id=3), Clearing(("mine is gone",), ("yours is back",))),
        (protocol.WhatLeaves(id=6), protocol.Parting(going=("mine is gone",), onlookers=1)),
        (protocol.Leave(id=4), "somebody else uses it"),
        (protocol.Subscribe(id=5), None),
    ],
)
def test_a_reply_is_what_was_replied(request_: protocol.Request[Any], reply: object) -> None:
    """Over the wire, in one line, with the id of its request."""
    line = protocol.encode(request_.done(reply))
    assert line.count(b"\n") == 1
    done = protocol.decode_event(line)
    assert isinstance(done, protocol.Done) and done.id == request_.id
    assert request_.reply(done) == reply


def test_a_name_that_is_no_text_can_be_told() -> None:
    """Half of a surrogate pair, as a file's name may hold it, comes as the sign for what cannot be said."""
    request = protocol.Leave(id=1)
    done = protocol.decode_event(protocol.encode(request.done("a\ud800")))
    assert isinstance(done, protocol.Done) and request.reply(done) == "a\ufffd"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"type":"goto","target":"cable"}', "`id`"),
        (b'{"type":"goto","id":0,"target":"cable"}', "`id`"),
        (b'{"type":"goto","id":1}', "`target`"),
        (b'{"type":"goto","id":1,"target":"cable","ende":true}', "`ende`"),
        (b'{"type":"getpacket","id":1,"journey":"x","hop":0}', r"Expected `int`"),
        (b'{"type":"break","id":1,"colour":"red"}', "`colour`"),
        (b'{"type":"subscribe","id":1,"kinds":["gossip"]}', "Invalid enum value 'gossip'"),
        (b'{"type":"call","id":1,"name":"history"}', "Invalid value 'call'"),
    ],
)
def test_a_request_that_is_none_is_refused_in_words(line: bytes, says: str) -> None:
    """Without a number of its own, with something missing, misspelt or of another type, or of a kind that there is not."""
    with pytest.raises(msgspec.MsgspecError, match=says):
        protocol.decode_request(line)


def test_every_event_can_be_subscribed_to() -> None:
    """By the name it has on the wire; and a subscription without words is to all but the summary, and what others asked why."""
    wire = {str(kind.__struct_config__.tag) for kind in EVENTS}
    assert wire == set(get_args(protocol.Kind))
    assert set(protocol.DETAILS) == wire - {"summary", "explained"}
    assert protocol.Bye("x").kind == "bye"


@pytest.mark.parametrize("version", [1, protocol.VERSION - 1, protocol.VERSION + 1, 4711])
def test_an_agent_of_another_version_is_told_from_one_of_ours(version: int) -> None:
    """However it goes on to speak: its greeting says both versions and the way out, its refusal is told in its own words."""
    with pytest.raises(Refused, match=f"protocol {version}, this netless {protocol.VERSION}.*`netless down`") as refused:
        client.greeted(b'{"type":"hello","version":%d,"lab":["another","shape"]}' % version, "default")
    assert refused.value.code == 2
    with pytest.raises(Refused, match=r"^no: `netless down` ends it$") as refused:
        client.greeted(b'{"type":"failed","code":"seven","text":"no: `netless down` ends it"}', "default")
    assert refused.value.code == 2


@pytest.mark.parametrize("line", [b"", b"SSH-2.0", b"{}", b'{"type":"done","id":1}', b'{"type":"hello","version":"x"}'])
def test_who_does_not_greet_is_no_lab(line: bytes) -> None:
    """Whatever else its first line is."""
    with pytest.raises(LabGone, match="did not greet as a lab does"):
        client.greeted(line, "default")
