"""The tutor in a process of its own, on a scripted lab: ``python child_app.py [crash | replay]``. For tests from outside and benchmarks."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from app import story
from app.driving import COURSES
from app.helpers import Answer, Peer
from netless.app.app import TutorApp
from netless.app.run import run_app
from netless.leaving import exit_code
from netless_lab import protocol

NONSENSE: dict[type[protocol.Request], Answer] = {
    protocol.Explain: lambda request: [protocol.Done(request.id, {"answered": True, "seen": "", "facts": [{"text": ["[/]"]}]})],
    protocol.Check: lambda request: [protocol.JourneyEvent(story.NOON, {"source": "c1", "target": "c2", "hops": [{"node": 1}]})],
}
"""An explanation that a worker of the app cannot read, once it does not say so (``_trust``), and a packet that the painting of it cannot."""


def _trust(self: TutorApp, answer: Any, kind: type[Any]) -> Any:
    """A fault of our own: every answer is taken for what it is to be."""
    return msgspec.convert(answer, kind)


def main() -> int:
    """Run until told to stop; with ``crash`` the lab says what no lab says, with ``replay`` a packet moves on and on."""
    opening = story.opening()
    if "replay" in sys.argv:
        from app import journeys
        from netless.app.replay import frames_of
        from netless.app.screens.tutor import TutorScreen

        def play(self: TutorScreen) -> None:
            assert self.picture.scene is not None
            self.picture.play(frames_of(journeys.HOME, self.picture.scene) * 200)

        def soon(self: TutorScreen) -> None:
            self.set_timer(1.0, lambda: play(self))

        TutorScreen.first_look = soon  # type: ignore[assignment, method-assign]
        opening = story.opening("masquerade-opening", log=())
    if "crash" in sys.argv:
        setattr(TutorApp, "read", _trust)  # noqa: B010
    peer = Peer(opening, {**COURSES, **NONSENSE} if "crash" in sys.argv else COURSES)
    return exit_code(run_app(peer.connect, theme="dark"))


if __name__ == "__main__":
    sys.exit(main())
