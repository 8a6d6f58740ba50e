"""A shell in the widget behaves as in any terminal: keys, screens, sizes, ends."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from textual.widgets import Input

from netless.app.terminal import PtyTerminal
from netless.app.terminal.widget import RESTART_GAP
from netless.shell.child import Child, Listener
from terminal.host import SHELL, seat


def state_of(pid: int) -> str:
    """The process's state letter by /proc, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def session(leader: int) -> list[tuple[int, str]]:
    """The number and name of every process of a session, by ps."""
    listed = subprocess.run(["ps", "-o", "pid=,comm=", "--sid", str(leader)], capture_output=True, text=True, check=False)
    return [(int(line.split()[0]), line.split()[1]) for line in listed.stdout.splitlines()]


async def test_keys_are_echoed_and_run() -> None:
    """What is typed appears, Enter runs it, and the widget paints it."""
    async with seat() as person:
        await person.pilot.press(*"echo $((6*7))", "enter")
        await person.line("42")
        await person.until(lambda: "42" in person.painted, "the painted answer")


async def test_prompt_shows_the_node() -> None:
    """The prompt names the node of the shell."""
    async with seat() as person:
        assert person.text.startswith("c1:")


async def test_ctrl_c_reaches_the_child() -> None:
    """ctrl+c interrupts what runs, through the terminal's own line discipline."""
    async with seat() as person:
        await person.run("sleep 100")
        await person.running("sleep")
        await person.pilot.press("ctrl+c")
        await person.sees("^C")
        await person.prompt()
        await person.run("echo code $?")
        await person.line("code 130")


async def test_job_control() -> None:
    """ctrl+z stops the job: the shell has a controlling terminal of its own."""
    async with seat() as person:
        await person.run("sleep 100")
        await person.running("sleep")
        await person.pilot.press("ctrl+z")
        await person.sees("Stopped")
        await person.run("jobs; kill %1; tty")
        await person.sees("/dev/pts/")


async def test_app_keys_go_to_the_child() -> None:
    """Not even ctrl+q, ctrl+p and tab act on the app while the terminal has the focus."""
    async with seat(("cat", "-v")) as person:
        await person.pilot.press("ctrl+q", "ctrl+p", "tab", "x", "enter")
        await person.until(lambda: person.text.count("x") >= 2)
        assert person.app.is_running
        assert person.terminal.has_focus
        assert "^P" in person.text


async def test_leave_keys() -> None:
    """ctrl+] posts Leave and goes nowhere else; F6 and F11 bubble to the screen around."""
    async with seat(("cat", "-v")) as person:
        await person.pilot.press("ctrl+right_square_bracket")
        await person.until(lambda: person.app.of(PtyTerminal.Leave))
        await person.until(lambda: not person.terminal.has_focus)
        await person.pilot.press("z")
        assert person.app.query_one(Input).value == "z"
        person.terminal.focus()
        await person.pilot.press("y")
        await person.line("y")
        assert person.text.strip() == "y"
        assert not any(person.terminal.check_consume_key(key, None) for key in ("f6", "f11"))
        await person.pilot.press("f6", "f11", "enter", "w")
        await person.until(lambda: person.text.split()[-1:] == ["w"])
        assert person.text.split() == ["y", "y", "w"], "neither was typed"


async def test_resize_reaches_the_child() -> None:
    """The child's terminal has the widget's size, before and after a change, and it is told."""
    async with seat() as person:
        width, height = person.terminal.content_size
        await person.run("stty size")
        await person.line(f"{height} {width}")
        await person.run("trap 'printf \"<%s>\" told' WINCH; echo se''t")
        await person.line("set")
        await person.pilot.resize_terminal(60, 18)
        await person.until(lambda: person.terminal.content_size.width < width)
        await person.run("")
        await person.sees("<told>")
        width, height = person.terminal.content_size
        await person.run("stty size")
        await person.line(f"{height} {width}")


async def test_alternate_screen_and_back() -> None:
    """A full-screen program gets a screen of its own; afterwards the old text is there again."""
    async with seat() as person:
        await person.run("echo before; seq 200 | less")
        await person.until(lambda: person.terminal.terminal.screen.alternate_active, "less")
        await person.line("15")
        assert "before" not in person.text
        person.type("q")
        await person.line("before")
        assert not person.terminal.terminal.screen.alternate_active


async def test_application_cursor_keys() -> None:
    """Arrow keys change their encoding when the program asks, as vim and less do."""
    async with seat(("sh", "-c", "printf '\\033[?1hready\\n'; exec cat -v")) as person:
        await person.sees("ready")
        await person.pilot.press("up", "enter")
        await person.sees("^[OA")


async def test_exit_tells_and_enter_starts_again() -> None:
    """The end is posted with its code and shown; Enter starts a new shell, but not in the same breath."""
    now = 100.0
    async with seat(clock=lambda: now) as person:
        await person.run("exit 3")
        await person.until(lambda: person.app.of(PtyTerminal.Exited))
        assert person.app.of(PtyTerminal.Exited)[0].code == 3
        await person.sees("exit code 3")
        now += RESTART_GAP
        await person.pilot.press("enter", "enter")
        assert not person.terminal.running
        now += 0.01
        await person.pilot.press("enter")
        await person.until(lambda: person.terminal.running)
        await person.prompt()


