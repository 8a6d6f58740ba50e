"""How many processes a room may have at once, so that a fork bomb inside stays inside.

Two means, tried in this order:
* ``pid_max`` of the room's own pid namespace. It exists per namespace since Linux 6.14; before that the same file is the whole
  machine's, so the version is looked at first and the file is never touched on an older kernel.
* RLIMIT_NPROC, counted per user namespace since Linux 5.14. The machine's root is exempt from it (setrlimit(2)), so it
  holds only the rooms of ordinary users.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

DEFAULT_PROCESSES: Final = 1500
RESERVED: Final = 400
"""What visitors leave to the agent, so that it can still act when a fork bomb has taken the rest. 300 of these nobody has: once a
namespace has used its numbers up, the kernel gives out none below 300 again (kernel/pid.c, RESERVED_PIDS)."""
_PID_MAX: Final = Path("/proc/sys/kernel/pid_max")
Means = Literal["pid_max", "nproc", "none"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limit in force: processes and threads together, and what enforces it. ``processes`` is 0 when nothing does."""

    processes: int = 0
    means: Means = "none"

    @property
    def for_visitors(self) -> int:
        """RLIMIT_NPROC for those who enter, 0 for none. The machine's root is exempt from it, inside as outside."""
        return max(1, self.processes - RESERVED) if self.means != "none" else 0

    def __str__(self) -> str:
        if self.means == "none":
            return "no limit on processes (needs Linux 6.14 for root, 5.14 for others)"
        by = "pid_max of its own pid namespace" if self.means == "pid_max" else "RLIMIT_NPROC"
        return f"at most {self.processes} processes ({by})"


def kernel_version(release: str) -> tuple[int, int]:
    """``6.18.44-generic`` -> (6, 18); (0, 0) for what is no kernel release."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def means_for(release: str, outer_uid: int) -> Means:
    """Which means a kernel offers for a room of this user."""
    version = kernel_version(release)
    if version >= (6, 14):
        return "pid_max"
    if version >= (5, 14) and outer_uid != 0:
        return "nproc"
    return "none"


def limit_this_namespace(processes: int, *, caller_is_root: bool) -> Means:
    """Bound the calling process's own pid namespace if this kernel can; else say what is left to try."""
    means = means_for(os.uname().release, 0 if caller_is_root else 1)
    if means == "pid_max":
        try:
            _PID_MAX.write_text(f"{processes}\n", encoding="ascii")
        except OSError:
            means = "none" if caller_is_root else "nproc"
    return means


def apply_nproc(processes: int) -> None:
    """Limit this process and all it will start, counted within its user namespace; cannot be raised again."""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    limit = processes if hard == resource.RLIM_INFINITY else min(processes, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


def end_others(keep: frozenset[int]) -> int:
    """For PID 1: kill every process of the room but itself and ``keep``; answers how many. It works against a fork bomb too.

    First all are stopped, so that none can fork while the list is made; those to keep are woken again (kill(2), pid -1).
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGSTOP)
    ended = [pid for pid in _processes() if pid != os.getpid() and pid not in keep]
    for pids, number in ((ended, signal.SIGKILL), (keep, signal.SIGCONT)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    return len(ended)


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


FILES: Final = 16384
"""Open files the agent may want: some forty for each node and a thousand more for its settings."""


def raise_files() -> None:
    """Let this process have ``FILES`` open files, or as many as it may: machines begin with 1024 for programs that call select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if resource.RLIM_INFINITY != soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
