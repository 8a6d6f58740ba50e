"""``exec`` and ``shell`` on a terminal: keys, signals and exit codes are those of the program in the node."""

from __future__ import annotations

import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.desk import Desk, at_a_desk
from helpers.seat import seated
from helpers.waiting import eventually

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

TRAP = "trap 'echo caught; sleep 0.6; exit 7' INT; echo ready >&2; while :; do sleep 0.1; done"
"""A program that ends in its own way on ctrl-c, and takes longer for it than Python's subprocess has patience (0.25 s)."""

PROMPT = b"\x1b]133;B"
"""What the shell's start-up file puts at the end of each prompt (the shell integration mark of FinalTerm): it is ready for keys."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A lab of this file's own."""
    with at_a_desk(tmp_path_factory.mktemp("state")) as own:
        assert own.netless("up").returncode == 0
        yield own


def asleep(desk: Desk) -> bool:
    """Whether a program of the lab sleeps for 4321 seconds, or is about to: each line of ps(1) is one's words, and the lab's name stands in another."""
    return any(line.endswith("sleep 4321") for line in desk.netless("exec", "host", "--", "ps", "-eo", "args").stdout.splitlines())


def test_ctrl_c_belongs_to_the_command(desk: Desk) -> None:
    """On a terminal: the command's own trap runs, however long it takes, and its exit code comes back."""
    with seated(desk.command("exec", "c1", "--", "sh", "-c", TRAP), desk.environment) as seat:
        seat.read_until(b"ready")
        seat.type(b"\x03")
        assert seat.ended() == 7
        assert b"caught" in seat.said


def test_ctrl_c_belongs_to_the_command_when_its_output_goes_to_a_file(desk: Desk, tmp_path: Path) -> None:
    """The same for ``netless exec c1 -- tcpdump -w - > file``: the terminal signals the whole group, and only the command answers."""
    with (tmp_path / "out").open("w+b") as output:
        with seated(desk.command("exec", "c1", "--", "sh", "-c", TRAP), desk.environment, output=output) as seat:
            seat.read_until(b"ready")
            seat.type(b"\x03")
            assert seat.ended() == 7
        assert (tmp_path / "out").read_text() == "caught\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_from_a_script_reaches_the_command_once(desk: Desk, number: signal.Signals) -> None:
    """``kill PID`` of ``netless exec`` is for the command: its trap runs once, and its exit code is what the script sees."""
    trap = f"trap 'echo caught; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.1; done"
    process = subprocess.Popen(
        desk.command("exec", "host", "--", "sh", "-c", trap), env=desk.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    os.kill(process.pid, number)
    assert process.communicate(timeout=20)[0] == "caught\n"
    assert process.returncode == 9


def test_a_command_that_dies_of_a_signal_says_so(desk: Desk) -> None:
    """128 + the signal, as a shell counts it."""
    assert desk.netless("exec", "c1", "--", "sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM


def test_a_command_gets_three_files_and_no_more(desk: Desk) -> None:
    """The connection that tells the lab of its use is not handed on, nor is anything else that was open."""
    done = desk.netless("exec", "host", "--", "sh", "-c", "ls /proc/self/fd")
    assert done.stdout.split() == ["0", "1", "2", "3"], "3 is what ls itself lists"


def test_a_shell_on_a_terminal(desk: Desk) -> None:
    """``shell c1`` is a shell in c1 on a terminal of the lab: ctrl-c there ends what runs and not the shell, whose exit code comes back."""
    with seated(desk.command("shell", "c1"), desk.environment) as seat:
        seat.read_until(PROMPT)
        seat.type(b"hostname; tty; sh -c 'echo r\"\"eady; exec sleep 1000'\r")
        seat.read_until(b"ready\r\n")
        assert b"c1\r\n/dev/pts/" in seat.said
        seat.said = b""
        seat.type(b"\x03")
        seat.read_until(PROMPT)
        seat.type(b"echo 'still 'here\r")
        seat.read_until(b"still here\r\n")
        seat.type(b"exit 5\r")
        assert seat.ended() == 5
        assert termios.tcgetattr(seat.ours) == seat.before


def test_a_shell_whose_terminal_is_closed_ends(desk: Desk) -> None:
    """Closing the window of a shell ends it, and what ran in it: nothing of it stays in the lab or uses it."""
    with seated(desk.command("shell", "c1"), desk.environment) as seat:
        seat.read_until(PROMPT)
        seat.type(b"sh -c 'echo r\"\"eady; exec sleep 4321'\r")
        seat.read_until(b"ready\r\n")
        assert eventually(lambda: asleep(desk))
        seat.close()
        seat.ended()
    assert eventually(lambda: not asleep(desk))
