"""Drills on the screen, from the choice to the way back: what is told, when, and what the keys ask of the lab."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
import pytest

from app import story
from app.driving import opened, rows, screen, until
from app.helpers import Answer, says, says_nonsense
from app.recordings import recorded
from netless.app.screens.drill import DrillScreen, GiveUpScreen, ToldScreen
from netless.app.screens.places import GotoScreen
from netless.app.screens.why import WhyScreen
from netless.app.widgets.document import Document
from netless.desk.reduce import Event, Joined, reduce
from netless.desk.view import View, forbids
from netless_lab import protocol
from netless_lab.drill.spent import help_used, took
from netless_lab.protocol import Act

FAULTS = tuple(
    msgspec.structs.replace(fault, lacks="macvlan devices" if fault.id == "macvlan-and-its-host" else "")
    for fault in story.FAULTS if fault.id in ("forwarding-off", "macvlan-and-its-host")
)  # fmt: skip
"""Two of the faults, as on a machine that lacks macvlan."""
SICK = recorded("drill-check").status.fault
assert SICK is not None
HEALTHY = recorded("drill-mended").status.fault
assert HEALTHY is not None
TELLS = SICK.tells
WHERE = recorded("drill-check").status.position
OVER = msgspec.structs.replace(HEALTHY, seconds=192.0, whys=2, seed=4821)
"""The drill's end, as if it had taken longer and more help."""
TEACHES = "The way to the internet ▸ Let the host forward"


def broken(*, exam: bool = False, ago: float = 65.0) -> protocol.FaultStatus:
    """The drill as it stood after a check, but that it began some seconds ago."""
    assert SICK is not None
    return msgspec.structs.replace(SICK, exam=exam, began=time.time() - ago, seconds=ago, seed=4821)


def with_fault(fault: protocol.FaultStatus | None) -> protocol.StatusEvent:
    """The status while this is broken: a drill is at the step that it needs, whatever the learner came from. None: at cable/plug."""
    if fault is None:
        return protocol.StatusEvent(story.status(verdict=story.PENDING))
    moment = "drill-mended" if fault.healthy else "drill-check"
    return protocol.StatusEvent(msgspec.structs.replace(recorded(moment).status, fault=fault))


def opening(fault: protocol.FaultStatus | None = None) -> list[protocol.Message]:
    """What the lab says first, and the packets that were sent before."""
    if fault is None:
        return story.opening(log=story.PROBES)
    return [with_fault(fault), *recorded("drill-opening").events[1:], *story.events("drill-check", of=protocol.ProbeEvent)]


def drills(text: str = "", mended: str = "", came_from: str = "") -> dict[type[protocol.Request[Any]], Answer]:
    """What the lab answers about drills: its faults, that one was broken, and with these words that it is over."""
    assert SICK is not None
    return {
        protocol.GetFaults: says(FAULTS),
        protocol.Break: says(protocol.Broke(TELLS, WHERE, SICK)),
        protocol.Mend: says(protocol.Mended(text, WHERE, mended, came_from, "container/internet/forwarding")),
    }


def words(pane: Document) -> str:
    """What a pane says, wherever its lines end."""
    return " ".join(" ".join(line.content.plain for line in pane.lines).replace("▎", " ").split())


async def test_the_menu_offers_secrets_and_a_list() -> None:
    """D offers any fault by a seed that is shown, and the list, which says that its titles tell; words narrow it."""
    async with opened(opening=opening(), answers=drills()) as (app, pilot, peer):
        await pilot.press("D")
        await until(pilot, lambda: "The host does not forward" in screen(app))
        text = screen(app)
        assert "for instructors" in text and "the same number breaks the same thing" in text
        assert "this machine" in text and "lacks macvlan devices" in text  # a row ends between
        await pilot.press(*"4821")
        assert screen(app).count("seed 4821") == 2
        await pilot.press("enter")
        await until(pilot, lambda: "Check" in peer.kinds())
        start = next(request for request in peer.asked if isinstance(request, protocol.Break))
        assert msgspec.structs.replace(start, id=0, seen=None) == protocol.Break(seed=4821, drill=True)


