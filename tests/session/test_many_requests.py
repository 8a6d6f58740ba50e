"""A client may ask for so much at once, and what it asked for is done for it alone: who hangs up takes along what has not begun."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs, protocol
from netless_lab.connection import REQUESTS_LIMIT
from netless_lab.sandbox import find

pytestmark = pytest.mark.kernel


@pytest.fixture
def lab() -> Iterator[Running]:
    """A lab with a client that only looks on."""
    with running(f"many-{uuid.uuid4().hex[:10]}", keep_progress=False) as own:
        yield own


@contextmanager
def other(lab: Running, *asked: protocol.Request[Any]) -> Iterator[IO[bytes]]:
    """Another client, which was greeted and then asked for all of this at once; what it reads."""
    with find.connect(lab.name) as sock, sock.makefile("rb") as lines:
        sock.settimeout(60)
        sock.sendall(protocol.encode(protocol.Hello(client="other", lab=lab.name)))
        assert json.loads(lines.readline())["type"] == "hello"
        sock.sendall(b"".join(map(protocol.encode, asked)))
        yield lines


def replies(lines: IO[bytes], count: int) -> dict[int, dict[str, Any]]:
    """So many replies by their ids."""
    return {said["id"]: said for said in (json.loads(lines.readline()) for _ in range(count))}


def test_too_many_are_refused_in_words(lab: Running) -> None:
    """Beyond the bound a request is refused at once; those within it are all done, and afterwards there is room again."""
    asked = [protocol.SetDialect(id=number, dialect="ip") for number in range(1, REQUESTS_LIMIT + 21)]
    first = protocol.Goto(id=1000, target="container/internet")  # what all the others wait for
    with other(lab, first, *asked) as lines:
        said = replies(lines, len(asked) + 1)
    refused = {number for number, reply in said.items() if reply["type"] == "failed"}
    assert refused == set(range(REQUESTS_LIMIT, REQUESTS_LIMIT + 21))
    assert all(said[number]["code"] == 2 and str(REQUESTS_LIMIT) in said[number]["text"] for number in refused)
    with other(lab, protocol.GetStatus(id=1)) as lines:
        assert replies(lines, 1)[1]["type"] == "done"


def test_down_is_always_heard(lab: Running) -> None:
    """Also from a client that has asked for more than it may."""
    asked = [protocol.Goto(id=number, target="container/cable") for number in range(1, REQUESTS_LIMIT + 2)]
    with other(lab, *asked, protocol.Down(id=4711)) as lines:
        said = replies(lines, 2)
        assert said[REQUESTS_LIMIT + 1]["type"] == "failed" and said[4711]["type"] == "done"
    assert eventually(lambda: labs.connect(lab.name) is None)


def test_what_waits_is_forgotten_with_its_client(lab: Running) -> None:
    """Somebody asks for three rebuilds and hangs up when the first has begun: that one is finished, the others never begin."""
    targets = ("container/internet", "container/cable", "container/switch")
    with other(lab, *(protocol.Goto(id=number, target=target) for number, target in enumerate(targets, 1))):
        assert eventually(lambda: any("container/internet" in busy for busy in rebuilding(lab)))
    # a verb of ours waits behind whatever is still to be done: its answer is the end of it
    assert lab.client.ask(protocol.SetDialect(dialect="ip")).position.startswith("container/internet/")
    assert {busy.split("container/")[1].split("/")[0] for busy in rebuilding(lab)} == {"internet"}
    assert not lab.status().busy


def rebuilding(lab: Running) -> list[str]:
    """Every rebuilding that was told of, by what it said; asking for the status takes in what has come."""
    lab.status()
    told = [event.status.busy for event in lab.events if isinstance(event, protocol.StatusEvent)]
    return [busy for busy in told if busy.startswith("rebuilding")]
