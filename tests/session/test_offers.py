"""What can be asked for now is told with every status, and what forbids the rest in the words of its refusal."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab import protocol
from netless_lab.client import Refused
from netless_lab.model.probe import Ping
from netless_lab.protocol import Break, Explain, Hint, LessonView, Mend, Play, StatusEvent, Subscribe, Verb

pytestmark = pytest.mark.kernel


def refusal(lab: Running, request: Verb[Any]) -> str:
    """The words in which the lab refuses it."""
    with pytest.raises(Refused) as told:
        lab.client.ask(request)
    return str(told.value)


def test_at_the_beginning_there_is_nothing_to_undo_and_nothing_to_go_on_from(lab: Running) -> None:
    """``back``, ``next`` and ``mend`` say what forbids them, and the first two are refused in just these words; all else can be done, but for
    Why where no packet was lost yet.
    """
    lab.reset("lab")
    offers = lab.status().offers
    assert set(offers) - {"why"} == {"back", "next", "mend"}
    assert refusal(lab, protocol.Back()) == offers["back"]
    assert refusal(lab, protocol.Next()) == offers["next"] and "`run`" in offers["next"]


def test_what_the_learner_does_is_offered_to_be_undone_at_once(lab: Running) -> None:
    """Every view is told, though nothing else of the status changes; and told again when there is nothing left to undo."""
    lab.reset("lab")
    lab.client.ask(Subscribe())
    lab.events.clear()
    lab.sh("ip link add keepme type bridge")

    def told() -> list[dict[protocol.Act, str]]:
        lab.status()
        return [event.status.offers for event in lab.events if isinstance(event, StatusEvent)]

    assert eventually(lambda: any("back" not in offers for offers in told()))
    lab.back()
    assert "back" in told()[-1]


def test_a_step_that_is_done_offers_the_next(lab: Running) -> None:
    """One that is not says what is still to do; the last of the course says that this was the last."""
    lab.goto("container/cable/pair")
    assert lab.status().offers["next"].startswith("'Make the cable' is not done. Still to do: veth1 and veth2 are the two ends of one cable; seen: ")
    lab.goto("container/cable/pair", end=True)
    assert not {"next", "back"} & set(lab.status().offers)
    last = lab.status().course.lessons[-1]
    lab.goto(f"container/{last.id}/{last.steps[-1].id}", end=True)
    assert "last step" in lab.status().offers["next"]


def test_the_lessons_rest_while_something_is_broken(lab: Running) -> None:
    """What would go on with them is refused in the words that were told; an exam locks all help. After it, it can be put away."""
    lab.reset("lab")
    lab.client.ask(Break("forwarding-off", exam=True))
    offers = lab.status().offers
    assert {"run", "type", "next", "play", "drill", "hint", "why"} <= set(offers) and not {"mend", "check", "goto", "reset"} & set(offers)
    refused: dict[protocol.Act, Verb[Any]] = {
        "run": protocol.Run(), "next": protocol.Next(), "play": Play(True), "drill": Break(), "hint": Hint(), "why": Explain(Ping("host", "10.0.0.1")),
    }  # fmt: skip
    for act, request in refused.items():
        assert refusal(lab, request) == offers[act]
    lab.client.ask(Mend())
    assert "mend" in lab.status().offers and not {"run", "hint", "drill"} & set(lab.status().offers)


def test_nothing_is_broken_where_nothing_is_judged(lab: Running) -> None:
    """In play mode a drill is refused, in the words that were told."""
    lab.reset("lab")
    lab.client.ask(Play(True))
    assert refusal(lab, Break()) == lab.status().offers["drill"]
    lab.client.ask(Play(False))
    assert "drill" not in lab.status().offers


def test_what_the_lab_is_busy_with_forbids_all_but_words(lab: Running) -> None:
    """While it is rebuilt every view is told so, for all that has to wait; with the last of it nothing is left of that."""
    lab.reset("lab")
    lab.client.ask(Subscribe())
    lab.events.clear()
    lab.goto("container/switch", end=True)
    told = [event.status for event in lab.events if isinstance(event, StatusEvent)]
    busy = [status for status in told if status.busy]
    assert busy and all(status.offers[act] == f"the lab is busy: {status.busy}" for status in busy for act in protocol.ACTS if act not in protocol.BESIDE)
    assert all(not status.offers.get(act, "").startswith("the lab is busy") for status in busy for act in protocol.BESIDE)
    assert not any("busy" in why for why in told[-1].offers.values())


def test_hints_end(lab: Running) -> None:
    """When every one is open and the verdict shows nothing new, a further one is refused in the words that were told; each is still to be had by its
    number.
    """
    lab.reset("lab")
    lab.goto("cable/pair")
    total = lab.status().page.hints_total
    assert "hint" not in lab.status().offers
    for _ in range(total):
        lab.client.ask(Hint())
    why = lab.status().offers["hint"]
    assert refusal(lab, Hint()) == why and f"hint {total}" in why
    assert lab.client.ask(Hint(rung=total - 1)).left == 0
    lab.goto("cable/plug")
    assert "hint" not in lab.status().offers


def test_help_grows_hint_by_hint(lab: Running) -> None:
    """The command is the last of all: asked for before the others it is refused with the one that comes before it, and none is opened or shown."""
    lab.reset("lab")
    lab.goto("switch/bridge")
    total = lab.status().page.hints_total
    for opened in range(total):
        for rung in range(opened + 1, total):
            assert f"hint {opened + 1} of {total} comes before hint {rung + 1}" in refusal(lab, Hint(rung=rung))
        assert len(lab.status().page.hints_open) == opened
        assert lab.client.ask(Hint(rung=opened)).rung == opened
    assert lab.client.ask(Hint(rung=0)).left == 0 and len(lab.status().page.hints_open) == total
    assert "comes before" not in refusal(lab, Hint(rung=total))


def test_the_hints_of_a_drill_end(lab: Running) -> None:
    """As those of a step do."""
    lab.reset("lab")
    lab.client.ask(Break("forwarding-off", drill=True))
    while lab.client.ask(Hint()).left:
        assert "hint" not in lab.status().offers
    assert refusal(lab, Hint()) == lab.status().offers["hint"]
    lab.client.ask(Mend())


def test_the_lessons_go_on_when_what_was_broken_is_put_away(lab: Running) -> None:
    """Found and repaired, what goes on with the lessons is refused until then, for the lab stands where it was broken; help and a further drill are not."""
    lab.reset("lab")
    lab.client.ask(Break("forwarding-off", drill=True))
    lab.sh("sysctl -qw net.ipv4.ip_forward=1")
    assert eventually(lambda: (fault := lab.status().fault) is not None and fault.healthy)
    offers = lab.status().offers
    assert {"run", "type", "next", "play"} <= set(offers) and not {"mend", "check", "goto", "reset", "drill"} & set(offers)
    assert refusal(lab, protocol.Run()) == refusal(lab, protocol.Next()) == offers["run"] and "`netless mend`" in offers["run"]
    lab.client.ask(Mend())
    assert not {"run", "type", "play"} & set(lab.status().offers)


def test_a_lesson_says_where_to_go_on_in_it(lab: Running) -> None:
    """At its first step without a tick; at its first one when every step has its tick."""
    lab.reset("lab")

    def lesson() -> LessonView:
        return next(own for own in lab.status().course.lessons if own.id == "switch")

    first, *others = (step.id for step in lesson().steps)
    assert lesson().next_open == f"container/switch/{first}"
    lab.run(f"container/switch/{first}")
    assert lesson().next_open == f"container/switch/{others[0]}"
    lab.run("container/switch", rest=True)
    assert all(step.earned for step in lesson().steps) and lesson().next_open == f"container/switch/{first}"
