"""The shells of a lab: whose they are, and what runs in them."""

from __future__ import annotations

from typing import NamedTuple


class Owner(NamedTuple):
    """Whoever has shells of a lab: a process, and the terminal that it belongs to, "" where that is not known."""

    process: int
    terminal: str = ""


class Running(NamedTuple):
    """A shell in which programs run; ``kept`` when the lab keeps it, and them with it, as long as it goes on."""

    node: str
    programs: tuple[str, ...]
    kept: bool = True


class Shell(NamedTuple):
    """A shell that the lab keeps and that is not in our own terminals, by the ``number`` the lab knows it by.

    ``owner`` is None when nobody is at it. ``runs``: the programs that run in it. One that is over ended ``at`` a time, with a ``code`` that may be
    unknown.
    """

    number: int
    node: str
    owner: Owner | None = None
    runs: tuple[str, ...] = ()
    at: float | None = None
    code: int | None = None
