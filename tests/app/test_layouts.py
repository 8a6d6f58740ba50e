"""What an event costs: each text and picture is laid out once for a size, however many places ask how much room it takes. Counted, not timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from textual.css.stylesheet import Stylesheet
from textual.strip import Strip

from app import story
from app.driving import opened, until
from netless.app.screens import tutor
from netless.app.widgets import bars, picture
from netless.app.widgets.document import Document
from netless.app.widgets.lower import ChangesPane, LogPane
from netless.config.colours import DARK, LIGHT
from netless_lab import protocol

EVENTS: dict[str, protocol.AgentMessage] = {
    "another status": protocol.StatusEvent(story.status(done=6)),
    "another verdict": protocol.VerdictEvent(msgspec.structs.replace(story.PENDING, extras=("br7 on the host",)), False),
    "another network": protocol.SnapshotEvent(story.BUILT, None),
    "a step that passes": protocol.VerdictEvent(story.PASSED, True),
    "a probe": story.PROBES[0],
    "something done": story.LOG[0],
}
Counted = Counter[tuple[object, ...]]


@pytest.fixture
def laid(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """What was laid out: which text for which width, the frame, the picture, the header, the keys."""
    seen: Counted = Counter()

    def counted(holder: Any, name: str, what: Callable[..., tuple[object, ...]]) -> None:
        real = getattr(holder, name)

        def count(*args: Any, **named: Any) -> Any:
            seen[what(*args)] += 1
            return real(*args, **named)

        monkeypatch.setattr(holder, name, count)

    for kind in (Document, LogPane):
        counted(kind, "arrange_lines", lambda document, width: (document.id, width))
    counted(picture, "draw", lambda *of: ("picture", *of[2:]))
    counted(picture, "brief_rows", lambda network, width: ("picture in brief", width))
    counted(tutor, "arrange", lambda *of: ("frame", *of[:2]))
    counted(bars, "header", lambda view, width: ("header", width))
    counted(bars, "rows_of", lambda keys, width: ("keys", width))
    return seen


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_an_event_lays_each_thing_out_once(laid: Counted, size: tuple[int, int]) -> None:
    """Whatever happens, nothing is laid out twice for one size; and what it says nothing about is not laid out at all."""
    async with opened(size) as (app, pilot, peer):
        for name, event in EVENTS.items():
            laid.clear()
            before = app.view
            peer.say(event)
            await until(pilot, lambda before=before: app.view is not before)  # type: ignore[misc]
            assert laid, name
            assert [thing for thing, times in laid.items() if times > 1] == [], name
            told = {str(thing[0]) for thing in laid}
            assert ("picture" in told) == (name == "another network"), name
            assert ("check" in told) == (name in ("another status", "another verdict", "a step that passes")), name


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_only_the_rows_that_are_others_are_painted(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    """A status comes with everything that is done: what it says again is not painted again, and of a text only the rows that differ."""
    painted: Counter[str | None] = Counter()
    real = Document.render_line

    def counted(document: Document, y: int) -> Strip:
        painted[document.id] += 1
        return real(document, y)

    async with opened(size) as (app, pilot, peer):
        prose = app.get_default_screen().lesson.prose
        prose.scroll_end(animate=False, immediate=True)  # to the steps
        await pilot.pause()
        monkeypatch.setattr(Document, "render_line", counted)
        for done, rows in ((5, 0), (6, 1)):
            peer.say(protocol.StatusEvent(story.status(done=done)))
            await until(pilot, lambda before=app.view.status: app.view.status is not before and app.get_default_screen().shown is app.view)  # type: ignore[misc]
            assert painted == ({"prose": rows} if rows else {}), done


async def test_styles_are_read_once_for_the_theme_of_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The theme that an app begins in is there when its styles are first read; only one that is chosen later has them read anew, and is seen."""
    read: list[str] = []
    real = Stylesheet.reparse

    def reparse(self: Stylesheet) -> None:
        read.append("anew")
        real(self)

    monkeypatch.setattr(Stylesheet, "reparse", reparse)
    for theme, ground in (("light", LIGHT), ("dark", DARK)):
        async with opened(theme=theme) as (app, pilot, _peer):
            assert not read
            assert app.screen.styles.background.hex.lower() == ground.colours["background"]
            assert app.current_theme.dark == ground.dark == app.has_class("-dark-mode")
            await pilot.press("T")
            await until(pilot, lambda app=app, ground=ground: app.current_theme.dark != ground.dark)  # type: ignore[misc]
            assert read
            read.clear()


async def test_a_log_is_kept_laid_out_for_one_width() -> None:
    """It is the longest text there is, and no other pane is placed by how many rows it takes: of a width that it had nothing is kept."""
    async with opened() as (app, pilot, _peer):
        log = app.screen.query_one(ChangesPane)
        for size in ((100, 30), (132, 43), (160, 50), (120, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            here = {id(line) for line in log.lines}
            assert here and {id(line) for lines in log._laid.values() for line in lines} == here
