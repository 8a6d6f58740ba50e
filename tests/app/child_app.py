"""The tutor in a process of its own, on a recorded lab: ``python child_app.py [crash]``. For the tests that end it from outside."""

from __future__ import annotations

import sys

from app import story
from app.driving import COURSES
from app.helpers import Peer
from netless.app.run import run_app


def main() -> int:
    """Run until told to stop; with ``crash`` the help key fails."""
    if "crash" in sys.argv:
        from netless.app.screens.tutor import TutorScreen

        def broken(self: TutorScreen) -> None:
            raise RuntimeError("the [bold]help[/] broke")

        TutorScreen.action_help = broken  # type: ignore[method-assign]
    peer = Peer(story.opening(), COURSES)
    return run_app(peer.connect, theme="dark")


if __name__ == "__main__":
    sys.exit(main())
