"""Opens the app on a scripted lab, at a size, with everything that moves by itself held still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any

from textual import events
from textual._context import visible_screen_stack
from textual.app import App
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.strip import Strip

from app import story
from app.helpers import Answer, Peer
from app.recordings import recorded
from netless.app.app import TutorApp
from netless.config.colours import DARK, LIGHT
from netless.config.schema import DEFAULTS, Settings
from netless_lab import protocol

COURSES: dict[type[protocol.Request[Any]], Answer] = {
    protocol.GetCourses: recorded("plug-courses").answer,
}


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (120, 40),
    *,
    opening: list[protocol.Message] | None = None,
    answers: dict[type[protocol.Request[Any]], Answer] | None = None,
    theme: str = "dark",
    settings: Settings = DEFAULTS,
    course: str | None = None,
    began: bool = False,
) -> AsyncIterator[tuple[TutorApp, Pilot[None], Peer]]:
    """The app, joined and painted; its pilot; and the lab's end of the wire. ``began``: the lab is one that this app started."""
    peer = Peer(story.opening() if opening is None else opening, {**COURSES, **(answers or {})})
    app = TutorApp(peer.connect, palette=LIGHT if theme == "light" else DARK, settings=settings, course=course, began=lambda: began)
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        await until(pilot, lambda: bool(app.view.courses) and (opening == [] or app.view.status is not None))
        await pilot.pause()
        yield app, pilot, peer


def typed_at_once(app: TutorApp, *keys: str) -> None:
    """What the driver does with several keys in one read: all of them lie in the app's queue before it takes the first."""
    for key in keys:
        app.post_message(events.Key(_character_to_key(key), key) if len(key) == 1 else events.Key(key, None))


def quiet(app: TutorApp) -> None:
    """All that is told in passing has been read."""
    while app.notices:
        app.notices.over()


async def until(pilot: Pilot[None], true: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for something to become true; what never does fails here and says nothing more than that."""
    for _ in range(int(seconds / 0.02)):
        if true():
            await pilot.pause()
            return
        await asyncio.sleep(0.02)
    raise AssertionError("waited in vain")


def strips(app: App[None]) -> list[Strip]:
    """The screen as it is painted. What lies under an open window is painted only for those who say which screens those are."""

    def paint() -> list[Strip]:
        visible_screen_stack.set(app._background_screens)
        return app.screen._compositor.render_strips()

    return copy_context().run(paint)


def rows(app: TutorApp) -> list[str]:
    """The screen as text, one string a row."""
    return ["".join(segment.text for segment in strip) for strip in strips(app)]


def screen(app: TutorApp) -> str:
    """The screen as one text."""
    return "\n".join(rows(app))
