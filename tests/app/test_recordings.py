"""What a real lab said, in its own order: it is still what a lab says, and the view and the screens come through it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
import pytest

from app import record, story
from app.driving import opened, screen, until
from app.helpers import Answer
from app.recordings import FOLDER, Exchange, read, recorded, written
from helpers.running import running
from netless.desk.reduce import Answered, Asked, Event, Joined, Told, reduce
from netless.desk.view import View, forbids
from netless_lab import protocol
from netless_lab.protocol import Act

EVERY = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
VERBS: tuple[Act, ...] = ("run", "check", "back", "goto", "reset", "why", "play")


def views(*events: Event, first: View | None = None) -> list[View]:
    """The view after each of these events."""
    now = first or View()
    seen = []
    for event in events:
        now = reduce(now, event)
        seen.append(now)
    return seen


def after(*moments: str) -> View:
    """The view of somebody who was there in all of these moments."""
    return views(Joined("default"), *(event for moment in moments for event in recorded(moment).events))[-1]


@pytest.mark.parametrize("moment", EVERY)
def test_a_recording_is_of_the_protocol_spoken_today(moment: str) -> None:
    """Every line is understood, and nothing is in it that is not: written again it is the same; it has its reply, if it was asked for."""
    lines = (FOLDER / f"{moment}.jsonl").read_bytes()
    exchange = read(lines)
    assert written(exchange) == lines
    replies = [message for message in exchange.said if isinstance(message, protocol.Done | protocol.Failed)]
    assert [reply.id for reply in replies] == ([] if exchange.request is None else [exchange.request.id])  # type: ignore[union-attr]


def test_recordings_stay_small() -> None:
    """All of them together are less than 1 MB."""
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_000_000


def told(exchange: Exchange) -> list[protocol.AgentMessage]:
    """What was said but for the kernel's own doings, and of several statuses or snapshots that follow each other the last."""
    loud = [message for message in exchange.said if not (isinstance(message, protocol.ChangesEvent) and message.who == "kernel")]
    passing = (protocol.StatusEvent, protocol.SnapshotEvent)
    runs = [list(run) for _, run in groupby(enumerate(loud), key=lambda item: (type(item[1]), 0 if isinstance(item[1], passing) else item[0]))]
    return [run[-1][1] for run in runs]


def differences(before: Any, now: Any, place: str = "") -> list[str]:
    """Where two pieces of JSON are not built alike. Values are not compared, nor tables whose keys are the kernel's (sysctls) or the moment's (offers)."""
    if isinstance(before, dict) and isinstance(now, dict):
        if place.endswith((".sysctls", ".offers")):
            return []
        keys = [f"{place}.{key}" for key in sorted(before.keys() ^ now.keys())]
        return keys + [found for key in before.keys() & now.keys() for found in differences(before[key], now[key], f"{place}.{key}")]
    if isinstance(before, list) and isinstance(now, list):
        return differences(before[0], now[0], f"{place}[]") if before and now else []
    same = before is None or now is None or type(before) is type(now)
    return [] if same else [place]


def plain(message: protocol.Message) -> Any:
    """As it goes over the wire."""
    return msgspec.json.decode(protocol.encode(message))


@pytest.mark.kernel
def test_a_lab_still_says_what_was_recorded() -> None:
    """A short part, recorded anew: for each request the same kinds of messages in the same order, with the same fields in each."""
    with running() as hands:
        for moment, now in record.at_the_cable(record.Conversation(hands)):
            before = told(recorded(moment))
            assert [type(message).__name__ for message in told(now)] == [type(message).__name__ for message in before], moment
            for old, new in zip(before, told(now), strict=True):
                assert differences(plain(old), plain(new), f"{moment}: {type(old).__name__}") == []


def test_what_is_not_alike_is_found() -> None:
    """A field more or less, and a value of another kind, at any depth."""
    assert differences({"a": [{"b": 1}]}, {"a": [{"b": 2}]}) == []
    assert differences({"a": [{"b": 1}]}, {"a": [{"c": 1}]}) == [".a[].b", ".a[].c"]
    assert differences({"a": {"b": 1}}, {"a": {"b": "1"}}) == [".a.b"]


