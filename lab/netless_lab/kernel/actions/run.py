"""Running any command line inside a node."""

from __future__ import annotations

from typing import Final

from ...primitives.run import Run
from ..namespace import call_in
from ..prompt import run_to_end
from ..toolbox import Toolbox

LONGEST_S: Final = 60.0


class CommandFailed(Exception):
    """The line did not end well: how, and the last thing it said."""


def run(tools: Toolbox, action: Run) -> None:
    """sh(1) in the node's network namespace, once what was built just now is ready for packets.

    What the line leaves in the background goes on running. Raises CommandFailed for any exit status but 0, and after LONGEST_S.
    """
    namespace = tools.namespace(action.node)
    tools.settle()
    ended = call_in(namespace, run_to_end, ["sh", "-c", action.line], seconds=LONGEST_S)
    if ended.status is None:
        raise CommandFailed(f"it did not end within {LONGEST_S:g} seconds and was stopped")
    if ended.status:
        raise CommandFailed(f"exit status {ended.status}: {ended.last_line or 'it said nothing'}")
