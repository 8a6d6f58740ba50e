"""A lab in which no thread can be started for whoever is to come in: what tells his doings from how the lab began needs one."""

from __future__ import annotations

from typing import NoReturn
from unittest.mock import patch

from netless_lab import inside
from netless_lab.sandbox.pid1 import Room
from netless_lab.session.origin import Origin


def main(room: Room) -> None:
    """What runs as PID 1 of such a lab."""
    with patch.object(Origin, "known", _fail):
        inside.main(room)


async def _fail(origin: Origin) -> NoReturn:
    raise RuntimeError("can't start new thread")
