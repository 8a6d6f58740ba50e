"""A fault as a list shows it."""

from __future__ import annotations

import msgspec


class Listed(msgspec.Struct, frozen=True):
    """For whoever chooses one. ``nodes`` are the containers it can be chosen for; ``lacks`` what this machine has not got for it; ``teaches`` the
    position of the step that explains it.
    """

    id: str
    title: str
    tells: str
    teaches: str
    start: str
    number: int | None
    nodes: tuple[str, ...]
    needs: tuple[str, ...]
    lacks: str = ""
