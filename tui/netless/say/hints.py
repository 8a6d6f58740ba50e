"""Hints: help that was asked for, and how much of it there is."""

from __future__ import annotations

from typing import Final

from .links import ToStep
from .text import Block, barred, joined, labelled, plain, ticked

HINT_KEY: Final = "hint"
"""Marks the rows of hints, so that the pane can scroll to the newest."""


def hinted(label: str, hint: str) -> Block:
    """One hint."""
    return barred(joined((label, "warn")) + ticked(hint), "warn", key=HINT_KEY)


def taught(target: str, called: str) -> Block:
    """Which step teaches it, and what that is called."""
    return labelled("Taught in ", plain(called).leading(ToStep(target)))
