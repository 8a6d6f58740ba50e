"""Files of /proc that belong to a network namespace, opened once inside it and then read from anywhere.

/proc/sys/net and /proc/thread-self/net choose the namespace when a file is *opened*. Opening needs a thread inside (0.1 ms); reading
the open file again from offset 0 does not (0.5 microseconds) and gives the value of the moment (fs/proc/proc_sysctl.c, seq_file).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Final

from ..model.knobs import KNOBS, OF_DEVICES
from .namespace import Namespace, call_in, out_of_files
from .netlink.link import DeviceKnobs

_SIZE = 4096


class ProcFiles:
    """Some files of one namespace, by key. Close it with the node: an open file of /proc/net keeps its namespace alive."""

    def __init__(self, namespace: Namespace, paths: Mapping[str, str]) -> None:
        """Open every path of ``paths`` (key -> absolute path); those the kernel does not have are tried again when they appear."""
        self._namespace = namespace
        self._missing = dict(paths)
        self._open: dict[str, int] = {}
        self._retry()

    def read(self) -> dict[str, str]:
        """Key -> content without the last newline, for the files that exist."""
        if self._missing and any(os.path.exists(path) for path in self._missing.values()):
            self._retry()
        values: dict[str, str] = {}
        for key, fd in self._open.items():
            try:
                values[key] = os.pread(fd, _SIZE, 0).decode("ascii", "replace").strip()
            except OSError:  # the knob went away with its module or its namespace
                continue
        return values

    def close(self) -> None:
        """Close every file."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()
        self._missing.clear()

    def _retry(self) -> None:
        """Open what is missing. A file that exists here but not inside the namespace, or that we may not read, is given up."""
        before = {key for key, path in self._missing.items() if os.path.exists(path)}
        opened = call_in(self._namespace, _open_all, self._missing)
        self._open |= opened
        self._missing = {key: path for key, path in self._missing.items() if key not in opened and key not in before}


def _open_all(paths: Mapping[str, str]) -> dict[str, int]:
    opened: dict[str, int] = {}
    for key, path in paths.items():
        try:
            opened[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if out_of_files(error):
                for fd in opened.values():
                    os.close(fd)
                raise
            continue
    return opened


_XTABLES: Final = {
    "xtables/ip": "/proc/thread-self/net/ip_tables_names",
    "xtables/ip6": "/proc/thread-self/net/ip6_tables_names",
}
_PATHS: Final = {key: f"/proc/sys/{name}" for key, name in KNOBS.items()} | _XTABLES


class Sysctls:
    """The knobs of one namespace, kept open: reading all takes about ten microseconds. Close it with the node."""

    def __init__(self, namespace: Namespace) -> None:
        self._files = ProcFiles(namespace, _PATHS)

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def read(self, devices: Iterable[tuple[str, DeviceKnobs | None]]) -> tuple[dict[str, str], tuple[str, ...]]:
        """(sysctls of the snapshot, tables that legacy iptables has registered, empty or not: ``nat``, ``ip6 nat``)."""
        values = self._files.read()
        sysctls = {key: values[key] for key in KNOBS if key in values}
        for name, knobs in devices:
            if knobs is None:
                continue
            for knob, value in zip(DeviceKnobs._fields, knobs, strict=True):
                usual = values.get(OF_DEVICES[knob])
                if usual is not None and str(value) != usual:
                    sysctls[f"{knob}/{name}"] = str(value)
        tables = values.get("xtables/ip", "").split()
        return sysctls, (*tables, *(f"ip6 {table}" for table in values.get("xtables/ip6", "").split()))
