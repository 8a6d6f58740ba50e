"""What an agent has written on the machine's disk is bounded, whatever it sends."""

from __future__ import annotations

import os
import select
import signal
import socket
from pathlib import Path

import pytest

from hostile.helpers.filler import ENTRY, MANY, SAVER
from netless_lab.address import socket_name
from sandbox.helpers.alone import HOME, alone
from sandbox.helpers.rooms import launch


@pytest.mark.parametrize("way", ["kept", "refused"])
@alone
def test_a_keeper_does_not_write_all_that_it_is_sent(way: str) -> None:
    """Large things that come one after the other are not all written, and that they cannot be is told once."""
    folder = Path(HOME, way)
    folder.mkdir()
    started = launch("test", ENTRY, saver=SAVER, kept_in=str(folder)).wait()
    keeper = os.pidfd_open(started.keeper)
    select.select([keeper], [], [], 60)
    os.close(keeper)
    written = folder.joinpath("kept").read_text(encoding="ascii").splitlines()
    assert 1 <= len(written) <= MANY // 3
    assert started.log().count("Traceback") == (way == "refused")
    started.close()


@alone
def test_what_was_said_before_the_end_is_kept_when_the_name_is_free() -> None:
    """Who finds that a lab has ended, and starts one of its name, reads all that the old one had to keep, however soon that came upon the last."""
    started = launch("test", ENTRY, argument="last words", saver=SAVER, kept_in=HOME).wait()
    while not _is_free(socket_name("test", os.geteuid())):
        select.select([], [], [], 0.001)
    written = Path(HOME, "kept").read_text(encoding="ascii").splitlines()
    os.kill(started.pid, signal.SIGKILL)
    started.close()
    assert written[-1] == "4 bytes from b'last' on"


def _is_free(name: str) -> bool:
    """Whether a name can be had, without a word to whoever has it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
        try:
            own.bind(name)
        except OSError:
            return False
        return True