def test_the_opening_is_where_the_whole_conversation_leads() -> None:
    """A client that was there since before the cable was made knows what the tests' opening tells in one go."""
    there = after("pair-opening", "pair-run", "pair-next", "plug-touched", "plug-probe-itself", "plug-probe-from-host", "plug-probe-gateway")
    here = views(Joined("default"), *story.opening())[-1]  # type: ignore[arg-type]
    by_itself = tuple(entry for entry in there.entries if isinstance(entry, protocol.ChangesEvent) and entry.who == "kernel")
    assert tuple(entry for entry in there.entries if entry not in by_itself) == here.entries
    assert msgspec.structs.replace(there, entries=()) == msgspec.structs.replace(here, entries=())


def test_a_step_is_busy_from_its_first_word_to_its_last() -> None:
    """Run: busy with a name from the first event on, passed before it is over, idle with the last; no key starts anything in between."""
    seen = views(*recorded("plug-run").events, first=after("plug-opening", "plug-reset"))
    assert [view.busy for view in seen] == ["running Plug one end into the container"] * (len(seen) - 1) + [""]
    assert all(forbids(view, act) for view in seen[:-1] for act in VERBS)
    assert seen[0].verdict is not None and not seen[0].verdict.passed
    completed = next(number for number, view in enumerate(seen) if view.passed == "plug")
    network = seen[completed].snapshot
    assert seen[completed].busy and network is not None
    c1 = network.node("c1")
    assert c1 is not None and c1.link("veth1") is not None, "it is done before the network is seen to be so"
    assert not forbids(seen[-1], "next") and not forbids(seen[-1], "back")


def test_a_check_waits_for_its_probes() -> None:
    """A verdict that waits is no pass and completes nothing; then come the packets, one of which must not be answered, then the pass."""
    seen = views(*recorded("port-up-run").events, first=after("port-up-opening"))
    waits = [number for number, view in enumerate(seen) if view.verdict is not None and view.verdict.result == "waiting"]
    assert waits and not any(seen[number].passed or seen[number].done for number in waits)
    first = next(number for number, view in enumerate(seen) if len(view.packets) > 0)
    assert first > waits[0]
    completed = next(number for number, view in enumerate(seen) if view.passed == "port-up")
    assert len(seen[completed].packets) == 3, "it is passed before all its packets were told"
    assert seen[-1].busy == "" and seen[-1].done
    assert not forbids(seen[-1], "why"), "the one that was rightly not answered can be explained"


def test_goto_forgets_what_was_judged_elsewhere() -> None:
    """The old step's verdict goes with the old step, though the lab is idle for a moment before it says where it is; the judgement comes last."""
    seen = views(*recorded("port-up-goto").events, first=after("plug-opening", "plug-back"))
    moved = next(number for number, view in enumerate(seen) if view.status is not None and view.status.position == "container/switch/port-up")
    left, judged = seen[moved - 1].verdict, seen[-1].verdict
    assert left is not None and left.step == "plug"
    assert seen[moved].verdict is None and seen[moved].goal is not None
    assert seen[moved].hint == "" and seen[moved].passed == ""
    assert judged is not None and judged.step == "port-up" and not seen[-1].done
    exchange = recorded("port-up-goto")
    assert exchange.said.index(exchange.reply) < len(exchange.said) - 1, "nothing was said after the reply: the recording shows nothing"


