"""What runs in a shell, and at which terminal somebody is, as far as the machine shows it (proc(5)): one that hides the processes of others tells nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

_LONGEST: Final = 60
"""How much of a command line is told, in characters."""
_PSEUDO_TERMINALS: Final = range(136, 144)
"""Major numbers of their devices (Documentation/admin-guide/devices.txt)."""


class _Process(NamedTuple):
    parent: int
    group: int
    terminal: int
    foreground: int
    """The process group that its terminal is for."""


class Processes:
    """All that there are, as they were read."""

    def __init__(self) -> None:
        self._found = {pid: own for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if (own := _read(pid)) is not None}

    def programs(self, leader: int) -> tuple[str, ...]:
        """The command lines of what runs in a shell, what is in the foreground first: jobs, not what they start themselves.

        ``leader`` entered the node and leads the session on the terminal out here, 0 when nobody does; its child became the shell, on a terminal of the
        node's own.
        """
        jobs: list[tuple[bool, int]] = []
        for shell in [pid for pid, own in self._found.items() if leader and own.parent == leader]:
            jobs += [(own.group != own.foreground, pid) for pid, own in self._found.items() if own.parent == shell]
        return tuple(filter(None, (_command_line(pid) for _, pid in sorted(jobs))))


def terminal_of(process: int) -> str:
    """The name of the terminal that a process belongs to, "" when there is none that has such a name."""
    own = _read(process)
    if own is None:
        return ""
    major, minor = os.major(own.terminal), os.minor(own.terminal)
    return f"pts/{(major - _PSEUDO_TERMINALS[0]) * 256 + minor}" if major in _PSEUDO_TERMINALS else f"tty{minor}" if major == 4 and minor < 64 else ""


def _read(pid: int) -> _Process | None:
    try:
        _, parent, group, _, terminal, foreground, *_ = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return _Process(int(parent), int(group), int(terminal), int(foreground))
    except (OSError, ValueError):
        return None


def _command_line(pid: int) -> str:
    """One line, whatever is in it; nothing for who has ended."""
    try:
        program, _, rest = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").partition(b"\0")
    except OSError:
        return ""
    words = b" ".join(filter(None, (os.path.basename(program), rest.replace(b"\0", b" ")))).decode(errors="replace")
    line = "".join(sign if sign.isprintable() else " " for sign in words)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
