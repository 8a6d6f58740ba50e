"""How many processes a room may have at once, so that a fork bomb inside stays inside.

Two means, both where there are both:
* RLIMIT_NPROC, counted per user namespace since Linux 5.14: of PID 1, and so of all that it starts. Nobody inside can raise it.
* ``pid_max`` of the room's own pid namespace. It exists per namespace since Linux 6.14; before that the same file is the whole
  machine's, so the version is looked at first and the file is never touched on an older kernel. Root inside may write it: it is there
  for rooms whose root is the machine's to the kernel, whom RLIMIT_NPROC does not bind, and keeps the numbers of processes short.

And how much of what the kernel grants to each user, inotify instances, namespaces, queued signals and the like, a room leaves to its owner
outside: what is made in a user namespace counts for the owner of each one around it too (namespaces(7), "The /proc/sys/user directory").
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import time
from pathlib import Path
from typing import Final, Literal, NamedTuple

DEFAULT_PROCESSES: Final = 1500
RESERVED: Final = 400
"""What visitors leave to the agent, so that it can still act when a fork bomb has taken the rest. 300 of these nobody has: once a
namespace has used its numbers up, the kernel gives out none below 300 again (kernel/pid.c, RESERVED_PIDS)."""
_PID_MAX: Final = Path("/proc/sys/kernel/pid_max")
_PER_USER: Final = Path("/proc/sys/user")
_INOTIFY: Final = {
    "max_inotify_instances": "/proc/sys/fs/inotify/max_user_instances", "max_inotify_watches": "/proc/sys/fs/inotify/max_user_watches",
}  # fmt: skip
"""The same of the outermost user namespace (inotify(7))."""
Means = Literal["pid_max", "nproc", "none"]


class Limits(NamedTuple):
    """The limit in force: processes and threads together, and what enforces it: ``pid_max`` stands for both. ``processes`` is 0 when nothing does."""

    processes: int = 0
    means: Means = "none"

    @property
    def for_visitors(self) -> int:
        """RLIMIT_NPROC for those who enter, 0 for none: what the reserve leaves, and at least half."""
        return max(1, self.processes // 2, self.processes - RESERVED) if self.means != "none" else 0

    def __str__(self) -> str:
        if self.means == "none":
            return "no limit on processes (needs Linux 5.14)"
        by = "RLIMIT_NPROC, and pid_max of its own pid namespace" if self.means == "pid_max" else "RLIMIT_NPROC"
        return f"at most {self.processes} processes ({by})"


def kernel_version(release: str) -> tuple[int, int]:
    """``6.18.44-generic`` -> (6, 18); (0, 0) for what is no kernel release."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def means_for(release: str) -> Means:
    """Which means a kernel offers for a room."""
    version = kernel_version(release)
    if version >= (6, 14):
        return "pid_max"
    if version >= (5, 14):
        return "nproc"
    return "none"


def limit_this_namespace(processes: int) -> Means:
    """Bound the calling process's own pid namespace if this kernel can; else say what is left to try."""
    means = means_for(os.uname().release)
    if means == "pid_max":
        try:
            _PID_MAX.write_text(f"{processes}\n", encoding="ascii")
        except OSError:
            means = "nproc"
    return means


def most(processes: int) -> int:
    """As many, or half of what the user who starts a lab may have, if that is less (``halve_shares``)."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    return processes if soft == resource.RLIM_INFINITY else max(1, min(processes, soft // 2))


def leave_the_reserve(pid: int) -> None:
    """Let a child of PID 1's, of which others may make what they want (ptrace(2)), start no more processes than visitors may."""
    own, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if own != resource.RLIM_INFINITY:
        granted = Limits(own, "nproc").for_visitors
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NPROC, (granted, granted))


START_S: Final = 3.0
"""How long somebody who enters may take to start one process more, in seconds, before it is said that he cannot."""


def another_may_start(visitors: int) -> bool:
    """Whether a visitor, who may have so many processes (``Limits.for_visitors``), can start another one now: tried, with a shell that forks.

    What stands in his way need not be this room's own limit: one of the machine's (cgroups(7), pids.max; a pid namespace around it; memory)
    may be met first. The caller keeps the reaper's hands off.
    """
    from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired  # asyncio has it by now; keeper and builder, who import this module too, do without

    try:
        with Popen(["/bin/sh", "-c", "read go; (:); exit 0"], stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True) as shell:
            try:
                if visitors:
                    resource.prlimit(shell.pid, resource.RLIMIT_NPROC, (visitors, visitors))
                shell.communicate(b"go\n", timeout=START_S)
            except (TimeoutExpired, ProcessLookupError):
                shell.kill()
        return shell.returncode == 0
    except OSError:
        return False


