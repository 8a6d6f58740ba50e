"""Becoming part of a node from any terminal: where one lands, what one sees, how it ends."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from helpers.pretender import pretender
from helpers.waiting import eventually
from netless_lab import join
from netless_lab.address import socket_name
from netless_lab.room import SOCKET
from sandbox.helpers.alone import Machine, alone, remains
from sandbox.helpers.rooms import TestRoom, room

PROMPT = ":/run/lab#"
"""What the last line on a screen ends with when the shell in the room waits for a command."""


def way(made: TestRoom, node: str, command: list[str]) -> dict[str, Any]:
    """Arguments for subprocess that run a command in a node."""
    return {"args": [*join.command(made.lab, node), *command], "env": {**os.environ, **join.environment(made.lab, node)}}


def run(made: TestRoom, node: str, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a node, as ``netless exec`` does."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(**way(made, node, list(command)), capture_output=True, text=True, check=False, **options)


@alone
def test_each_node_is_entered_whole() -> None:
    """Inside a node one has its name, its interfaces, its resolver and its processes, and a home that belongs to the lab."""
    with room(internet=True, containers=["c1"]) as made:
        for node, links in (("host", ["eth0", "lo"]), ("c1", ["lo"]), ("internet", ["eth0", "lo"])):
            done = run(made, node, "sh", "-c", "hostname; ls -m /sys/class/net; id -u; echo $NETLESS_NODE $NETLESS_LAB; pwd; ps -o comm= 1")
            assert done.returncode == 0, done.stderr
            assert done.stdout.splitlines() == [node, ", ".join(links), "0", f"{node} test", "/run/lab", "netless-agent"]


@alone
def test_the_outside_does_not_leak_in() -> None:
    """Variables of the outside are gone, whatever they are; those about the terminal and the language stay; no file of ours is open."""
    os.environ.update(
        XDG_RUNTIME_DIR="/run/user/1", SSH_AUTH_SOCK="/tmp/agent", PYTHONPATH="/nowhere", CLOUD_TOKEN="secret", TERM="xterm-256color", LANG="C.UTF-8"
    )
    with room() as made:
        shown = run(made, "host", "env").stdout
        assert [line for line in shown.splitlines() if line.startswith(("XDG_", "SSH_", "PYTHONPATH", "CLOUD_"))] == []
        assert {"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=/run/lab"} <= set(shown.splitlines())
        assert run(made, "host", "ls", "/proc/self/fd").stdout.split() == ["0", "1", "2", "3"]
        status = run(made, "host", "cat", "/proc/self/status").stdout
        ordinary = sum(1 << number - 1 for number in signal.valid_signals())
        for field in ("SigBlk", "SigIgn"):
            assert int(next(line.split()[1] for line in status.splitlines() if line.startswith(field)), 16) & ordinary == 0


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["sh", "-c", "exit 7"], 7, ""),
        (["sh", "-c", "kill -TERM $$"], 143, ""),
        (["no-such-command"], 127, "no-such-command: command not found"),
        (["/etc/passwd"], 126, "Permission denied"),
        (["/no/such/file"], 127, "not found"),
    ],
)
@alone
def test_exit_codes_are_those_of_a_shell(command: list[str], code: int, words: str) -> None:
    """The command's own code, 128 and the signal, 126 and 127."""
    with room() as made:
        done = run(made, "host", *command)
        assert done.returncode == code
        assert words in done.stderr


@alone
def test_standard_files_pass_through() -> None:
    """What is piped in and out is the command's, byte by byte."""
    with room(containers=["c1"]) as made:
        data = os.urandom(300_000)
        done = subprocess.run(**way(made, "c1", ["cat"]), input=data, capture_output=True, check=False)
        assert done.stdout == data


