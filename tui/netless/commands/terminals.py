"""Terminals in the lab's nodes, and the step's commands put at their prompt."""

from __future__ import annotations

from itertools import takewhile

from netless_lab.primitives.base import Dialect

from ..desk.desk import Desk
from ..desk.view import View
from ..say.passing import NO_PROMPT, NO_SHELLS, left_out, processes_in
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
        desk.tell("info", NO_SHELLS)
    elif chosen := await stage.windows.choose_shells(found):
        await stage.shells.take_over([shell for shell in found if shell.number in chosen])


async def type_it(desk: Desk, stage: Stage) -> None:
    """Put the commands of the step at the prompt, as far as they can be typed now; the learner presses Enter."""
    view = desk.view
    assert view.status is not None
    node, text = view.status.page.shell, as_typed(typable(view.commands), view.dialect)
    if not await stage.terminal(node):
        return
    if text and not await stage.put_at_prompt(node, text):
        desk.tell("warning", NO_PROMPT, lapses=True)
    else:
        tell_left_out(desk, view)


async def copy(desk: Desk, stage: Stage) -> None:
    """Copy the commands of the step, as far as they can be typed now."""
    view = desk.view
    if lines := typable(view.commands):
        stage.copy("\n".join(lines))
    tell_left_out(desk, view)


def tell_left_out(desk: Desk, view: View) -> None:
    """Tell which commands of the step cannot be typed yet, if any, and why."""
    waiting = view.commands[len(typable(view.commands)) :]
    if waiting:
        desk.tell("info", left_out(len(waiting), processes_in(waiting)[0]), lapses=True)


def typable(commands: tuple[str, ...]) -> tuple[str, ...]:
    """A step's commands as far as they can be typed now: a line that names a process yet to be started, and what comes after it, waits until it runs."""
    return tuple(takewhile(lambda line: not processes_in((line,)), commands))


def as_typed(commands: tuple[str, ...], dialect: Dialect) -> str:
    """Commands as one would type them: shell lines as they are, Python as a here-document; nothing for none."""
    text = "\n".join(commands)
    return f"python3 - <<'END'\n{text}\nEND" if text and dialect == "pyroute2" else text
