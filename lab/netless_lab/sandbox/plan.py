"""What a client hands to the process that makes a room: one JSON document, with open files beside it, on the socket that is its standard input."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final, NamedTuple

from ..room import HOME, NETLESS, NETNS
from .limits import DEFAULT_PROCESSES

PROGRAMS: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu")
"""What a room shows of the machine (hier(7), and two that hold whole systems elsewhere). All else is covered; what Python must find there is
kept by name."""
_ITS_OWN: Final = ("/dev", "/etc", "/proc", "/sys", "/run", "/tmp", "/var", HOME, NETLESS, NETNS)
"""What in a room is never the machine's."""


class Plan(NamedTuple):
    """How to make one room.

    ``entry`` is ``module:function``, called in PID 1 with a ``pid1.Room``. ``path`` becomes ``sys.path``. ``keep`` are paths outside
    ``PROGRAMS`` that stay visible, read-only. ``status_fd`` is the pipe that tells the client how far it got; ``held`` are files, by their
    numbers, that stay open outside as long as the room lives. So do those that come with the plan, but for the first ``passed`` of them,
    which are the agent's. ``saver`` is ``module:function``, called outside with ``kept_in``; what it answers keeps what the agent wants
    kept ("" for nothing). ``ahead`` is ``module:function``, imported outside and called with ``argument`` in the room's mounts, while the
    agent is imported; it answers the bytes that are the room's ``ahead``. ``notes`` are what the lab has to do without, in words, as far as
    it is known before it is begun.
    """

    lab: str
    entry: str
    path: tuple[str, ...]
    keep: tuple[str, ...]
    status_fd: int
    node: str = "host"
    processes: int = DEFAULT_PROCESSES
    executable: str = sys.executable
    argument: str = ""
    passed: int = 0
    held: tuple[int, ...] = ()
    saver: str = ""
    kept_in: str = ""
    ahead: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """For the pipe."""
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Back from the pipe."""
        fields: dict[str, Any] = json.loads(text)
        for name in ("path", "keep", "held", "notes"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def import_path() -> tuple[str, ...]:
    """This interpreter's ``sys.path`` with every entry absolute, so that it means the same in another directory."""
    return tuple(dict.fromkeys(os.path.abspath(entry) for entry in sys.path))


def kept(extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The paths Python needs, and ``extra`` ones, that a room would cover (a checkout or a venv at home, or in /tmp); outermost only.

    A home itself is not shown because Python was started there, which puts it on the path.
    """
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(sys.executable))
    home = os.path.realpath(os.path.expanduser("~"))
    needed = {path for path in _both_names((*import_path(), *prefixes)) if not _is_below(home, path)}
    shown = {*PROGRAMS, *(os.path.realpath(path) for path in PROGRAMS), HOME, NETLESS, NETNS}
    wanted = sorted(path for path in needed | _both_names(extra) if os.path.exists(path) and path != "/" and not _is_below(path, *shown))
    return tuple(path for path in wanted if not any(path != other and _is_below(path, other) for other in wanted))


def shown(folder: str) -> str:
    """The absolute path of a folder of the machine's that somebody wants to see in a room. Raises ValueError, for a person to read."""
    if not os.path.isdir(folder):
        raise ValueError(f"{folder} is no folder, so it cannot be shown in a lab")
    for path in sorted(_both_names((folder,))):
        around = [own for own in _ITS_OWN if path == "/" or _is_below(own, path)]
        within = [own for own in ("/dev", "/proc", "/sys", HOME, NETLESS, NETNS) if _is_below(path, own)]
        if around or within:
            raise ValueError(f"{folder} cannot be shown in a lab, which has {(around or within)[0]} of its own: show a folder beside it or deeper")
    return os.path.abspath(folder)


def _both_names(paths: tuple[str, ...]) -> set[str]:
    """Each path as it is called, and as it is called when links are followed."""
    named = {os.path.abspath(path) for path in paths}
    return named | {os.path.realpath(path) for path in named}


def _is_below(path: str, *tops: str) -> bool:
    return any(f"{path}/".startswith(f"{top}/") for top in tops)