def test_a_drill_from_its_beginning_to_the_way_back() -> None:
    """Broken, the lessons rest; the cause is told only when it is healthy again; put away, the lesson's keys are back."""
    before = after("everyone-opening")
    assert not forbids(before, "drill") and forbids(before, "mend")
    broken = views(*recorded("drill-start").events, first=before)[-1]
    assert broken.broken and forbids(broken, "run") and not forbids(broken, "mend")
    assert broken.fault is not None and broken.fault.id == "" and broken.fault.solution == ""
    checked = views(*recorded("drill-check").events, first=broken)[-1]
    assert not forbids(checked, "why")
    healthy = views(*recorded("drill-mended").events, first=checked)[-1]
    assert healthy.fault is not None and healthy.fault.id == "forwarding-off" and not healthy.broken and forbids(healthy, "run")
    assert [saying.text for saying in healthy.sayings if "healthy again" in saying.text]
    away = views(*recorded("drill-stop").events, first=healthy)[-1]
    assert away.fault is None and not forbids(away, "drill") and away.busy == ""


async def test_run_on_the_screen() -> None:
    """r: the picture, the log and the verdict are there when the reply is, and nothing goes on by itself."""
    async with opened(opening=[*story.opening(), *recorded("plug-reset").events], answers={protocol.Run: recorded("plug-run").answer}) as (app, pilot, peer):
        await pilot.press("r")
        await until(pilot, lambda: "Check ✓ done" in screen(app) and not app.view.busy)
        assert "tutor   veth1 left the host and is now in c1" in screen(app)
        assert "✓ One end in c1" in screen(app) and "n Next step" in screen(app)
        assert peer.kinds() == ["Run"]


async def test_reset_on_the_screen() -> None:
    """x y: the reply comes before the judgement; the screen shows both, and what the learner had done is gone from the picture."""
    answers: dict[type[protocol.Request[Any]], Answer] = {
        protocol.WhatGoes: recorded("plug-reset-dry").answer, protocol.Reset: recorded("plug-reset").answer,
    }  # fmt: skip
    async with opened(answers=answers) as (app, pilot, peer):
        assert "◐ veth2" in screen(app)
        await pilot.press("x")
        await until(pilot, lambda: story.GOING[0] in screen(app))
        await pilot.press("y")
        await until(pilot, lambda: "◐ veth2" not in screen(app) and "✗ veth1 is in c1" in screen(app) and not app.view.busy)
        assert "Check 2 of 3" in screen(app)
        assert peer.kinds() == ["WhatGoes", "Reset"]


async def test_play_on_the_screen() -> None:
    """p tells that nothing is judged, and what leaving does; p again leaves, and the step is judged anew."""

    def answer(asked: protocol.Request[Any]) -> Sequence[protocol.Message]:
        return recorded("plug-play" if isinstance(asked, protocol.Play) and asked.on else "plug-play-over").answer(asked)

    async with opened(answers={protocol.Play: answer}) as (app, pilot, peer):
        for on, title in ((True, "Check paused"), (False, "Check 2 of 3")):
            await pilot.press("p")
            await until(pilot, lambda: title in screen(app) and not app.view.busy)  # noqa: B023
            assert peer.asked[-1].on is on
            check = " ".join(line.content.plain.strip(" ▎") for line in app.get_default_screen().check.lines)  # a notice that stays a while says it too
            assert ("the lab is rebuilt for this step" in check) is on


def test_a_refusal_changes_nothing_but_what_is_said() -> None:
    """The lab's own words are told, and the view is else as it was before the key."""
    refusal = recorded("plug-goto-refused").reply
    assert isinstance(refusal, protocol.Failed)
    here = after("plug-opening")
    asked, _, answered = views(Asked("Going there"), Told("error", refusal.text, refusal.nearest), Answered(), first=here)
    assert asked.busy == "Going there" and answered.busy == ""
    assert refusal.nearest and answered.sayings[-1].text == refusal.text, "the nearest names are in the lab's words already"
    assert msgspec.structs.replace(answered, sayings=here.sayings) == here


def test_a_farewell_comes_after_the_reply() -> None:
    """Down: who asked for the end gets the reply, and then hears with all others why the lab is gone."""
    exchange = recorded("bye")
    assert [type(message) for message in exchange.said] == [protocol.Done, protocol.Bye]
    assert views(*exchange.events, first=after("plug-opening"))[-1].ended == "it was ended by `netless down`"
