"""The three standard streams, whatever state they were handed over in: a closed one (``>&-``), or one whose encoding lacks our signs."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Literal, TextIO


def settle() -> None:
    """Open what is closed on /dev/null, so that no other file gets its number; signs that the encoding lacks are written as ``?``."""
    sys.stdin = _settled(sys.stdin, 0, "r")
    sys.stdout = _settled(sys.stdout, 1, "w")
    sys.stderr = _settled(sys.stderr, 2, "w")


def drop_result() -> None:
    """What stdout still holds and cannot take (a closed pipe, a full disk) is let go, so that Python does not try again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _settled(stream: TextIO | None, number: int, mode: Literal["r", "w"]) -> TextIO:
    """Python has None for a stream that is closed when it starts."""
    if stream is None:
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.dup2(null, number)
            os.close(null)
        os.set_inheritable(number, True)
        return os.fdopen(number, mode, encoding="utf-8", errors="replace", closefd=False)
    if mode == "w" and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream
