"""Two windows on one lab: what one asks about what he sees is not done to what the other has made of it meanwhile."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from helpers.running import Running
from netless_lab import protocol
from netless_lab.client import Refused
from netless_lab.protocol import Back, Check, Goto, Hint, Move, Next, Play, Reset, Run, StatusEvent, Subscribe

pytestmark = pytest.mark.kernel

MOVES: tuple[Move[Any], ...] = (Run(), Next(), Back(), Goto("cable/plug"), Reset(), Play(True))


def seen(lab: Running) -> int:
    """The moves that somebody knows of who looks now."""
    return lab.status().moves


@pytest.mark.parametrize("request_", MOVES, ids=lambda own: type(own).__name__)
def test_what_was_asked_of_another_lab_is_not_done(lab: Running, request_: Move[Any]) -> None:
    """Somebody else was quicker: it is refused with where the lab is now, nothing is done, and asked again by who has looked it is done."""
    lab.reset("lab")
    lab.goto("cable/pair", end=True)
    before = seen(lab)
    lab.sh("ip link add keepme type bridge")
    lab.client.ask(Goto("cable/pair", end=True, seen=before))
    lab.client.ask(Subscribe())
    lab.events.clear()
    with pytest.raises(Refused, match="container/cable/pair") as refused:
        lab.client.ask(replaced(request_, before))
    assert refused.value.code == 1 and not [event for event in lab.events if isinstance(event, StatusEvent)]
    now = seen(lab)
    lab.client.ask(replaced(request_, now)) if not isinstance(request_, Back) else lab.client.ask(Back(force=True, seen=now))
    assert seen(lab) > now
    lab.client.ask(Goto("cable/pair"))


def replaced(request: Move[Any], moves: int) -> Move[Any]:
    """The request of somebody who knows of so many moves."""
    return msgspec.structs.replace(request, seen=moves)


def test_the_same_key_in_two_windows_is_done_once(lab: Running) -> None:
    """Both saw the same step undone and press Run: it is done once, and no other step with it."""
    lab.reset("lab")
    lab.goto("cable/pair")
    known = seen(lab)
    lab.client.ask(Run(seen=known))
    with pytest.raises(Refused):
        lab.client.ask(Run(seen=known))
    assert lab.status().position == "container/cable/pair"


def test_what_moves_nothing_is_no_move(lab: Running) -> None:
    """A check, a hint, a refusal and what the learner types leave what was seen as it was; who asked for a move hears of it before the answer."""
    lab.reset("lab")
    lab.goto("cable/pair")
    known = seen(lab)
    lab.client.ask(Check())
    lab.client.ask(Hint(rung=0))
    with pytest.raises(Refused):
        lab.client.ask(Next(seen=known))
    with pytest.raises(Refused):
        lab.client.ask(Goto("nowhere", seen=known))
    lab.sh("ip link add keepme type bridge")
    lab.client.ask(Subscribe())
    lab.events.clear()
    lab.client.ask(Reset(seen=known))
    assert [event.status.moves for event in lab.events if isinstance(event, StatusEvent)][-1] == seen(lab) > known


def test_a_command_does_not_mind(lab: Running) -> None:
    """Who says nothing of what was seen has it done after whatever is done before."""
    lab.reset("lab")
    lab.goto("cable/pair")
    lab.run()
    assert lab.status().position == "container/cable/pair"
    lab.client.ask(protocol.Run())
    assert lab.status().position == "container/cable/plug"
