"""How somebody becomes part of a node: the command line and the environment to start. All of it is decided here, by who enters.

A process may also enter itself (``go_in``): a fresh Python takes longer to start than all the rest of it.
"""

from __future__ import annotations

import os
import sys

from .address import address
from .room import HOME, PATH

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Final, NoReturn

_ENTER: Final = os.path.join(os.path.dirname(__file__), "sandbox", "enter.py")


def command(lab: str, node: str, *, stay: bool = False) -> tuple[str, ...]:
    """argv that takes a command after it and runs it in a node; with ``stay`` the lab is in use as long as that runs.

    It works from any terminal of the lab's user, outside and inside the lab alike. Raises ValueError for an impossible name of a lab.
    """
    return (sys.executable, "-I", "-S", "-X", "utf8", _ENTER, address(lab), node, "stay" if stay else "pass", "--")


def become(lab: str, node: str, command_line: list[str]) -> NoReturn:
    """Become a process that carries a command in a node, in place of this one: so every signal and the exit code are the command's own."""
    argv = (*command(lab, node, stay=True), *command_line)
    os.execve(argv[0], argv, {**os.environ, **environment(lab, node)})


def go_in(lab: str, node: str, command_line: list[str]) -> NoReturn:
    """The same without another Python: for a process that has imported next to nothing, and has nothing to end in order.

    Where this one is not as a fresh one would be it is left to that: the kernel lets no second thread into another user's namespace (setns(2)),
    and what the lab says is UTF-8, whatever the language of its user.
    """
    if sys.getfilesystemencoding() != "utf-8" or len(os.listdir("/proc/self/task")) > 1:
        become(lab, node, command_line)
    from .sandbox import visitor

    os.environ.update(environment(lab, node))
    os._exit(visitor.main(address(lab), node, command_line, stay=True))


def environment(lab: str, node: str) -> dict[str, str]:
    """What to set for such a command, on top of the caller's own variables; those that make no sense inside are taken out there.

    NETLESS_LAB tells ``netless`` typed inside that it is in a lab, and which one it acts on unless told otherwise.
    """
    return {
        "HOME": HOME,
        "PATH": PATH,
        "USER": "root",
        "LOGNAME": "root",
        "SHELL": "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh",
        "PS1": f"root@{node}:$PWD# ",
        "NETLESS_LAB": lab,
        "NETLESS_NODE": node,
    }
