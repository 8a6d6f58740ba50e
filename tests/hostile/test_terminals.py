"""The terminal outside, however much of it a command inside is given: no key gets into it, and it is never the command's own (H3)."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import json
import os
import select
import subprocess
import sys
import termios
import tty
from pathlib import Path

import pytest

from helpers.waiting import PATIENCE_S, eventually
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


def _entered(made: TestRoom, node: str, form: tuple[str, ...], program: str = PUSH) -> str:
    """Run it in a node; of the standard files those that the form says are the terminal outside, which is our standard error."""
    files = [2 if own == "terminal" else subprocess.DEVNULL for own in form]
    command = [*join.command(made.lab, node), "python3", "-I", "-S", "-c", program]
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


WHICH = """
import json, os
print(json.dumps([[os.isatty(number), os.stat(number).st_dev, os.stat(number).st_rdev] for number in (0, 1, 2)]), file=open("/tmp/seen", "w"))
"""


@pytest.mark.parametrize("form", FORMS, ids="-".join)
@alone
def test_the_terminal_outside_is_no_open_file_inside(form: tuple[str, ...]) -> None:
    """Whichever standard files are the terminal, the command has others: what is typed there later nobody inside can read.

    Somebody who sits at it with his input and output has a terminal of the lab's in their place, but not in place of an error output that
    goes elsewhere.
    """
    with room() as made:
        told, _ = on_a_terminal(functools.partial(_seen, made, form))
        outer, files = json.loads(told)
        assert outer not in [file[1:] for file in files]
        sits = form[:2] == ("terminal", "terminal")
        assert [file[0] for file in files] == [sits and own == "terminal" for own in form]


def _seen(made: TestRoom, form: tuple[str, ...]) -> str:
    """The terminal outside, and each standard file of a command inside: whether it is a terminal, and which."""
    _entered(made, "host", form, WHICH)
    outer = os.stat(2)
    return json.dumps([[outer.st_dev, outer.st_rdev], json.loads(made.sh("cat /tmp/seen"))])


def _typed(made: TestRoom, work: str) -> tuple[int, int, subprocess.Popen[bytes]]:
    """Both ends of a new terminal, first that of the keyboard, and a script that is run inside with it as its input alone."""
    master, slave = os.openpty()
    environment = {**os.environ, **join.environment(made.lab, "host")}
    entering = [*join.command(made.lab, "host"), "sh", "-c", work]
    leader = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", leader, *entering], env=environment, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    return master, slave, process


@alone
def test_lines_that_are_typed_reach_a_command_among_pipes() -> None:
    """With its output in a pipe a command reads what is typed, line by line, up to the end of the input."""
    with room() as made:
        keyboard, terminal, process = _typed(made, "cat")
        assert process.stdout is not None
        os.write(keyboard, b"one\ntwo\n")
        assert [process.stdout.readline(), process.stdout.readline()] == [b"one\n", b"two\n"]
        os.write(keyboard, b"three\n\x04")
        assert process.communicate(timeout=30)[0] == b"three\n"
        os.close(keyboard)
        os.close(terminal)


@alone
def test_lines_that_are_typed_ahead_are_the_next_ones() -> None:
    """A command that reads nothing takes one line of those that are typed for whoever reads the terminal after it, and no more."""
    with room() as made:
        made.sh("mkfifo /tmp/go")
        keyboard, terminal, process = _typed(made, "echo ready; read go </tmp/go")
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        for line in (b"one\n", b"two\n", b"three\n"):
            os.write(keyboard, line)
        copier = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        assert eventually(lambda: _waits(terminal) == len("two\nthree\n") and _sleeps(copier)), "the first is taken"
        made.sh("echo >/tmp/go")
        assert process.wait(30) == 0
        os.write(keyboard, b"four\n")
        for line in (b"two\n", b"three\n", b"four\n"):
            assert select.select([terminal], [], [], PATIENCE_S)[0] and os.read(terminal, 100) == line
        os.close(keyboard)
        os.close(terminal)


def _waits(terminal: int) -> int:
    """How many bytes of whole lines wait to be read (FIONREAD)."""
    return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)


def _sleeps(pid: str) -> bool:
    """Whether all threads of a process do (proc(5), state)."""
    return all(path.read_text().rpartition(")")[2].split()[0] == "S" for path in Path(f"/proc/{pid}/task").glob("*/stat"))


@alone
def test_the_keys_of_a_pager_are_the_pagers() -> None:
    """While somebody behind the command reads the terminal key by key, as less(1) does, no key of his goes into the lab."""
    with room() as made:
        keyboard, terminal, process = _typed(made, "echo ready; cat")
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        lines = termios.tcgetattr(terminal)
        tty.setraw(terminal)
        for key in (b"q", b" ", b"\n"):
            os.write(keyboard, key)
            assert select.select([terminal], [], [], 30)[0] and os.read(terminal, 1) == key
        termios.tcsetattr(terminal, termios.TCSANOW, lines)
        _insist_on_the_next_line(keyboard, terminal, process)


@alone
def test_a_password_is_not_typed_into_the_lab() -> None:
    """While somebody beside the command asks for a password, and so does not show what is typed (getpass(3)), no line goes into the lab."""
    with room() as made:
        keyboard, terminal, process = _typed(made, "echo ready; cat")
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        shown = termios.tcgetattr(terminal)
        hidden = [*shown[:3], shown[3] & ~termios.ECHO, *shown[4:]]
        for number in range(20):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
            secret = b"secret %d\n" % number
            os.write(keyboard, secret)
            assert select.select([terminal], [], [], 30)[0] and os.read(terminal, 100) == secret
            termios.tcsetattr(terminal, termios.TCSAFLUSH, shown)
        _insist_on_the_next_line(keyboard, terminal, process)


@alone
def test_a_line_that_another_has_taken_is_not_waited_for() -> None:
    """Somebody beside the command takes its lines away; what he then asks for without showing it is his, whoever had hoped for a line before."""
    with room() as made:
        keyboard, terminal, process = _typed(made, "echo ready; cat")
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        copier = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        shown = termios.tcgetattr(terminal)
        hidden = [*shown[:3], shown[3] & ~termios.ECHO, *shown[4:]]
        beside = os.open(os.ttyname(terminal), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        for number in range(300):
            termios.tcsetattr(terminal, termios.TCSANOW, shown)
            os.write(keyboard, b"anyone's\n")
            assert _taken(beside, process.stdout.fileno()) == b"anyone's\n"
            assert eventually(lambda: _sleeps(copier))
            termios.tcsetattr(terminal, termios.TCSANOW, hidden)
            secret = b"secret %d\n" % number
            os.write(keyboard, secret)
            assert select.select([terminal], [], [], PATIENCE_S)[0] and os.read(terminal, 100) == secret
        os.close(beside)
        termios.tcsetattr(terminal, termios.TCSANOW, shown)
        os.write(keyboard, b"\x04")
        assert process.wait(30) == 0
        os.close(keyboard)
        os.close(terminal)


def _taken(beside: int, output: int) -> bytes:
    """The line that somebody has got: whoever reads the terminal beside the command, or the command, which writes it to its output.

    What is typed comes to a terminal a little later (the kernel's tty_buffer): that nobody finds it does not say that it is taken.
    """
    while ready := select.select([beside, output], [], [], PATIENCE_S)[0]:
        with contextlib.suppress(BlockingIOError):  # the command's was faster
            return os.read(ready[0], 100)
    return b""


def _insist_on_the_next_line(keyboard: int, terminal: int, process: subprocess.Popen[bytes]) -> None:
    """What is typed afterwards is the command's again, up to the end of the input, and nothing came before it."""
    os.write(keyboard, b"line\n\x04")
    assert process.communicate(timeout=30)[0] == b"line\n"
    os.close(keyboard)
    os.close(terminal)


@alone_as_root
def test_such_a_key_would_be_seen() -> None:
    """The same program outside, with the terminal its own, does push keys: root may on any machine."""
    _, pushed = on_a_terminal(lambda: str(subprocess.run([sys.executable, "-I", "-S", "-c", PUSH], check=True).returncode))
    assert pushed
