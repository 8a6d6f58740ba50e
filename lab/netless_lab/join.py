"""How somebody becomes part of a node: the command line and the environment to start. All of it is decided here, by who enters."""

from __future__ import annotations

import os
import sys

from .address import address
from .room import HOME, PATH

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Final

_ENTER: Final = os.path.join(os.path.dirname(__file__), "sandbox", "enter.py")


def command(lab: str, node: str, *, stay: bool = False) -> tuple[str, ...]:
    """argv that takes a command after it and runs it in a node; with ``stay`` the lab is in use as long as that runs.

    It works from any terminal of the lab's user, outside and inside the lab alike. Raises ValueError for an impossible name of a lab.
    """
    options = {"--address": address(lab), "--node": node, "--stay": str(int(stay))}
    words = (word for option in options.items() for word in option)
    return (sys.executable, "-I", "-S", "-X", "utf8", _ENTER, *words, "--")


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
