"""How somebody outside becomes part of a node: the command line and the environment to start, and terminals of the lab."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from .boot import PATH
from .limits import Limits
from .plan import HOME
from .relay import open_terminal

HOST_PID: Final = 1
"""The host node's process inside: the agent itself."""
_ENTER: Final = str(Path(__file__).with_name("enter.py"))


def command(agent_pid: int, node_pid: int, limits: Limits) -> tuple[str, ...]:
    """argv that takes a command after it and runs it in a node. For the agent to call: it names its own pid namespace.

    ``agent_pid`` is the agent as seen from outside (``Room.pid``), ``node_pid`` the node's process as seen from inside, ``HOST_PID``
    for the host. It works from any terminal of the machine and from inside the lab alike.
    """
    room = os.stat("/proc/self/ns/pid").st_ino
    options = {"--agent": agent_pid, "--room": room, "--node": node_pid, "--processes": limits.for_visitors}
    words = (word for option, value in options.items() for word in (option, str(value)))
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


def terminal(agent_pid: int) -> tuple[int, str]:
    """A new terminal of the lab, made from outside: its controlling end, and the path under which the other end can be opened here.

    A program started on it through ``command`` needs no relay and knows its terminal by name. Raises OSError when the lab is gone.
    """
    root = f"/proc/{agent_pid}/root/dev/pts"
    master, slave, number = open_terminal(f"{root}/ptmx")
    os.close(slave)
    return master, f"{root}/{number}"
