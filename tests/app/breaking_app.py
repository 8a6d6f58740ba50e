"""The real command line with one thing wrong in it: the help key fails. ``python breaking_app.py WORD...``; for tests of crashes."""

from __future__ import annotations

import sys

from netless.__main__ import main
from netless.app.screens.tutor import TutorScreen


def broken(self: TutorScreen) -> None:
    """A fault of our own."""
    raise RuntimeError("the help broke")


if __name__ == "__main__":
    setattr(TutorScreen, "action_help", broken)  # noqa: B010
    sys.exit(main())