@alone
def test_signals_reach_the_command() -> None:
    """SIGTERM to the process outside ends the command inside, in its own way."""
    with room() as made:
        script = "trap 'echo ended; exit 5' TERM INT; echo begun; while :; do sleep 0.05; done"
        for number in (signal.SIGTERM, signal.SIGINT):
            process = subprocess.Popen(**way(made, "host", ["sh", "-c", script]), stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None and process.stdout.readline() == "begun\n"
            process.send_signal(number)
            assert process.communicate()[0] == "ended\n"
            assert process.returncode == 5


@alone
def test_a_command_dies_with_whoever_entered_and_with_the_lab() -> None:
    """SIGKILL outside leaves no process inside; SIGKILL of the agent ends those who entered."""
    before = Machine.now()
    with room() as made:
        process = subprocess.Popen(**way(made, "host", ["sh", "-c", "echo begun; exec sleep 1000"]), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        process.kill()
        process.communicate()
        made.sh("for i in $(seq 200); do ps -o stat= -C sleep | grep -q '^[^Z]' || exit 0; read -t 0.02 <> <(:); done; exit 1")
        process = subprocess.Popen(**way(made, "host", ["sh", "-c", "echo begun; exec sleep 1000"]), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        made.kill()
        process.communicate()
        assert process.returncode == 137
    assert remains(of=before) == []


@alone
def test_a_lab_that_has_ended_cannot_be_entered() -> None:
    """Exit 3, with words; and so it is when a process that is no lab has taken its name since."""
    with room() as made:
        arguments = way(made, "host", ["true"])
        made.kill()
        remains(of=Machine.now())
        done = subprocess.run(**arguments, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (3, "netless: the lab has ended\n")
        with pretender(socket_name("test", os.geteuid())[1:]):
            done = subprocess.run(**arguments, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (3, "netless: what answers for the lab does not answer as a lab does\n")


@alone
def test_a_node_that_has_ended_cannot_be_entered() -> None:
    """A container that is gone is said to be gone."""
    with room(containers=["c1"]) as made:
        arguments = way(made, "c1", ["true"])
        made.sh("pkill -9 -x sleep; sleep 0.3")
        done = subprocess.run(**arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 3 and "has ended" in done.stderr


@alone
def test_one_node_can_be_entered_from_another() -> None:
    """The same command line, with the lab's address inside: from the host into a container and from a container into the host."""
    with room(containers=["c1"]) as made:
        to_host, to_container = (
            [SOCKET if word == f"@{socket_name('test', os.geteuid())[1:]}" else word for word in join.command(made.lab, node)]
            for node in ("host", "c1")
        )
        assert run(made, "host", *to_container, "hostname").stdout == "c1\n"
        assert run(made, "c1", *to_host, "hostname").stdout == "host\n"


@alone
def test_nsenter_by_hand_works_too() -> None:
    """The lab's namespaces are ordinary ones: util-linux enters them from any terminal of their owner, by any process but the agent."""
    with room(containers=["c1"]) as made:
        inside = subprocess.Popen(**way(made, "host", ["sh", "-c", "echo begun; read forever"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert inside.stdout is not None and inside.stdout.readline() == b"begun\n"
        child = Path(f"/proc/{inside.pid}/task/{inside.pid}/children").read_text().split()[-1]  # the first copies what it reads and writes
        for pid, said in ((child, "host\n"), (str(made.started.pid), "" if os.geteuid() else "host\n")):
            command = ["nsenter", "-t", pid, "-U", "-m", "-n", "-p", "-u", "-i", "--preserve-credentials", "hostname"]
            assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == said
        inside.communicate(b"\n")


class Sitting:
    """A program on a terminal, and somebody who types."""

    def __init__(self, arguments: dict[str, Any], size: tuple[int, int] = (24, 80)) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(arguments["args"][0], arguments["args"], arguments["env"])
        self.text = ""
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        """(rows, columns)"""
        termios.tcsetwinsize(self.master, size)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.master, text.encode())

    def wait_for(self, pattern: str, seconds: float = 15) -> str:
        """Read until the pattern was printed; answers all since the last one."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if not select.select([self.master], [], [], max(0.0, end - time.monotonic()))[0]:
                pytest.fail(f"{pattern!r} was not printed, but: {self.text!r}")
            try:
                chunk = os.read(self.master, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                pytest.fail(f"{pattern!r} was not printed before the end, but: {self.text!r}")
            self.text += chunk.decode(errors="replace")
        seen, self.text = self.text, ""
        return seen

    def end(self) -> int:
        """Its exit code."""
        with contextlib.suppress(OSError):
            while os.read(self.master, 65536):
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def in_front(made: TestRoom) -> bool:
    """Whether a ``sleep`` is in the foreground of its terminal (ps(1), state +)."""
    return "+" in made.sh("ps -o stat= -C sleep || true")


@alone
def test_a_shell_has_a_terminal_of_the_lab() -> None:
    """tty, size, resize, ctrl-c, ctrl-z and job control are as at home; the exit code comes out."""
    with room() as made:
        sitting = Sitting(way(made, "host", ["bash", "--norc", "-i"]), (30, 100))
        sitting.wait_for(r"# $")
        sitting.type("tty; stty size\r")
        sitting.wait_for(r"/dev/pts/0\r\n30 100\r\n")
        sitting.resize((20, 60))
        sitting.type("sleep 0.2; stty size\r")
        sitting.wait_for(r"20 60\r\n")
        sitting.type("sleep 1000\r")
        assert eventually(lambda: in_front(made)), "it runs"
        sitting.type("\x03")
        sitting.wait_for(r"# $")
        sitting.type("echo code $?; sleep 1000\r")
        sitting.wait_for(r"code 130")
        assert eventually(lambda: in_front(made)), "it runs"
        sitting.type("\x1a")
        sitting.wait_for(r"Stopped")
        sitting.type("kill %1; script -qec tty /dev/null; exit 9\r")
        sitting.wait_for(r"/dev/pts/1")
        assert sitting.end() == 9


@alone
def test_the_terminal_outside_cannot_be_reached_and_is_restored() -> None:
    """Keys cannot be pushed back to the shell outside (TIOCSTI), and its settings are as before."""
    with room() as made:
        sitting = Sitting(way(made, "host", ["sh", "-c", "stat -Lc 'on %d' /dev/stdin; echo begun; read line; echo got $line; exit 0"]))
        before = termios.tcgetattr(sitting.master)
        said = sitting.wait_for("begun")
        assert termios.tcgetattr(sitting.master)[3] & termios.ICANON == 0
        assert f"on {int(made.sh('stat -c %d /dev/pts'))}\r\n" in said
        assert f"on {os.stat('/dev/pts').st_dev}\r\n" not in said
        sitting.type("word\r")
        sitting.wait_for("got word")
        assert eventually(lambda: termios.tcgetattr(sitting.master) == before)
        assert sitting.end() == 0


@alone
def test_a_killed_lab_gives_the_terminal_back() -> None:
    """When the agent is killed, the shell inside ends and the terminal outside is usable again."""
    with room() as made:
        sitting = Sitting(way(made, "host", ["bash", "--norc", "-i"]))
        before = termios.tcgetattr(sitting.master)
        sitting.wait_for(r"# $")
        made.kill()
        os.waitid(os.P_PID, sitting.pid, os.WEXITED | os.WNOWAIT)
        assert termios.tcgetattr(sitting.master)[3] & termios.ECHO == before[3] & termios.ECHO
        assert sitting.end() == 137


@alone
def test_much_output_arrives_whole_and_in_order() -> None:
    """The relay loses nothing, however fast a program prints."""
    with room() as made:
        sitting = Sitting(way(made, "host", ["sh", "-c", "stty -opost; seq 200000; echo end"]))
        printed = sitting.wait_for(r"\nend\n", 60)
        assert printed.split()[:-1] == [str(number) for number in range(1, 200_001)]
        assert sitting.end() == 0


@alone
def test_a_terminal_is_the_commands_and_nobodys_after_it() -> None:
    """Who is left behind on it, deaf to its end, neither keeps who sits there waiting nor has anything he types afterwards; all that was printed is there."""
    with room() as made:
        left = "(trap '' HUP; sleep 1000; read secret) & seq 3000; echo the last line; exit 5"
        sitting = Sitting(way(made, "host", ["sh", "-c", left]))
        before = termios.tcgetattr(sitting.master)
        sitting.wait_for("the last line\r\n")
        assert sitting.end() == 5
        assert termios.tcgetattr(sitting.master)[3] & termios.ECHO == before[3] & termios.ECHO


@pytest.mark.tmux
@alone
def test_full_screen_programs_work() -> None:
    """less, vi, top and a nested tmux draw and end as they should, seen through tmux."""
    with room() as made:
        answer = way(made, "host", ["bash", "--norc", "-i"])
        script = Path("/tmp/enter.sh")
        exported = "\n".join(f"export {name}='{value}'" for name, value in answer["env"].items() if name in join.environment("test", "host"))
        script.write_text(f"{exported}\nexec {' '.join(answer['args'])}\n", encoding="utf-8")
        tmux = ["tmux", "-S", "/tmp/tmux-test", "-f", "/dev/null"]
        subprocess.run([*tmux, "new-session", "-d", "-x", "80", "-y", "20", f"sh {script}"], check=True)

        def screen() -> str:
            return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout

        def screen_shows(words: str) -> None:
            assert eventually(lambda: words in (screen() if words != PROMPT else screen().rstrip()[-len(PROMPT) :])), f"{words!r} not in\n{screen()}"

        def keys(*names: str) -> None:
            subprocess.run([*tmux, "send-keys", *names], check=True)

        try:
            screen_shows(PROMPT)
            keys("seq 1000 | less", "Enter")
            screen_shows("\n19\n")
            keys("G")
            screen_shows("1000")
            keys("q")
            screen_shows(PROMPT)
            keys("vi -u NONE /tmp/written", "Enter")
            screen_shows("\n~\n~\n")
            keys("ihello from vi")
            screen_shows("hello from vi\n~")
            keys("Escape")
            keys(":wq", "Enter")
            screen_shows(PROMPT)
            keys("cat /tmp/written", "Enter")
            screen_shows("\nhello from vi")
            keys("top", "Enter")
            screen_shows("load average")
            keys("q")
            screen_shows(PROMPT)
            keys("clear; TMUX= tmux -f /dev/null new-session 'echo nested; read line'; echo back", "Enter")
            screen_shows("nested\n\n")
            keys("Enter")
            screen_shows("\nback")
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)
