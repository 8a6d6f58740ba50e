"""Terminals in the lab's nodes, and the step's commands put at their prompt."""

from __future__ import annotations

from itertools import takewhile

from netless_lab.primitives.base import Dialect

from ..desk.desk import Desk
from .stage import Stage


async def enter(desk: Desk, stage: Stage) -> None:
    """Go to the terminal of the node that the step is about."""
    assert desk.view.status is not None
    await stage.terminal(desk.view.status.page.shell)


async def shells(desk: Desk, stage: Stage) -> None:
    """What other shells the lab has: those that are chosen are gone on with here."""
    if stage.shells.forbidden:
        desk.tell("info", stage.shells.forbidden)
        return
    found = await stage.shells.elsewhere()
    if not found:
        desk.tell("info", "There are no shells to take over: no other tutor of this lab has any, and none is left from before.")
    elif chosen := await stage.windows.choose_shells(found):
        await stage.shells.take_over([shell for shell in found if shell.number in chosen])


async def type_it(desk: Desk, stage: Stage) -> None:
    """Put the commands of the step at the prompt; the learner presses Enter."""
    assert desk.view.status is not None
    node, text = desk.view.status.page.shell, as_typed(desk.view.commands, desk.view.dialect)
    if await stage.terminal(node) and text and not await stage.put_at_prompt(node, text):
        desk.tell("warning", "There is no prompt to type at: something runs in this terminal.", lapses=True)


def as_typed(commands: tuple[str, ...], dialect: Dialect) -> str:
    """A step's commands as one would type them: shell lines as they are, Python as a here-document.

    Only as far as they can be typed now: a line that names a process yet to be started (``$PID_c2``) waits until it runs.
    """
    text = "\n".join(takewhile(lambda line: "$PID_" not in line, commands))
    return f"python3 - <<'END'\n{text}\nEND" if dialect == "pyroute2" else text
