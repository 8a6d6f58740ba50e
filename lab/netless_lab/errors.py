"""Errors that a person is meant to read: what happened, why, and what to do."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .model.clearing import Clearing

ExitCode = Literal[1, 2, 3, 4, 5]
"""1 the check failed or the lab forbids it now, 2 wrong usage or bad lesson, 3 this machine cannot, 4 our own fault, 5 there is no such lab."""


class Refusal(Exception):
    """What was asked cannot be done. ``nearest`` offers names that were perhaps meant.

    ``clearing`` is what doing it all the same would take away and put back, for one who may be asked; None when there is no such way.
    """

    def __init__(self, text: str, *, code: ExitCode = 2, nearest: tuple[str, ...] = (), clearing: Clearing | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.nearest = nearest
        self.clearing = clearing


def for_want_of_room(error: BaseException) -> str:
    """That something failed because no process or thread could be started for it, or no file opened, and what to do, in words; "" when that is
    not why.

    clone(2) says EAGAIN. Of a program's start Python tells that, and which program it was; of a thread's it has only a sentence of its own.
    """
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return (
            "The lab can open no more files: its process 1 has as many as it may (`prlimit --nofile --pid 1`), or the machine has. Namespaces that are "
            "taken away and terminals that are left give some back; where somebody lowered that limit, `netless down` ends the lab, and a new one has its own."
        )
    program = isinstance(error, BlockingIOError) and error.filename is not None
    if not program and (type(error), str(error)) != (RuntimeError, "can't start new thread"):
        return ""
    return (
        "As many processes and threads run as the lab, its user, or the container or session around it may have, so nothing more can be started. "
        "`reset step` ends what runs wild in the lab; what runs beside it has to end, or that bound to be raised, by whoever set it."
    )


class ApplyError(Exception):
    """A change to the lab that the kernel refused, in words: the ``problem``, and ``advice`` what to do. ``errno`` is its name (EEXIST ...), "" when
    no system call failed.
    """

    def __init__(self, text: str, *, errno: str = "", advice: str = "") -> None:
        super().__init__(f"{text} {advice}".rstrip())
        self.problem = text
        self.errno = errno
        self.advice = advice
