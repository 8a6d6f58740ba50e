"""A lab that writes down which modules it imports until its first client has been shown all there is: nobody outside could tell.

It is a whole lab, but for the warming up that comes a while after, for who asks for more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from helpers.running import Running, running
from netless_lab import inside, labs
from netless_lab.connection import Audience
from netless_lab.sandbox.pid1 import Room

_DIARY: Final = "/run/diary"
_SHOWN: Final = "(shown)"


def main(room: Room) -> None:
    """What runs as PID 1 of such a lab."""
    inside.WARM_UP_S = 3600
    join = Audience.join

    def joining(audience: Audience, *who: Any, **how: Any) -> None:
        _write(_SHOWN)
        join(audience, *who, **how)

    setattr(Audience, "join", joining)  # noqa: B010
    sys.addaudithook(lambda event, args: _write(args[0]) if event == "import" else None)
    inside.main(room)


@contextmanager
def loading() -> Iterator[Running]:
    """Such a lab, running, with its first client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labs, "ENTRY", f"{__name__}:main")
        with running() as lab:
            yield lab


def imported(lab: Running) -> list[str]:
    """What it has imported since it became PID 1, until its first client had been shown the lab."""
    lines = lab.sh(f"cat {_DIARY}").splitlines()
    return lines[: lines.index(_SHOWN)]


def _write(what: str) -> None:
    with open(_DIARY, "a", encoding="utf-8") as file:
        file.write(f"{what}\n")