CLEAR_S: Final = 3.0
"""How long thousands of killed processes may take to be gone, in seconds."""


def end_others(keep: frozenset[int]) -> int:
    """For PID 1: kill every process of the room but itself and ``keep``; answers how many. It works against a fork bomb too.

    First all are stopped, at once: who is stopped forks no more (kill(2), pid -1 is everybody but PID 1). A child whose birth was under
    way just then appears a moment later, stopped like its parent: so look again until twice nobody is left. Waits up to ``CLEAR_S``.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGSTOP)
    own = keep | {os.getpid()}
    ended: set[int] = set()
    end, quiet = time.monotonic() + CLEAR_S, 0
    while quiet < 2 and time.monotonic() < end:
        alive = [pid for pid in processes() if pid not in own and not _is_dead(pid)]
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended.update(alive)
        quiet = 0 if alive else quiet + 1
        time.sleep(0.002)  # they die, and whoever collects them may do so
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGCONT)
    return len(ended)


def processes() -> tuple[int, ...]:
    """Every process of the room, by its number there. OSError when no more files can be opened."""
    return tuple(int(name) for name in os.listdir("/proc") if name.isdecimal())


def tasks() -> int:
    """How many processes and threads of them the room has: both count for its limit. OSError as for ``processes``."""
    return sum(threads for _, threads in map(_state, processes()))


def shares() -> dict[str, int]:
    """By file of /proc/sys/user, half of what a user may have here: what a room gets. Ask before its outer user namespace is made."""
    found = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(_PER_USER):
            found[name] = int((_PER_USER / name).read_text(encoding="ascii")) // 2
    for name in found.keys() & _INOTIFY.keys():  # in a user namespace the former says nothing of what is granted around it
        with contextlib.suppress(OSError):
            found[name] = min(found[name], int(Path(_INOTIFY[name]).read_text(encoding="ascii")) // 2)
    return found


def grant(shares: dict[str, int]) -> None:
    """Bound the calling process's user namespace, and all below it, to these. They stay unbounded where /proc/sys cannot be written."""
    for name, number in shares.items():
        with contextlib.suppress(OSError):
            (_PER_USER / name).write_text(f"{number}\n", encoding="ascii")


_SHARED: Final = (resource.RLIMIT_NPROC, resource.RLIMIT_SIGPENDING, resource.RLIMIT_MSGQUEUE)
"""Processes and threads, queued signals, of which each POSIX timer is one, and bytes in POSIX message queues (getrlimit(2))."""


def halve_shares() -> None:
    """For who is about to make the user namespace that the room lives in: let all in it have half of what its owner may have of these.

    Since Linux 5.14 a user namespace, with all below it, is bound by the limits that its maker had (the kernel's kernel/user_namespace.c,
    ``create_user_ns``), whatever limits those have who enter it.
    """
    for kind in _SHARED:
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            resource.setrlimit(kind, (soft // 2, soft // 2))


def _is_dead(pid: int) -> bool:
    """Whether a process is gone, or dead with all its threads and not yet collected."""
    state, threads = _state(pid)
    return state in (b"Z", b"X") and threads <= 1


_EXITING: Final = 0x4
"""PF_EXITING of include/linux/sched.h, among the flags of a process (proc_pid_stat(5), field 9)."""


def is_ending(pid: int) -> bool:
    """Whether a process has ended or will at once: it is at it, or SIGKILL waits for it (proc_pid_status(5), ``SigPnd``). kill(2) waits for neither."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat, open(f"/proc/{pid}/status", "rb") as status:
            flags = int(stat.read().rpartition(b")")[2].split()[6])
            pending = (int(line.split()[1], 16) for line in status if line.startswith((b"SigPnd:", b"ShdPnd:")))
            return bool(flags & _EXITING) or any(signals >> (signal.SIGKILL - 1) & 1 for signals in pending)
    except (FileNotFoundError, ProcessLookupError):
        return True


def _state(pid: int) -> tuple[bytes, int]:
    """The letter of a process's state and the number of its threads, its first one among them (proc(5), ``stat``: fields 3 and 20); that it is
    dead and has none when it is gone.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return b"X", 0
    return fields[0], int(fields[17])


FILES: Final = 16384
"""Open files the agent may want: some forty for each node and a thousand more for its settings."""


def raise_files() -> None:
    """Let this process have ``FILES`` open files, or as many as it may: machines begin with 1024 for programs that call select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if resource.RLIM_INFINITY != soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
