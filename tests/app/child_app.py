"""The tutor in a process of its own, on a recorded lab: ``python child_app.py [crash | replay]``. For tests from outside and benchmarks."""

from __future__ import annotations

import sys

from app import story
from app.driving import COURSES
from app.helpers import Peer
from netless.app.run import run_app
from netless_lab import protocol


def main() -> int:
    """Run until told to stop; with ``crash`` the help key fails, with ``replay`` a packet moves on and on."""
    if "crash" in sys.argv:
        from netless.app.screens.tutor import TutorScreen

        def broken(self: TutorScreen) -> None:
            raise RuntimeError("the [bold]help[/] broke")

        TutorScreen.action_help = broken  # type: ignore[assignment, method-assign]
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
        opening = [opening[0], protocol.SnapshotEvent(story.snapshot(second=True))]
    peer = Peer(opening, COURSES)
    return run_app(peer.connect, theme="dark")


if __name__ == "__main__":
    sys.exit(main())
