"""The tutor, drawn with Textual. ``run_app`` is its one door; the screen is imported only when it is really to be drawn."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable

from ..config.place import palette
from ..config.schema import Settings
from ..leaving import HungUp, Leaving, Signalled


def run_app(connect: Callable[[], socket.socket], settings: Settings, *, lab: str = "default", course: str | None = None,
            record: tuple[int, str] | None = None, began: Callable[[], bool] = lambda: False, say: Callable[[str], None] = lambda words: None) -> Leaving:  # fmt: skip
    """Show the tutor until it ends; returns why it did. Raises Refusal (2) for a theme that is not there or cannot be used.

    ``connect`` gives a connected socket of the lab's agent, starting the lab if need be; it runs beside the first frame in a thread.
    ``course`` is the course to open, ``record`` an open file and its path: all that is shown is recorded there.
    ``began`` says whether the lab that was connected to last was started here, and ends with the app.
    ``say`` is told what is to be said on the terminal that was given back.
    """
    gc.disable()
    _prepare_environment()
    from .app import TutorApp
    from .themes import Asked, ask
    from .toolkit import crop_both_edges, let_painted_go, own_driver, wrap_wide_text

    asked = ask() if settings.theme == "auto" else Asked(None)
    chosen = palette(settings.theme if settings.theme != "auto" else asked.background or "dark", os.environ)
    crop_both_edges()
    let_painted_go()
    wrap_wide_text()
    app = TutorApp(connect, driver=own_driver(), read=asked.read, lab=lab, palette=chosen, settings=settings, course=course, record=record, began=began)
    try:
        app.run(mouse=settings.mouse)
    except KeyboardInterrupt:
        return Signalled(signal.SIGINT)
    finally:
        if words := app.settled():
            say(words)
    return app.leaving or HungUp()  # the driver ended it: a browser's server told it to


def _prepare_environment() -> None:
    """iTerm2 loses composed text under the Kitty keyboard protocol (textual#6542); Textual reads this when it is imported."""
    if os.environ.get("LC_TERMINAL") == "iTerm2" and "TMUX" not in os.environ:
        os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