async def test_shell_killed() -> None:
    """A shell killed by SIGKILL ends as any other, says so, and no zombie stays."""
    async with seat() as person:
        pid = person.terminal.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        await person.until(lambda: person.app.of(PtyTerminal.Exited))
        assert person.app.of(PtyTerminal.Exited)[0].code == -signal.SIGKILL
        assert state_of(pid) == ""
        await person.sees("killed by signal 9")


async def test_last_output_is_not_lost() -> None:
    """What a program prints just before it ends is on the screen when the end is posted."""
    async with seat(("sh", "-c", "seq 5000; printf last")) as person:
        await person.until(lambda: person.app.of(PtyTerminal.Exited))
        assert "last" in person.text


async def test_program_that_is_not_there() -> None:
    """A program that cannot be started says why and ends with 127."""
    async with seat(("/nowhere/no-such-program",)) as person:
        await person.until(lambda: person.app.of(PtyTerminal.Exited))
        assert person.app.of(PtyTerminal.Exited)[0].code == 127
        assert "/nowhere/no-such-program: No such file or directory" in person.text


async def test_stop_ends_everything() -> None:
    """Stopping ends the shell, its jobs, even those that ignore the hangup, and leaves no zombie."""
    async with seat() as person:
        await person.run("nohup sleep 987 >/dev/null 2>&1 & (trap '' HUP; sleep 986; true) &")
        shell = person.terminal.pid
        assert shell
        await person.until(lambda: [name for _, name in session(shell)].count("sleep") == 2, "both jobs")
        pids = [pid for pid, _ in session(shell)]
        assert len(pids) == 4
        await person.terminal.stop()
        await person.until(lambda: all(state_of(pid) in ("", "Z") for pid in pids))
        assert state_of(shell) == ""
        assert not person.app.of(PtyTerminal.Exited)


async def test_unmounting_stops() -> None:
    """A terminal that is taken off the screen takes its program with it."""
    async with seat() as person:
        pid = person.terminal.pid
        assert pid
        await person.terminal.remove()
        await person.until(lambda: state_of(pid) == "")


async def test_restart_runs_something_else() -> None:
    """restart ends what runs and starts the new program below the old text, with modes back in order."""
    async with seat() as person:
        await person.run("printf 'old\\n\\033[?25l\\033[?1000h'")
        await person.line("old")
        await person.terminal.restart(("sh", "-c", "echo new; exec cat"))
        await person.line("new")
        lines = person.text.split("\n")
        assert lines.index("old") < lines.index("new")
        assert person.terminal.terminal.screen.modes.cursor_visible
        assert not person.terminal.terminal.screen.modes.mouse


async def test_restart_takes_the_offer_of_a_new_shell_back() -> None:
    """Of a program that ended just before: another one runs there now, and Enter goes to that. What was printed stays."""
    async with seat() as person:
        await person.run("echo old; exit 3")
        await person.sees("exit code 3: enter starts a new shell]")
        await person.terminal.restart(("sh", "-c", "echo new; exec cat"))
        await person.line("new")
        lines = [line for line in person.text.split("\n") if line]
        assert "enter starts a new shell" not in person.text and lines[-3:] == ["old", "exit", "new"]


async def test_environment() -> None:
    """The child sees this terminal and not the one around it."""
    async with seat(env={"MARK": "here"}) as person:
        await person.run('clear; echo "$TERM|$COLORTERM|$COLORFGBG|$TMUX|$COLUMNS|$MARK|$(locale charmap)"')
        await person.line("xterm-256color|truecolor|15;0||78|here|UTF-8")


async def test_history_starts_empty_and_is_shared_on_request(tmp_path: Path) -> None:
    """A fresh shell has no history; shells given the same file go on where the other stopped."""
    file = tmp_path / "history"
    async with seat(SHELL, {"NETLESS_HISTORY": str(file)}) as person:
        await person.run("history | wc -l")
        await person.line("1")
        await person.run("echo remembered")
        await person.line("remembered")
        await person.prompt()
    async with seat(SHELL, {"NETLESS_HISTORY": str(file)}) as person:
        await person.pilot.press("up")
        await person.sees("echo remembered")


async def test_of_a_program_that_ends_while_it_is_joined_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the terminal's master side either, which was given away."""
    pidfd_open = os.pidfd_open
    nobody = Listener(lambda data: None, lambda code: None)
    program = Child.start(["cat"], os.environ, (80, 24), nobody)

    def too_late(pid: int) -> int:
        file = pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return file

    before = sorted(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(os, "pidfd_open", too_late)
        Child.join(os.dup(program.master), nobody)
    assert sorted(os.listdir("/proc/self/fd")) == before
    await program.stop()
