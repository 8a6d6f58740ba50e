"""How much of what is typed waits for its turn, and what becomes of what comes then."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from app.driving import opened, screen, until
from netless.app import turns
from netless.app.turns import Turn, Turns, Typed


class Slow(Widget):
    """Does not come to its keys before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[Turn] = []

    def on_turn(self, turn: Turn) -> None:
        """A key has been here."""
        turn.stop()
        self.turns.append(turn)


class Typing(App[None]):
    """Gives all that is typed to one that is slow."""

    def __init__(self) -> None:
        super().__init__()
        self.slow, self.had, self.left_out = Slow(), list[Typed](), list[int]()
        self.turns = Turns(self._take, self.left_out.append)

    def compose(self) -> ComposeResult:
        """The slow one."""
        yield self.slow

    async def _take(self, event: Typed) -> None:
        self.had.append(event)
        self.turns.begin(self.slow)

    async def go_on(self, pilot: Pilot[None], count: int) -> None:
        """So many turns are over."""
        for _ in range(count):
            await until(pilot, lambda: bool(self.slow.turns))
            await self.turns.over(self.slow.turns.pop())


def key(number: int) -> events.Key:
    """One that is told from others."""
    return events.Key(f"f{number}", None)


async def test_what_is_too_much_to_wait_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many wait, the first of those that came. What comes then is left out, also when some have had their turn meanwhile: a gap would be in
    what is typed. Once none waits any more it is said how many that were, and what is typed is heeded again.
    """
    monkeypatch.setattr(turns, "MOST_WAITING", 3)
    app = Typing()
    async with app.run_test() as pilot:
        for number in range(6):  # the first has its turn, three wait
            await app.turns.read(key(number))
        await app.go_on(pilot, 2)
        await app.turns.read(key(6))
        assert app.left_out == []
        await app.go_on(pilot, 1)
        assert [event.key for event in app.had if isinstance(event, events.Key)] == ["f0", "f1", "f2", "f3"]
        assert app.left_out == [3]
        await app.go_on(pilot, 1)
        await app.turns.read(key(7))
        assert isinstance(app.had[-1], events.Key) and app.had[-1].key == "f7" and app.left_out == [3]


async def test_what_is_pasted_waits_by_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text takes the room of many keys; one alone waits, however long it is."""
    monkeypatch.setattr(turns, "MOST_WAITING", 3)
    app = Typing()
    async with app.run_test() as pilot:
        await app.turns.read(key(0))
        for text in ("long" * 1000, "short"):
            await app.turns.read(events.Paste(text))
        await app.go_on(pilot, 1)
        assert [event.text for event in app.had if isinstance(event, events.Paste)] == ["long" * 1000]
        assert app.left_out == [1]


async def test_that_keys_were_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tutor tells it in passing; what waited has been heeded."""
    monkeypatch.setattr(turns, "MOST_WAITING", 0)
    async with opened() as (app, pilot, _peer):
        await pilot.press("h")
        await until(pilot, lambda: "left out, 1 in all" in screen(app))
