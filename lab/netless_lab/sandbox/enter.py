"""Become part of a node, run as a fresh single-threaded process: ``python -I -S enter.py OPTIONS -- COMMAND ARG...`` (``join`` writes it).

    --agent PID     the lab's agent as numbered here; ignored when this process lives in the lab itself
    --room INODE    the lab's pid namespace, so that a pid used again by somebody else is noticed
    --node PID      a process of the node, as the lab numbers it; 1 is the host
    --processes N   the room's limit on processes for those who enter, 0 for none

No other program is needed, unlike with nsenter(1), and the order matters: first the user namespace, whose root may enter all others.
A pid namespace is entered by children only (setns(2)), so this process stays, carries the terminal if there is one, passes on
signals, and ends as its child did. The child dies with it and with the lab, and gets no open files but the first three.
Exit: the command's own code, 128 + signal, 126 or 127 when it cannot be run, 3 when there is no such lab or node.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":  # -I -S: nothing of ours is on the path yet
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import signal

from netless_lab.sandbox import syscalls as sc

_FOREIGN = (
    "XDG_", "DBUS_", "SSH_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "TMUX", "STY", "DISPLAY", "WAYLAND_", "SUDO_", "MAIL", "BASH_ENV",
    "LD_PRELOAD", "OLDPWD", "LS_OPTIONS", "INVOCATION_ID", "JOURNAL_STREAM", "NETLESS_CALLED",
)  # fmt: skip
"""Beginnings of variables that describe the world outside: paths and sockets that are not there inside."""
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_KINDS = {"net": sc.CLONE_NEWNET, "uts": sc.CLONE_NEWUTS, "ipc": sc.CLONE_NEWIPC, "mnt": sc.CLONE_NEWNS}
_SI_KERNEL = 0x80
"""si_code of a signal from the terminal: the whole foreground group has it, so the child too (sigaction(2))."""


class NotThere(Exception):
    """The lab or the node is gone."""


def main(argv: list[str]) -> int:
    """Parse, enter, run."""
    split = argv.index("--")
    options = dict(zip(argv[:split:2], argv[1:split:2], strict=True))
    command = argv[split + 1 :]
    try:
        enter(int(options["--agent"]), int(options["--room"]), int(options["--node"]))
    except NotThere as error:
        print(f"netless: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"netless: the lab cannot be entered: {error}", file=sys.stderr)
        return 3
    processes = int(options["--processes"])
    if processes:
        from netless_lab.sandbox.limits import apply_nproc

        apply_nproc(processes)
    try:
        return _run_on_terminal(command) if _foreign_terminal() else _run(command)
    except BlockingIOError:
        print("netless: no other process may start in the lab, it is full of them; `reset` ends what fills it", file=sys.stderr)
        return 3


def enter(agent: int, room: int, node: int) -> None:
    """Move this process into the node; its children will be in the lab's pid namespace too. Raises NotThere or OSError."""
    inside = os.stat("/proc/self/ns/pid").st_ino == room
    base = "/proc/1/ns" if inside else f"/proc/{agent}/ns"
    try:
        if os.stat(f"{base}/pid").st_ino != room:
            raise FileNotFoundError
        fds = {kind: os.open(f"{base}/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", "cgroup", "pid", "mnt")}
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # somebody else's process may have the number by now
        raise NotThere("the lab has ended") from None
    if not _same(fds["user"], "user"):
        sc.setns(fds["user"], sc.CLONE_NEWUSER)
    sc.setns(fds["cgroup"], sc.CLONE_NEWCGROUP)
    if not inside:
        sc.setns(fds["pid"], sc.CLONE_NEWPID)
        sc.setns(fds["mnt"], sc.CLONE_NEWNS)  # now /proc is the lab's, whose numbers the node's pid is one of
    paths = {f"/proc/{node}/ns/{name}": kind for name, kind in _KINDS.items()}
    try:
        spaces = [(os.open(path, os.O_RDONLY | os.O_CLOEXEC), kind) for path, kind in paths.items()]
    except (FileNotFoundError, ProcessLookupError):
        raise NotThere(f"the node is gone: its process {node} has ended") from None
    for fd, kind in spaces:
        sc.setns(fd, kind)
    sc.forbid_reboot()


