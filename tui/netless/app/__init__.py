"""The tutor, drawn with Textual. ``run_app`` is its one door; the screen is imported only when it is really to be drawn."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable

from .leaving import HungUp, Leaving, Signalled


def run_app(connect: Callable[[], socket.socket], *, lab: str = "default", theme: str | None = None, course: str | None = None) -> Leaving:
    """Show the tutor until it ends; returns why it did.

    ``connect`` gives a connected socket of the lab's agent, starting the lab if need be; it runs beside the first frame in a thread.
    ``theme`` is "dark", "light" or None to ask the terminal. ``course`` is the course to open.
    """
    gc.disable()
    _prepare_environment()
    from .app import TutorApp
    from .themes import NAMES, background
    from .toolkit import crop_both_edges, own_driver, wrap_wide_text

    chosen = theme if theme in ("dark", "light") else background() or "dark"
    crop_both_edges()
    wrap_wide_text()
    app = TutorApp(connect, driver=own_driver(), lab=lab, theme=NAMES["light" if chosen == "light" else "dark"], course=course)
    try:
        app.run()
    except KeyboardInterrupt:
        return Signalled(signal.SIGINT)
    finally:
        app.settled()
    return app.leaving or HungUp()  # the driver ended it: a browser's server told it to


def _prepare_environment() -> None:
    """iTerm2 loses composed text under the Kitty keyboard protocol (textual#6542); Textual reads this when it is imported."""
    if os.environ.get("LC_TERMINAL") == "iTerm2" and "TMUX" not in os.environ:
        os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
