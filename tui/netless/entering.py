"""``netless exec NODE -- CMD`` where all is plain: straight into the node, without what only other verbs need.

What is not plain, another option than --lab, a lab or a node that is not there, an empty command, is left to the verb itself, which has the
words for it. A parser and a reader of messages would take four times as long as entering does.
"""

from __future__ import annotations

import os

from netless_lab import join
from netless_lab.greeting import lets_in

from .lab_in_hand import lab_in


def enter(words: list[str]) -> None:
    """Carry the command in the node and end as it does; return where that is not plain to do."""
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