def _same(fd: int, kind: str) -> bool:
    return os.fstat(fd).st_ino == os.stat(f"/proc/self/ns/{kind}").st_ino


def _foreign_terminal() -> bool:
    """Whether we sit at a terminal that is not one of the lab's own."""
    if not (os.isatty(0) and os.isatty(1)):
        return False
    try:
        return os.fstat(0).st_dev != os.stat("/dev/pts").st_dev
    except OSError:
        return False


def _run_on_terminal(command: list[str]) -> int:
    """Give the command a terminal of the lab and carry it until the command has ended."""
    from netless_lab.sandbox.relay import Relay, open_terminal

    master, slave, _ = open_terminal()
    relay = Relay(master)
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    pid = _fork(command, slave)
    os.close(slave)
    for number in _PASSED_ON:
        signal.signal(number, lambda received, _frame: os.kill(pid, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    relay.run()
    os.close(master)
    return _code(os.waitpid(pid, 0)[1])


def _run(command: list[str]) -> int:
    """Run the command on our own standard files; pass on signals, stop when it stops."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_PASSED_ON, signal.SIGCHLD, signal.SIGTSTP))
    pid = _fork(command)
    while True:
        received = signal.sigwaitinfo((*_PASSED_ON, signal.SIGCHLD, signal.SIGTSTP))
        if received.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if ended and os.WIFSTOPPED(status):
                os.kill(os.getpid(), signal.SIGSTOP)
                os.kill(pid, signal.SIGCONT)
            elif ended:
                return _code(status)
        elif received.si_signo != signal.SIGTSTP and received.si_code != _SI_KERNEL:
            os.kill(pid, received.si_signo)


def _fork(command: list[str], terminal: int | None = None) -> int:
    """The child, in the lab; it dies when we do, even if that is before it could say so."""
    life, our_life = os.pipe()
    pid = os.fork()
    if pid:
        os.close(life)
        return pid
    os.close(our_life)
    sc.set_parent_death_signal(signal.SIGKILL)
    os.set_blocking(life, False)
    try:
        os.read(life, 1)
        os._exit(1)  # the other end is closed: our parent died meanwhile
    except BlockingIOError:
        pass
    if terminal is not None:
        os.login_tty(terminal) if hasattr(os, "login_tty") else _login(terminal)
    _execute(command)
    return 0


def _login(terminal: int) -> None:
    """``os.login_tty`` of Python 3.11."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(terminal, fd)


def _execute(command: list[str]) -> None:
    """exec(3) with the room's environment and every signal as a program expects it. Never returns."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    _keep_files_to_ourselves()
    try:
        os.chdir(environment.get("HOME", "/"))
    except OSError:  # a learner may have removed it
        os.chdir("/")
    problem: OSError = FileNotFoundError(2, "command not found")
    names = [command[0]] if "/" in command[0] else [f"{folder}/{command[0]}" for folder in environment.get("PATH", "/bin").split(":")]
    for name in names:
        try:
            os.execve(name, command, environment)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problem = error
    print(f"netless: {command[0]}: {problem.strerror}", file=sys.stderr, flush=True)
    os._exit(127 if isinstance(problem, FileNotFoundError) else 126)


def _keep_files_to_ourselves() -> None:
    """Nothing but the standard files goes to the command. The connection to the agent is ours to hold: what a command leaves running must not."""
    try:
        numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:  # a learner may have removed it
        return
    for number in numbers:
        try:
            if number > 2:
                os.set_inheritable(number, False)
        except OSError:  # the list's own
            pass


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
