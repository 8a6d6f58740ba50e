"""The real command line with something wrong in it: help fails, and so does building a lab again that is gone. For tests of crashes.

``python breaking_app.py WORD...``
"""

from __future__ import annotations

import sys

from netless.__main__ import main
from netless.app.screens.rebuild import GoneScreen
from netless.app.screens.windows import Windows
from netless.linear.windows import Windows as InLines


def broken(self: Windows | InLines | GoneScreen, where: str = "") -> None:
    """A fault of our own."""
    raise RuntimeError("the help broke")


if __name__ == "__main__":
    setattr(Windows, "show_help", broken)  # noqa: B010
    setattr(InLines, "show_help", broken)  # noqa: B010
    setattr(GoneScreen, "action_rebuild", broken)  # noqa: B010
    sys.exit(main())