@pytest.mark.parametrize("typed", ["²", "٣", "Ⅷ", "7²", "½"])
async def test_strange_digits_are_words_or_numbers(typed: str) -> None:
    """Whatever counts as a digit somewhere (AltGr+2 gives one) is searched for, or is the seed; the app goes on."""
    async with opened(opening=opening(), answers=drills()) as (app, pilot, _peer):
        await pilot.press("D")
        await until(pilot, lambda: "The host does not forward" in screen(app))
        await pilot.press(*typed)
        await until(pilot, lambda: "Nothing matches." in screen(app) or "seed 3" in screen(app))
        assert ("seed 3" in screen(app)) == (typed == "٣")


async def test_an_exam_and_a_chosen_fault() -> None:
    """The second row is the exam; a fault from the list is started by its id and stays a secret."""
    async with opened(opening=opening(), answers=drills()) as (app, pilot, peer):
        for keys, wanted in ((("1", "down"), protocol.Break(seed=1, drill=True, exam=True)), ("host", protocol.Break("forwarding-off", drill=True))):
            await pilot.press("D")
            await until(pilot, lambda: isinstance(app.screen, DrillScreen))
            await until(pilot, lambda: "The host does not forward" in screen(app))
            await pilot.press(*keys, "enter")
            await until(pilot, lambda: not app.view.busy and "Check" in peer.kinds())
            assert msgspec.structs.replace(peer.asked[-2], id=0, seen=None) == wanted
            peer.asked.clear()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_only_the_symptom_is_told(size: tuple[int, int]) -> None:
    """While it is broken: symptom, clock, help used, seed, what must be answered again, and the keys; also after joining again."""
    began = time.time() - 65
    async with opened(size, opening=opening(broken())) as (app, pilot, _peer):
        tutor = app.get_default_screen()
        text = words(tutor.lesson.prose)
        assert TELLS in text
        clock = re.search(r"for (\d+) min (\d+) s", text)
        assert clock is not None
        assert 65 <= 60 * int(clock[1]) + int(clock[2]) <= time.time() - began
        assert "with no help" in text
        assert "4821" in text
        assert "does not forward" not in screen(app)
        assert "✗ 198.51.100.10 answers c1" in screen(app)
        assert "✗ not healthy" in screen(app)
        assert all(key in rows(app)[-1] for key in ("h Hint", "w Why", "m Give up"))
        assert "r Run" not in screen(app)
        before = text
        await until(pilot, lambda: words(tutor.lesson.prose) != before)


async def test_hints_are_kept_and_shown() -> None:
    """Each hint that is opened stays on the page, numbered."""
    hints = ("Look at the host.", "Look at its switches.")
    numbers = iter((1, 2))

    def opens(request: protocol.Request[Any]) -> list[protocol.Message]:
        number = next(numbers)
        told = with_fault(msgspec.structs.replace(broken(), hints_open=hints[:number]))
        return [told, request.done(protocol.Help(number - 1, hints[number - 1], 2 - number))]

    answers: dict[type[protocol.Request[Any]], Answer] = {protocol.Hint: opens}
    async with opened(opening=opening(broken()), answers=answers) as (app, pilot, _peer):
        for number in (1, 2):
            await pilot.press("h")
            await until(pilot, lambda: app.view.fault is not None and len(app.view.fault.hints_open) == number)  # noqa: B023
        text = words(app.get_default_screen().lesson.prose)
        assert "hint 1 Look at the host. hint 2 Look at its switches." in text


async def test_the_end_tells_all_and_leads_back() -> None:
    """Healthy again: time, help, cause, what mends it and the step that teaches it; m goes back to where the learner was."""
    answers = drills("done", came_from="container/cable/plug")
    async with opened(opening=opening(), answers=answers) as (app, pilot, peer):
        await pilot.press("D", "enter")
        await until(pilot, lambda: "Check" in peer.kinds() and not app.view.busy)
        peer.say(with_fault(broken()), with_fault(OVER))
        await until(pilot, lambda: "The network is healthy again" in screen(app))
        text = words(app.get_default_screen().lesson.prose)
        for told in ("took 3 min 12 s", "1 hint and Why 2 times", "was The host does not forward", "sysctl -w net.ipv4.ip_forward=1",
                     TEACHES):  # fmt: skip
            assert told in text
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, GotoScreen))
        await pilot.press("escape", "m")
        await until(pilot, lambda: peer.kinds()[-1] == "Goto")
        assert isinstance(peer.asked[-2], protocol.Mend)
        assert (peer.asked[-1].target, peer.asked[-1].end) == ("container/cable/plug", False)


