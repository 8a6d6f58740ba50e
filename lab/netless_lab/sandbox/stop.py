"""End a lab from outside by a signal to its agent, for when words do not help: it speaks another protocol, or does not answer at all.

The agent is the process behind a connected socket, as the kernel says (``find.peer_pid``), and only one of our own user is ever touched.
Held by a pidfd (pidfd_open(2)) it cannot be mistaken for a process that gets its number later.
"""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Final

from .find import NotOurs, is_ours, peer_pid

if TYPE_CHECKING:
    import socket

PATIENCE_S: Final = 5.0
"""How long an agent may take to end in good order before it is killed; what a learner has earned is on disk by then."""


def stop(sock: socket.socket) -> None:
    """SIGTERM, and SIGKILL when that is not enough; returns when the agent is gone, and with it the lab.

    Raises NotOurs for another user's process, and for one that cannot be seen from here.
    """
    pid = peer_pid(sock)
    if not is_ours(sock) or pid <= 0:
        raise NotOurs("the process that answers for this lab is not one of ours: nothing was done to it")
    try:
        agent = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                signal.pidfd_send_signal(agent, number)
            except ProcessLookupError:
                return
            if select.select([agent], [], [], PATIENCE_S)[0]:
                return
    finally:
        os.close(agent)
