"""One verb at a time, whoever asks: the agent gives turns, and looking needs none."""

from __future__ import annotations

import uuid
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import pytest

from helpers.running import running
from netless_lab import labs, protocol
from netless_lab.model.probe import Outcome, Ping
from netless_lab.sandbox import find
from scenarios.door import open_the_door, stands_at_the_door, with_a_door

pytestmark = pytest.mark.kernel


def test_a_verb_waits_until_the_one_before_it_is_done() -> None:
    """Four ``goto`` that come in one read: each begins to rebuild when the one before it has its answer. Questions behind them do not: what is known is
    told at once, and what has to be looked for while verbs change the kernel, in turn with them, before the last of them is done.
    """
    lab = f"turns-{uuid.uuid4().hex[:10]}"
    labs.start(lab, keep_progress=False).close()
    asked = (
        protocol.Hello(client="test", lab=lab),
        protocol.Subscribe(id=1),
        protocol.Goto(id=2, target="container/internet"),
        protocol.Goto(id=3, target="container/cable"),
        protocol.Goto(id=4, target="container/internet"),
        protocol.Goto(id=5, target="container/cable"),
        protocol.GetStatus(id=6),
        protocol.GetHistory(id=7),
    )
    happened: list[str] = []
    try:
        with find.connect(lab) as conversation, conversation.makefile("rb") as lines:
            conversation.settimeout(30)
            conversation.sendall(b"".join(map(protocol.encode, asked)))
            while "done 5" not in happened:
                message = protocol.decode_event(lines.readline())
                assert not isinstance(message, protocol.Failed), message
                if isinstance(message, protocol.Done):
                    happened.append(f"done {message.id}")
                elif isinstance(message, protocol.StatusEvent) and message.status.busy:
                    happened.append(message.status.busy.rpartition("/")[0])
    finally:
        labs.end(lab)
    assert happened.index("done 6") < happened.index("done 2")
    assert "done 7" in happened
    first, second = "rebuilding to container/internet", "rebuilding to container/cable"
    verbs = [what for what, _ in groupby(own for own in happened if own not in ("done 1", "done 6", "done 7"))]
    assert verbs == [first, "done 2", second, "done 3", first, "done 4", second, "done 5"]


LOOKS: tuple[protocol.Look[Any], ...] = (
    protocol.GetStatus(id=11), protocol.GetSnapshot(id=12), protocol.GetCourses(id=13), protocol.GetProgress(id=14), protocol.GetHistory(id=15),
    protocol.GetFaults(id=16), protocol.GetJourneys(id=17), protocol.GetPacket(1, 0, id=18), protocol.GetCapture(id=19), protocol.Enter("c1", id=20),
    protocol.Follow(id=21),
)  # fmt: skip


def test_looks_are_answered_while_a_verb_works(tmp_path: Path) -> None:
    """While a step is run that does not end before somebody opens a door, everything that only looks is answered at once: all but what has to be looked
    for by who does the step, which is answered then.
    """
    assert {type(look) for look in LOOKS} == {kind for kind in get_args(protocol.Asked) if issubclass(kind, protocol.Look)}
    at_once = {look.id for look in LOOKS if not isinstance(look, protocol.GetHistory)}
    answered: list[int] = []
    with running(folder=with_a_door(tmp_path), keep_progress=False) as lab, find.connect(lab.name) as conversation, conversation.makefile("rb") as lines:
        conversation.settimeout(60)
        asked = (protocol.Hello(client="test", lab=lab.name), protocol.Run("cable/pair", rest=True, id=2))
        conversation.sendall(b"".join(map(protocol.encode, asked)))
        assert stands_at_the_door(lab)
        conversation.sendall(b"".join(map(protocol.encode, LOOKS)))
        while len(answered) <= len(LOOKS):
            message = protocol.decode_event(lines.readline())
            if isinstance(message, protocol.Done | protocol.Failed):
                answered.append(message.id)
                if len(answered) == len(at_once):
                    open_the_door(lab)
    assert set(answered[: len(at_once)]) == at_once and set(answered) == at_once | {15, 2}, answered


@pytest.mark.parametrize("kind", [protocol.SendProbe, protocol.Explain])
def test_a_packet_is_sent_when_the_lab_is_whole(kind: type[protocol.SendProbe] | type[protocol.Explain]) -> None:
    """A packet that is asked for while the lab is rebuilt is sent when that is done: in the lab half built it would be lost, and Why would
    name a cause that is none.
    """
    lab = f"turns-{uuid.uuid4().hex[:10]}"
    labs.start(lab, keep_progress=False).close()
    asked = (
        protocol.Hello(client="test", lab=lab),
        protocol.Goto(id=1, target="container/internet", end=True),
        kind(id=2, probe=Ping("c1", "198.51.100.10")),
        protocol.GetStatus(id=3),
    )
    done: dict[int, protocol.Done] = {}
    try:
        with find.connect(lab) as conversation, conversation.makefile("rb") as lines:
            conversation.settimeout(30)
            conversation.sendall(b"".join(map(protocol.encode, asked)))
            while len(done) < 3:
                message = protocol.decode_event(lines.readline())
                assert not isinstance(message, protocol.Failed), message
                if isinstance(message, protocol.Done):
                    done[message.id] = message
    finally:
        labs.end(lab)
    assert list(done) == [3, 1, 2]
    told = asked[2].reply(done[2])
    assert told.result == "answered" if isinstance(told, Outcome) else told.answered, told
