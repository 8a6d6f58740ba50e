"""Looking for words in a pane of text: the lesson, the changes, help. What is found is marked, and n and N go from place to place."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from app import story
from app.driving import opened, rows, screen, strips, typed_at_once, until
from netless.app.app import TutorApp
from netless.app.screens.help import HelpScreen
from netless.app.screens.tutor import TutorScreen
from netless.app.widgets.document import Document
from netless.app.widgets.search import LONGEST, occurrences
from netless_lab import protocol


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("The bridge br0, a Bridge", "bridge", ["bridge", "Bridge"]),
        ("The bridge br0, a Bridge", "Bridge", ["Bridge"]),
        ("plug one end\n  into it", "end into", ["end\n  into"]),
        ("把容器接到网\n桥上", "网桥", ["网\n桥"]),
        ("10.0.0.2 and 10x0.0.2", "10.0.0.2", ["10.0.0.2"]),
        ("nothing here", " ", []),
    ],
)  # fmt: skip
def test_what_is_found(text: str, words: str, found: list[str]) -> None:
    """Small letters find capitals, nothing is a pattern, and a line that was broken between or inside the words hides none."""
    assert [text[start:end] for start, end in occurrences(text, words)] == found


def looked_at(app: TutorApp) -> list[str]:
    """What is painted as the place that is looked at."""
    return [segment.text for strip in strips(app) for segment in strip if segment.text[:1].isalnum() and segment.style is not None and segment.style.reverse]


async def test_from_place_to_place() -> None:
    """/ in the lesson, then words: the first place is in sight and marked; n goes on, N back, round at the ends; Esc leaves it all."""
    async with opened((80, 24)) as (app, pilot, peer):
        await pilot.press("slash", *"veth1")
        await pilot.pause()
        prose = app.get_default_screen().lesson.prose
        assert prose.search is not None and prose.search.found > 2
        count = prose.search.found
        assert f"/veth1█  1 of {count}" in screen(app)
        assert looked_at(app) == ["veth1"]
        await pilot.press("enter", "n")
        assert f"2 of {count}" in screen(app)
        await pilot.press("N", "N")
        assert f"{count} of {count}" in screen(app)
        assert looked_at(app) == ["veth1"]
        await pilot.press("escape")
        assert looked_at(app) == []
        assert isinstance(app.screen, TutorScreen), "Esc left the search, and nothing else"
        assert peer.kinds() == [], "no letter of it acted"


async def test_what_is_typed_in_one_read() -> None:
    """Letters behind the slash are looked for, however quickly they come: none of them acts."""
    async with opened((80, 24)) as (app, pilot, peer):
        typed_at_once(app, "slash", *"veth1", "enter", "n")
        await until(pilot, lambda: "/veth1  2 of " in screen(app))
        assert peer.kinds() == []


async def test_a_file_that_is_pasted_as_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some terminals tell no paste from typing. So much is looked for as anybody means; the rest neither acts nor is kept."""
    async with opened((80, 24)) as (app, pilot, peer):
        typed_at_once(app, "slash", *"veth1" * LONGEST)
        prose = app.get_default_screen().lesson.prose
        await until(pilot, lambda: prose.search is not None and prose.search.words == "veth1" * (LONGEST // 5))
        await pilot.press("escape")
        await pilot.press("ctrl+p")
        typed_at_once(app, *"veth1" * LONGEST, "escape")
        await until(pilot, lambda: isinstance(app.screen, TutorScreen))
        await pilot.press("ctrl+p")
        field = app.screen.query_one(Input)
        app.post_message(events.Paste("plug"))
        rung: list[str] = []
        monkeypatch.setattr(TutorApp.__base__, "bell", lambda self: rung.append("bell"))
        typed_at_once(app, *"x" * LONGEST)
        await until(pilot, lambda: field.value == "plug" + "x" * (LONGEST - 4))
        await pilot.press("escape")
        assert peer.kinds() == []
        assert len(rung) <= 1


async def test_what_is_not_there() -> None:
    """That is said; Backspace takes letters back; Enter then leaves the search."""
    async with opened((120, 40)) as (app, pilot, peer):
        await pilot.press("slash", *"vethx")
        assert "/vethx█  not found" in screen(app)
        await pilot.press("backspace")
        assert "/veth█  1 of " in screen(app)
        await pilot.press("x", "enter", "c")
        await until(pilot, lambda: peer.kinds() == ["Check"])


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_in_help_and_the_changes(size: tuple[int, int]) -> None:
    """The same keys in a small screen and in a log; what is far away scrolls into sight and is not covered by the line that is typed."""
    async with opened(size) as (app, pilot, peer):
        await pilot.press("question_mark", "slash", *"list of steps")
        assert isinstance(app.screen, HelpScreen)
        assert looked_at(app) == ["list of steps"]
        body = app.screen.query_one("#panel-body", Document)
        await pilot.press("enter", "end")
        await pilot.pause()
        assert body.scroll_offset.y == body.max_scroll_y
        await pilot.press("escape", "escape")
        change = protocol.ChangesEvent(story.NOON, "learner", (protocol.ChangeLine("veth9 was made by hand"),))
        peer.say(change)
        await pilot.press("f5")
        await until(pilot, lambda: "veth9 was made" in screen(app))
        await pilot.press("slash", *"made by hand")
        assert looked_at(app) == ["made by hand"]
        await pilot.press("f1")
        assert looked_at(app) == []
        assert not any("/made" in row for row in rows(app))


async def test_what_comes_meanwhile_is_found_too() -> None:
    """A log grows under a search: the count follows."""
    async with opened((120, 40)) as (app, pilot, peer):
        await pilot.press("f5", "slash", *"veth9")
        assert "not found" in screen(app)
        peer.say(protocol.ChangesEvent(story.NOON, "learner", (protocol.ChangeLine("veth9 was made by hand"),)))
        await until(pilot, lambda: "/veth9█  1 of 1" in screen(app))


async def test_what_is_pasted_is_looked_for() -> None:
    """While a search is typed a paste is part of it, as far as its first line goes; afterwards it is nobody's."""
    async with opened((80, 24)) as (app, pilot, peer):
        await pilot.press("slash", "v")
        app.post_message(events.Paste("eth1\nr"))
        prose = app.get_default_screen().lesson.prose
        await until(pilot, lambda: prose.search is not None and prose.search.words == "veth1")
        assert looked_at(app) == ["veth1"]
        await pilot.press("enter")
        app.post_message(events.Paste("x"))
        await pilot.pause()
        assert prose.search is not None and prose.search.words == "veth1"
        assert not peer.kinds()
