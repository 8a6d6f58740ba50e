"""The tutor line by line: no screen, no colour, no sign that moves a cursor. For readers that speak, narrow terminals, pipes and logs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from ..leaving import Leaving
from .paper import Paper


def run_lines(connect: Callable[[], socket.socket], lab: str, course: str, paper: Paper, began: Callable[[], bool]) -> Leaving:
    """Teach on this paper until somebody leaves; returns how. ``connect``, ``course`` and ``began`` as for ``app.run_app``."""
    from .tutor import teach  # who only looks on needs none of it

    return asyncio.run(teach(connect, lab, course, paper, began))
