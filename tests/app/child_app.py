"""The tutor in a process of its own, on a scripted lab: ``python child_app.py [crash | replay | stuck] [asks] [f10]``. For tests from outside and benchmarks."""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

from app import story
from app.driving import COURSES
from app.helpers import Answer, Peer, says_nonsense
from netless import leaving
from netless.app import run_app
from netless.app.screens.tutor import TutorScreen
from netless.config.schema import Settings
from netless_lab import protocol, stream
from netless_lab.model.journey import Journey

NONSENSE: dict[type[protocol.Request[Any]], Answer] = {
    protocol.Explain: says_nonsense({"answered": True, "seen": "", "facts": [{"text": ["[/]"]}]}),
    protocol.Check: lambda request: [protocol.JourneyEvent(story.NOON, Journey("c1", "c2", ()))],
}
"""An explanation that a worker of the app cannot read, once it does not say so (``_trust``), and a packet whose painting fails (``_fail``)."""


def _trust(request: protocol.Request[Any], done: protocol.Done) -> Any:
    """A fault of our own: every answer is taken for what it is to be."""
    return request.reply(done)


def _fail(self: TutorScreen, journey: Journey) -> Any:
    """A fault of our own in the painting of a packet's way."""
    return msgspec.convert({"source": 1}, Journey)


def _compute(self: TutorScreen) -> None:
    """What the loop never comes back from."""

    def compute() -> None:
        os.write(1, b"\x1b]2;computes\x07")
        while True:
            sum(range(1000))

    self.set_timer(0.5, compute)


def main() -> int:
    """Run until told to stop; with ``crash`` the lab says what no lab says, with ``replay`` a packet moves on and on, with ``stuck`` the
    loop computes for ever; with ``asks`` the terminal is asked for its background; with ``f10`` it is that key that quits."""
    opening = story.opening()
    if "replay" in sys.argv:
        from app import journeys
        from netless.app.drawing import frames_of
        def play(self: TutorScreen) -> None:
            assert self.picture.scene is not None
            self.picture.play(frames_of(journeys.HOME, self.picture.scene) * 200)

        def soon(self: TutorScreen) -> None:
            self.set_timer(1.0, lambda: play(self))

        setattr(TutorScreen, "_first_look", soon)  # noqa: B010
        opening = story.opening("masquerade-opening", log=())
    if "crash" in sys.argv:
        setattr(stream, "reply", _trust)  # noqa: B010
        setattr(TutorScreen, "_play", _fail)  # noqa: B010
    if "stuck" in sys.argv:
        setattr(leaving, "PATIENCE_S", 0.5)  # noqa: B010
        setattr(TutorScreen, "_first_look", _compute)  # noqa: B010
    peer = Peer(opening, {**COURSES, **NONSENSE} if "crash" in sys.argv else COURSES)
    settings = Settings(theme="auto" if "asks" in sys.argv else "dark", keys={"quit": ("f10",)} if "f10" in sys.argv else {})
    return leaving.exit_code(run_app(peer.connect, settings))


if __name__ == "__main__":
    sys.exit(main())