async def test_the_step_that_teaches_is_one_key_away() -> None:
    """g at the end opens the list of steps at the one that teaches what was broken."""
    async with opened(opening=opening(OVER)) as (_app, pilot, peer):
        await pilot.press("g", "enter")
        await until(pilot, lambda: "Goto" in peer.kinds())
        assert peer.asked[-1].target == "container/internet/forwarding"


async def test_giving_up_asks_and_tells() -> None:
    """m while something is broken asks first; Enter goes on looking, y gives up: what it was, how long, and what teaches it."""
    text = "The host does not forward: that was it."
    answers = drills(text, "forwarding-off")
    async with opened((80, 24), opening=opening(broken()), answers=answers) as (app, pilot, peer):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, GiveUpScreen))
        await pilot.press("enter")
        assert peer.kinds() == []
        await pilot.press("m", "y")
        await until(pilot, lambda: isinstance(app.screen, ToldScreen))
        peer.say(with_fault(None))
        await until(pilot, lambda: app.view.fault is None)
        for told in ("The host does not forward: that was it.", "You looked for 1 min", "with no help", "Let the host forward"):
            assert told in screen(app)
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, GotoScreen))


async def test_why_keeps_the_fix_until_asked() -> None:
    """Cause, certainty in word and shape, place, facts; the fix only after another key; the step that teaches it by g."""
    answers: dict[type[protocol.Request[Any]], Answer] = {protocol.Explain: recorded("drill-why").answer}
    async with opened((80, 24), opening=opening(broken()), answers=answers) as (app, pilot, _peer):
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, WhyScreen))
        text = screen(app)
        for told in ("● The host received a packet that is for 198.51.100.10", "certain: a fact proves it", "place: the forwarding of the host",
                     "sysctl net.ipv4.ip_forward", TEACHES):  # fmt: skip
            assert told in text
        assert "ip_forward=1" not in text
        await pilot.press("f")
        assert "ip_forward=1" in screen(app)
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, GotoScreen))


def test_the_keys_of_a_drill_are_those_the_lab_offers() -> None:
    """Broken, the lessons rest; well again, it can be put away, and something else be broken."""

    def view(fault: protocol.FaultStatus | None) -> View:
        events: list[Event] = [Joined("default"), *opening(fault)]  # type: ignore[list-item]
        now = View()
        for event in events:
            now = reduce(now, event)
        return now

    lessons: tuple[Act, ...] = ("run", "type", "next", "play")
    drill, over, none = view(broken()), view(OVER), view(None)
    assert all(not forbids(drill, act) for act in ("hint", "why", "check", "mend", "goto", "reset"))
    assert all(forbids(drill, act) for act in (*lessons, "drill"))
    assert all(not forbids(over, act) for act in ("check", "mend", "goto", "reset", "drill")) and all(forbids(over, act) for act in lessons)
    assert not forbids(none, "drill") and forbids(none, "mend")


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (192, "3 min 12 s")])
def test_the_clock_in_words(seconds: float, said: str) -> None:
    """Minutes and whole seconds; a second is told when it is full."""
    assert took(seconds) == said


@pytest.mark.parametrize(("hints", "whys", "said"), [(0, 0, "no help"), (1, 0, "1 hint"), (2, 1, "2 hints and Why once"), (0, 3, "Why 3 times")])
def test_help_in_words(hints: int, whys: int, said: str) -> None:
    """How much help was used."""
    assert help_used(hints, whys) == said


@pytest.mark.parametrize("key", ["D", "w"])
@pytest.mark.parametrize("value", [5, "words", [1], {"answered": "[/]"}], ids=str)
async def test_an_answer_that_is_none_is_told(key: str, value: object) -> None:
    """A list of faults or an explanation that is no such thing is said to be none, in words, and the tutor goes on."""
    nonsense: dict[type[protocol.Request[Any]], Answer] = {protocol.GetFaults: says_nonsense(value), protocol.Explain: says_nonsense(value)}
    async with opened(opening=opening(broken() if key == "w" else None), answers=nonsense) as (app, pilot, _peer):
        await pilot.press(key)
        await until(pilot, lambda: any("does not understand" in saying.text for saying in app.view.sayings))
        assert app.is_running
