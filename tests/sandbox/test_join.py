"""Becoming part of a node from any terminal: where one lands, what one sees, how it ends."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import termios
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
from sandbox.helpers.sitting import Sitting

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
def test_a_signal_that_comes_when_the_command_has_ended() -> None:
    """Who enters hears of both at once, of the signal first: his exit code is the command's."""
    with room() as made:
        process = subprocess.Popen(**way(made, "host", ["sh", "-c", "echo begun; exec sleep 1000"]), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        assert eventually(lambda: ") T " in Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii"))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        (command,) = (pid for pid in children if Path(f"/proc/{pid}/comm").read_text(encoding="ascii") in ("sh\n", "env\n", "sleep\n"))
        os.kill(int(command), signal.SIGKILL)
        assert eventually(lambda: ") Z " in Path(f"/proc/{command}/stat").read_text(encoding="ascii"))
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        process.communicate()
        assert process.returncode == 137


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
    before = Machine.now()
    with room() as made:
        arguments = way(made, "host", ["true"])
        made.kill()
        assert remains(of=before) == [], "its keeper among it, who held its name"
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
        made.sh("pid=$(pgrep -x sleep); kill -9 $pid; while [ -e /proc/$pid/ns/net ]; do :; done")
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


STOP_ALL = """
import os
print("begun", flush=True)
while True:
    os.kill(-1, 19)
"""
"""Stops everybody in the lab, again and again."""


@pytest.mark.parametrize("on_terminal", [False, True], ids=["among files", "on a terminal"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@alone
def test_who_stops_everybody_inside_keeps_nobody_from_ending(number: signal.Signals, on_terminal: bool) -> None:
    """A signal that is to end it ends one who entered also while somebody inside has the command stop again and again, before it has begun and after."""
    with room() as made:
        waiting = subprocess.Popen(**way(made, "host", ["sh", "-c", "echo begun; exec sleep 1000"]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert waiting.stdout is not None and waiting.stdout.readline() == b"begun\n"
        stopper = subprocess.Popen(**way(made, "host", ["python3", "-I", "-c", STOP_ALL]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert stopper.stdout is not None and stopper.stdout.readline() == b"begun\n"
        arguments = way(made, "host", ["sleep", "1000"])
        late = Sitting(arguments).pid if on_terminal else subprocess.Popen(**arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid
        assert eventually(lambda: stopped_child(late))
        for pid in (waiting.pid, late):
            os.kill(pid, number)
            assert eventually(lambda pid=pid: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)), "it is there still"  # type: ignore[misc]
        stopper.kill()


def stopped_child(pid: int) -> bool:
    """Whether the last child of a process is stopped."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return bool(children) and Path(f"/proc/{children[-1]}/stat").read_text().rpartition(")")[2].split()[0] == "T"


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
        sitting.type("""until [ "$(stty size)" = "20 60" ]; do :; done; stty size\r""")
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


@alone
def test_a_job_in_the_background_can_be_ended() -> None:
    """A command that was begun in the background of a terminal is stopped for wanting it, and a shell's ``kill`` ends it as any other job."""
    with room() as made:
        entering = way(made, "host", ["sleep", "1000"])
        sitting = Sitting({"args": ["/bin/bash", "--norc", "--noprofile", "-i"], "env": {**entering["env"], "PS1": "$ "}})
        sitting.wait_for(r"\$ $")
        sitting.type(f"{shlex.join(entering['args'])} & echo job $!.\r")
        pid = int(sitting.wait_for(r"job \d+\.").rpartition("job ")[2].partition(".")[0])
        assert eventually(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"), "it is stopped"
        sitting.type("kill %1\r")
        assert eventually(lambda: not Path(f"/proc/{pid}").exists()), "it has ended"
        sitting.type(f"wait {pid}; echo code $?.\r")
        assert "Traceback" not in sitting.wait_for(r"code 143\.")
        sitting.type("exit 0\r")
        assert sitting.end() == 0


@alone
def test_a_terminal_that_hangs_up_is_let_go() -> None:
    """The command's terminal hangs up with the one outside, also when more was pasted than the command, which ignores SIGHUP, has read."""
    with room() as made:
        script = "trap '' HUP; echo ready; while stty -a >/dev/null 2>&1; do sleep 0.02; done; echo >/tmp/hung-up"
        sitting = Sitting(way(made, "host", ["sh", "-c", script]))
        sitting.wait_for("ready")
        sitting.paste(b"a pasted line\n")
        os.close(sitting.master)
        assert eventually(lambda: made.code("test -e /tmp/hung-up") == 0)
        assert os.waitstatus_to_exitcode(os.waitpid(sitting.pid, 0)[1]) == 0


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
