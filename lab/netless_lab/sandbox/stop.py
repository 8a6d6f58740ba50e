"""End a lab from outside by a signal to its keeper, for when words do not help: it speaks another protocol, or does not answer at all.

The keeper is the process behind a connected socket, as the kernel says (``find.peer_pid``), and only one of our own user is ever touched. It
kills its agent and ends; where it does not react itself, both are killed. Held by a pidfd (pidfd_open(2)) none can be mistaken for
a process that gets its number later. Of a netless from before there were keepers it is the agent.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .find import NotOurs, is_ours, peer_pid

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

PATIENCE_S: Final = 5.0
"""How long a lab may take to end in good order before it is killed; what a learner has earned is on disk by then."""


def stop(sock: socket.socket, grace: float = 0.0) -> None:
    """SIGTERM, and SIGKILL when that is not enough; returns when keeper and agent are gone, and with them the lab.

    ``grace``: so many seconds a lab that has agreed to end may take before it gets any signal. Raises NotOurs for another user's process,
    and for one that cannot be seen from here.
    """
    pid = peer_pid(sock)
    if not is_ours(sock) or pid <= 0:
        raise NotOurs("the process that answers for this lab is not one of ours: nothing was done to it")
    with contextlib.ExitStack() as held:
        keeper = _hold(pid, held)
        if keeper is None:
            return
        both = (*_agents_of(pid, held), keeper)
        if grace and _have_ended(both, grace):
            return
        _signal(keeper, signal.SIGTERM)
        if not _have_ended(both, PATIENCE_S):
            for own in both:
                _signal(own, signal.SIGKILL)
            _have_ended(both, PATIENCE_S)


def _hold(pid: int, held: contextlib.ExitStack) -> int | None:
    """A pidfd of a process, as long as it is ``held``; None when there is none."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    held.callback(os.close, process)
    return process


def _agents_of(keeper: int, held: contextlib.ExitStack) -> list[int]:
    """What the keeper itself holds of its agent: a pidfd, which the kernel shows with the number behind it (proc_pid_fdinfo(5)).

    Only a process that is the first one of a pid namespace below ours can be meant. It is the same one that the keeper holds when the
    kernel still says so after we hold it too. None of another user, and none when the keeper has ended.
    """
    agents = []
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{keeper}/fdinfo").iterdir():
            pid = _first_of_its_own(path)
            agent = _hold(pid, held) if pid else None
            if agent is not None and _first_of_its_own(path) == pid:
                agents.append(agent)
    return agents


def _first_of_its_own(fdinfo: Path) -> int:
    """The process behind a pidfd, 0 when it is no pidfd or of no process that is PID 1 somewhere."""
    try:
        fields = dict(line.split(":", 1) for line in fdinfo.read_text(encoding="ascii").splitlines() if ":" in line)
    except OSError:  # closed meanwhile
        return 0
    pid, inside = fields.get("Pid", "0").strip(), fields.get("NSpid", "").split()
    return int(pid) if pid.isdecimal() and len(inside) > 1 and inside[-1] == "1" else 0


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, number)


def _have_ended(processes: Sequence[int], seconds: float) -> bool:
    """Wait until all of them have ended, at most so long."""
    end = time.monotonic() + seconds
    return all(select.select([own], [], [], max(0.0, end - time.monotonic()))[0] for own in processes)
