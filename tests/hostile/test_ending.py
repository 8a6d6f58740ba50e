"""``netless down`` ends a lab whose agent is under somebody else's control, whatever it answers and hands over, and says so.

How long that may take is waited for, so most of it is tried by one user: what is different for root's labs is tried by ``test_hidden``.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from helpers.checkout import as_here
from helpers.waiting import eventually
from hostile.helpers.stubborn import ENTRY
from netless_lab import ending, labs
from netless_lab.address import socket_name
from netless_lab.protocol import VERSION
from netless_lab.sandbox import find
from sandbox.helpers.alone import alone, alone_as_ordinary
from sandbox.helpers.rooms import launch

LONG_S = 50
"""Far more than it takes to end a lab; those who are asked would have it last for ever."""


@contextlib.contextmanager
def stubborn(how: str) -> Iterator[int]:
    """A lab of such an agent's, which is called ``test``; its agent, as a pidfd."""
    started = launch("test", ENTRY, argument=how).wait()
    agent = os.pidfd_open(started.pid)
    try:
        yield agent
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(agent, signal.SIGKILL)
        os.close(agent)
        started.close()


@pytest.mark.parametrize("how", ["ticks", "floods", "no line", "agrees", "lingers"])
@alone_as_ordinary
def test_down_ends_it(how: str) -> None:
    """It returns with 0 and says that the lab is gone, and gone it is."""
    with stubborn(how) as agent:
        words = [sys.executable, "-P", "-m", "netless", "--lab", "test", "down"]
        done = subprocess.run(words, env=as_here(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG_S, check=False)
        assert (done.returncode, done.stderr) == (0, "") and "is gone" in done.stdout, done
        assert select.select([agent], [], [], 0)[0], "it lives on"
        assert find.labs() == ()


@alone_as_ordinary
def test_a_deaf_lab_with_a_full_queue_can_be_ended() -> None:
    """So many have called an agent that takes nobody in that no more can wait: they are turned away, in words, and ``down`` gets through."""
    with stubborn("deaf") as agent, contextlib.ExitStack() as callers:
        # until nobody has room for the length of a second: a keeper may still be passing on those who came first
        with pytest.raises(BlockingIOError):
            while True:
                caller = callers.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", 1, 0))
                caller.connect(socket_name("test", os.geteuid()))
        assert labs.end("test") == 0
        assert select.select([agent], [], [], 0)[0], "it lives on"


@alone
def test_who_hands_files_to_his_keeper_is_ended() -> None:
    """A keeper that is handed files which nobody can close without waiting does not wait, and ends the lab that has given its name away."""
    with stubborn("hides") as agent:
        assert eventually(lambda: select.select([agent], [], [], 0)[0]), "it lives on without a name"


@alone_as_ordinary
def test_files_that_the_kernel_does_not_refuse() -> None:
    """On a socket that takes open files, as all did before Linux 6.16, neither asking nor hanging up lasts as long as their closing would."""
    with stubborn("lingers"), contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.connect(socket_name("test", os.geteuid()))
        assert ending.ask(sock, VERSION) is None
        ending.hang_up(sock)
        assert sock.fileno() == -1
