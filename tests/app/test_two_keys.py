"""Keys that come in one read, before anything was painted: what may be done is asked of what the app knows, not of what is seen."""

from __future__ import annotations

import pytest

from app import story
from app.driving import opened, screen, typed_at_once, until
from app.recordings import recorded
from app.test_drill import OVER, broken, drills, opening
from netless.app.screens.places import PickerScreen
from netless.app.screens.tutor import TutorScreen
from netless.app.screens.why import WhyScreen
from netless_lab import protocol


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        ("rr", ["Run"]), ("bb", ["Back"]), ("cc", ["Check"]), ("hh", ["Hint"]), ("pp", ["Play"]), ("rb", ["Run"]), ("ww", ["Explain"]),
        ("wr", ["Explain"]),
    ],
)  # fmt: skip
async def test_two_keys_act_once(keys: str, asked: list[str]) -> None:
    """The second key of one read finds the lab busy with the first, and is dropped."""
    kinds = (protocol.Run, protocol.Back, protocol.Check, protocol.Hint, protocol.Play, protocol.Explain)
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, peer):
        gates = [peer.hold(kind) for kind in kinds]
        typed_at_once(app, *keys)
        await until(pilot, lambda: len(peer.kinds()) >= len(asked))
        await pilot.pause()
        for gate in gates:
            gate.set()
        await until(pilot, lambda: not app.view.busy)
        await pilot.pause()
        assert peer.kinds() == asked


async def test_enter_twice_in_a_list_chooses_once() -> None:
    """Two presses of Enter in one read open one lesson, and close one screen."""
    async with opened() as (app, pilot, peer):
        await pilot.press("escape", "down")
        assert isinstance(app.screen, PickerScreen)
        typed_at_once(app, "enter", "enter")
        await until(pilot, lambda: peer.kinds() == ["Goto"] and not app.view.busy)
        assert isinstance(app.screen, TutorScreen)
        assert app.is_running


@pytest.mark.parametrize("keys", ["mg", "mx", "mm"])
async def test_what_takes_several_requests_makes_the_lab_busy_at_once(keys: str) -> None:
    """A key behind the one that puts a drill away finds the lab busy."""
    async with opened(opening=opening(OVER), answers=drills()) as (app, pilot, peer):
        gate = peer.hold(protocol.Mend)
        typed_at_once(app, *keys)
        await until(pilot, lambda: peer.kinds() == ["Mend"])
        assert isinstance(app.screen, TutorScreen)
        gate.set()
        await until(pilot, lambda: not app.view.busy)
        assert peer.kinds() == ["Mend"]


async def test_a_reply_waits_for_what_was_said_before_it() -> None:
    """Why lets the judge look again first; the packet that died is known when the reply comes, however much came with it."""
    many = [protocol.ChangesEvent(story.NOON + n, "tutor", (protocol.ChangeLine(f"change {n}"),)) for n in range(200)]
    answers = {
        protocol.Check: lambda request: [*many, *recorded("drill-check").answer(request)],
        protocol.Explain: recorded("drill-why").answer,
    }
    async with opened(opening=opening(broken())[:3], answers=answers) as (app, pilot, peer):  # type: ignore[arg-type]
        await pilot.press("w")
        await until(pilot, lambda: not app.view.busy and len(peer.kinds()) >= 1)
        assert peer.kinds() == ["Check", "Explain"]
        await until(pilot, lambda: isinstance(app.screen, WhyScreen))


async def test_an_answer_does_not_open_over_another_screen() -> None:
    """Who has gone on to another screen meanwhile keeps it: the explanation is told in passing."""
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, peer):
        gate = peer.hold(protocol.Explain)
        await pilot.press("w")
        await until(pilot, lambda: peer.kinds() == ["Explain"])
        await pilot.press("escape")
        assert isinstance(app.screen, PickerScreen)
        gate.set()
        await until(pilot, lambda: not app.view.busy)
        await until(pilot, lambda: "Nothing left c1" in screen(app))
        assert isinstance(app.screen, PickerScreen)
