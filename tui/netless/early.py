"""What is done before a verb is known, and imports nothing that takes time: the standard streams, the lab in hand, the short way into a node."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, Literal, TextIO

LAB_VARIABLE: Final = "NETLESS_LAB"
"""Names the lab of every command without ``--lab``; in the lab itself it is set, to that lab."""
DEFAULT_LAB: Final = "default"


def lab_in(environment: Mapping[str, str]) -> str:
    """The lab that a bare command acts on."""
    return environment.get(LAB_VARIABLE) or DEFAULT_LAB


def enter(words: list[str]) -> None:
    """``netless exec NODE -- CMD`` where all is plain: carry the command in the node and end as it does; return where that is not plain to do.

    What is not plain, another option than --lab, a lab or a node that is not there, an empty command, is left to the verb itself, which has
    the words for it. A parser and a reader of messages would take four times as long as entering does.
    """
    from netless_lab import join
    from netless_lab.greeting import lets_in

    lab = lab_in(os.environ)
    if words[:1] == ["--lab"] and len(words) > 1:
        lab, words = words[1], words[2:]
    verb, node, *command = (*words, "", "")[: max(len(words), 2)]
    if command[:1] == ["--"]:
        command = command[1:]
    elif "".join(command[:1]).startswith("-"):
        return
    if verb == "exec" and command and not node.startswith("-") and lets_in(lab, node):
        join.go_in(lab, node, command)


def settle() -> None:
    """The streams, whatever state they were handed over in: what is closed (``>&-``) is opened on /dev/null, so that no other file gets its
    number; signs that the encoding lacks are written as ``?``.
    """
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
