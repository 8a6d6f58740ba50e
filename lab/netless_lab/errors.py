"""Errors that a person is meant to read: what happened, why, and what to do."""

from __future__ import annotations

from typing import Literal

ExitCode = Literal[1, 2, 3, 4, 5]
"""1 the check failed, 2 wrong usage or bad lesson, 3 this machine cannot, 4 our own fault, 5 there is no such lab."""


class Refusal(Exception):
    """What was asked cannot be done. ``nearest`` offers names that were perhaps meant.

    ``going`` is what doing it all the same would take away or put back, for one who may be asked; None when there is no such way.
    """

    def __init__(self, text: str, *, code: ExitCode = 2, nearest: tuple[str, ...] = (), going: tuple[str, ...] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.nearest = nearest
        self.going = going
