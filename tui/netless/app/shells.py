"""Shells in the lab's nodes: how the app opens one, and how a step's commands are put at its prompt."""

from __future__ import annotations

import asyncio
from itertools import takewhile
from time import monotonic
from typing import TYPE_CHECKING

from netless_lab import join
from netless_lab.primitives.base import Dialect

from ..shell import command as shell_command

if TYPE_CHECKING:
    from .terminal import PtyTerminal

PROMPT_WAIT_S = 5.0
"""How long a shell may take to show its first prompt."""
END_WAIT_S = 0.5
"""How long a command may go on that was about to end; what takes longer keeps the terminal."""


def as_typed(commands: tuple[str, ...], dialect: Dialect) -> str:
    """A step's commands as one would type them: shell lines as they are, Python as a here-document.

    Only as far as they can be typed now: a line that names a process yet to be started (``$PID_c2``) waits until it runs.
    """
    text = "\n".join(takewhile(lambda line: "$PID_" not in line, commands))
    return f"python3 - <<'END'\n{text}\nEND" if dialect == "pyroute2" else text


def shell_in(lab: str, node: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The argv and environment of a shell in a node."""
    return (*join.command(lab, node), *shell_command()), join.environment(lab, node)


def open_terminal(lab: str, node: str) -> PtyTerminal:
    """A terminal with a shell in the node; it starts when it gets a size."""
    from .terminal import PtyTerminal

    argv, env = shell_in(lab, node)
    return PtyTerminal(argv, env=env)


async def put_at_prompt(terminal: PtyTerminal, text: str) -> bool:
    """Put text at the prompt as soon as there is one; the learner presses Enter. False when no prompt came: something else reads there.

    A shell that has ended is started again, as Enter does.
    """
    if terminal.offers_restart:
        terminal.start()
    begun = monotonic()
    while terminal.prompt != "ready":
        if monotonic() - begun > (END_WAIT_S if terminal.prompt == "taken" else PROMPT_WAIT_S):
            return False
        await asyncio.sleep(0.02)
    return terminal.type_text(text)
