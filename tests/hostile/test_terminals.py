"""The terminal outside, however much of it a command inside is given: no key gets into it, and it is never the command's own (H3)."""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys

import pytest

from hostile.helpers.hour import on_a_terminal
from netless_lab import join
from sandbox.helpers.alone import alone, alone_as_root
from sandbox.helpers.rooms import TestRoom, room

PUSH = """
import fcntl, os, termios
for how in ("as it is", "as a leader"):
    pid = os.fork()
    if pid == 0:
        if how == "as a leader":
            os.setsid()
        for number in (0, 1, 2, "/dev/tty"):
            for request, word in ((termios.TIOCSCTTY, 0), (termios.TIOCSCTTY, 1), (0x5412, b"#"), (0x541C, b"\\x03" + bytes(15)), (0x541C, b"\\x02" + bytes(15))):
                try:
                    fd = os.open(number, os.O_RDWR) if isinstance(number, str) else number
                    fcntl.ioctl(fd, request, word)
                except OSError:
                    pass
        os._exit(0)
    os.waitpid(pid, 0)
"""
"""TIOCSCTTY, TIOCSTI and TIOCLINUX into every standard file and /dev/tty."""
FORMS = list(itertools.product(("terminal", "pipe"), repeat=3))


def _entered(made: TestRoom, node: str, form: tuple[str, ...]) -> str:
    """Run it in a node; of the standard files those that the form says are the terminal outside, which is our standard error."""
    files = [2 if own == "terminal" else subprocess.DEVNULL for own in form]
    command = [*join.command(made.lab, node), "python3", "-I", "-S", "-c", PUSH]
    environment = {**os.environ, **join.environment(made.lab, node)}
    done = subprocess.run(command, env=environment, stdin=files[0], stdout=files[1], stderr=files[2], timeout=30, check=False)
    return str(done.returncode)


@pytest.mark.parametrize("form", FORMS, ids="-".join)
@alone
def test_no_key_is_pushed_into_the_terminal_outside(form: tuple[str, ...]) -> None:
    """Standard input, output and error are the terminal or not, in every combination, from the host and from a container."""
    with room(containers=["c1"]) as made:
        for node in ("host", "c1"):
            code, pushed = on_a_terminal(functools.partial(_entered, made, node, form))
            assert code == "0", "the attempts were not made"
            assert not pushed


@alone_as_root
def test_such_a_key_would_be_seen() -> None:
    """The same program outside, with the terminal its own, does push keys: root may on any machine."""
    _, pushed = on_a_terminal(lambda: str(subprocess.run([sys.executable, "-I", "-S", "-c", PUSH], check=True).returncode))
    assert pushed
