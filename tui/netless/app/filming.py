"""Recording what the app shows: from when to when, in which sizes, and where a player can jump to."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.screen import Screen

from ..desk.desk import Desk
from ..desk.reduce import Recording, Told
from ..desk.view import View
from .toolkit import TerminalDriver, paint_all, terminal_of

if TYPE_CHECKING:
    from ..record.recorder import Recorder


class Filming:
    """The recordings of the app that has this screen, one after the other."""

    def __init__(self, screen: Screen[None], desk: Desk) -> None:
        self._screen, self._desk = screen, desk
        self._driver: TerminalDriver | None = None
        self._recorder: Recorder | None = None
        self._path, self._size = "", Size()
        self._passed = self._early = ""

    @property
    def forbidden(self) -> str:
        """Why nothing can be recorded here, as a sentence; "" when it can."""
        return "" if terminal_of(self._screen.app) is not None else "Only what goes to a terminal can be recorded."

    def begin(self, file: int, path: str) -> None:
        """Record to this new file from now on."""
        from ..record.asciicast import BEGIN, header
        from ..record.recorder import Recorder

        app, loop, view = self._screen.app, asyncio.get_running_loop(), self._desk.view
        driver = terminal_of(app)
        assert self._recorder is None and driver is not None
        self._size = width, height = app.size

        def lost(reason: str) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._lost, recorder, reason)

        title = f"netless: {view.status.course.title}" if view.status is not None else "netless"
        recorder = Recorder(file, header(width, height, int(time.time()), title, os.environ.get("TERM", "")), lost)
        self._recorder, self._path, self._passed, self._early = recorder, path, view.passed, ""
        recorder.written(BEGIN)
        self._driver, driver.tap = driver, recorder.written
        paint_all(app)
        self._desk.take(Recording(True))

    async def end(self) -> None:
        """Stop, and say where it is."""
        from ..record.asciicast import END

        recorder = self._stop()
        if recorder is not None:
            recorder.written(END)
            await asyncio.to_thread(recorder.close)
            if not recorder.failed:
                self._desk.take(Told("info", f"The recording is in {self._path}; `asciinema play` shows it.", copies=self._path))

    def seen(self, view: View) -> None:
        """This is shown now: a step that was just passed is a place to jump to."""
        passed, self._passed = view.passed != self._passed and view.passed, view.passed
        if passed and self._recorder is not None and view.status is not None:
            self._recorder.passed(view.status.page.title)

    def resized(self, size: Size) -> None:
        """The terminal has another size from now on."""
        if self._recorder is not None and size != self._size:
            self._size = size
            self._recorder.resized(*size)

    def close(self) -> str:
        """The app has ended, and given its terminal back. What is to be said of a recording that ran to the end, or would have."""
        recorder = self._stop()
        if recorder is None:
            return self._early
        recorder.close()
        return self._ends_early(recorder.failed) if recorder.failed else f"The recording is in {self._path}; `asciinema play` shows it."

    def _stop(self) -> Recorder | None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None and self._driver is not None:
            self._driver.tap = None
            self._desk.take(Recording(False))
        return recorder

    def _lost(self, recorder: Recorder, reason: str) -> None:
        if self._recorder is recorder:
            self._stop()
        self._early = self._ends_early(reason)
        self._desk.take(Told("error", self._early, copies=self._path))

    def _ends_early(self, reason: str) -> str:
        return f"The recording in {self._path} ends early: {reason}. What is there can be played."
