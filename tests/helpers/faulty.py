"""The agent of a lab with a fault of its own: who asks for the faults that can be broken comes upon it."""

from __future__ import annotations

from typing import NoReturn
from unittest.mock import patch

from netless_lab import inside
from netless_lab.drill.library import Library
from netless_lab.sandbox.pid1 import Room


def main(room: Room) -> None:
    """As ``netless_lab.inside:main``."""
    with patch.object(Library, "needs", _fail):
        inside.main(room)


def _fail(library: Library) -> NoReturn:
    raise TypeError("a fault of ours")
