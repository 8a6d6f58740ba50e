"""Become part of a node, in a process of one thread that ends with it: a fresh one (``enter``), or that of ``netless exec`` (``join.go_in``).

The agent is asked for the node's namespaces and answers with open files of them (SCM_RIGHTS, unix(7)): no number or path is looked up
that could have come to mean another's process, and nothing that it says is run, opened or imported out here. What it hands over is
checked by kind and owner, and the kernel lets nobody out this way: in the user namespace entered first one is root of the lab and of
nothing else, and may only enter what belongs to it (setns(2)).

All this process needs is imported before it enters anything, and after that nothing can be: who is in the lab may put any file in
place of any other there. It enters only the user and the pid namespace itself, and the latter for its children (setns(2)); the rest
is its child's doing. Until the child is the command, neither can be traced or looked into from inside (prctl(2), PR_SET_DUMPABLE).

The parent stays, carries the terminal if there is one, passes on signals, and ends as its child did. The child has no terminal of the
machine, dies with the parent and with the lab, and gets no open files but the first three, and in place of files on a disk and of a part
of a terminal pipes (``carry``).
Exit: the command's own code, 128 + signal, 126 or 127 when it cannot be run, 3 when there is no such lab or node.
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
import struct
import sys

from ..kernel import syscalls as sc
from . import carry, seccomp, way
from .way import NotThere, Way

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
else:
    import _signal as signal  # the module signal makes enums of all its numbers, which takes 5 ms

if os.isatty(0) and os.isatty(1):
    import termios

    from . import relay

_TAKEN_ALONG = frozenset((
    "HOME", "PATH", "USER", "LOGNAME", "SHELL", "PS1", "NETLESS_LAB", "NETLESS_NODE", "NETLESS_HISTORY", "NETLESS_LESSONS", "TERM",
    "COLORTERM", "COLORFGBG", "NO_COLOR", "COLUMNS", "LINES", "LANG", "LANGUAGE", "TZ", "PAGER", "LESS", "EDITOR", "VISUAL", "LD_LIBRARY_PATH",
))  # fmt: skip
"""Variables that a command inside gets: those that ``join`` sets, and what is said of the terminal, the language and the tools. All others stay
outside: they are paths and sockets that are not there inside, and often enough passwords. A Python may need LD_LIBRARY_PATH."""
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_ENDING = frozenset((signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT))
_STOPPED_S = 1
"""How long after one of these a command may still be stopped before it is killed: nobody inside is to keep us from ending."""
_OURS = ("outer", "cgroup", "user", "pid")
"""What the parent enters, in this order: the second belongs to the first. A kernel need not have cgroups."""
_ITS = ("mnt", "net", "uts", "ipc")
"""What the child enters."""
_KINDS = {**sc.NAMESPACES, "outer": sc.CLONE_NEWUSER}
_UNFILTERED = "the kernel grants no filter of system calls, without which nobody enters. A lab that has used up its memory for them ends with `netless down`"
_FULL = "no other process may start in the lab, it is full of them and their threads; `reset` ends what fills it"
_PATIENCE_S = 10
"""How long the lab may take to say and hand over all that is asked for. A signal tells of its end: no timeout of a socket's counts where the
kernel closes for us what was handed over beyond that, which may take as long as somebody inside likes (SO_LINGER, socket(7))."""
_NS_GET_NSTYPE, _NS_GET_OWNER_UID = 0xB703, 0xB704
"""ioctl_ns(2)"""
_RUNNER = "/usr/bin/env"
"""Runs a command and does nothing else; root's on every machine (see ``_execute``)."""


class Entering:
    """What is left to do: namespaces to enter, as open files, and the command. ``root`` is who is root of the lab, as we number users."""

    def __init__(self, spaces: dict[str, int], command: list[str], processes: int, root: int) -> None:
        self.spaces = spaces
        self.command = command
        self.processes = processes
        self.root = root

    def enter(self, kinds: tuple[str, ...]) -> None:
        """Into these namespaces. Raises OSError."""
        for kind in kinds:
            if kind in self.spaces:
                sc.setns(self.spaces[kind], _KINDS[kind])


def main(address: str, node: str, command: list[str], *, stay: bool) -> int:
    """Enter and run; answers what this process is to end with, at once. Only who has done well and whose output is all there has done well.

    ``address``: the lab's socket, a path, or @ and an abstract name; ``stay``: the connection to the lab stays open as long as the command runs,
    which tells the lab that it is used.
    """
    os.closerange(3, 1 << 20)  # whatever our caller left open is not for the lab
    sc.set_dumpable(False)
    carried = carry.Carried()
    try:
        code = _attempt(address, node, command, carried, stay=stay)
    finally:
        lost = _code(carried.close())
    return code or lost


def _attempt(address: str, node: str, command: list[str], carried: carry.Carried, *, stay: bool) -> int:
    """Ask, enter, run; or say why not."""
    try:
        signal.signal(signal.SIGALRM, _late)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)
        sock = connect(address)
        sock.sendall(way.request(node, stay=stay))
        found, files = way.receive(sock)
        entering = examined(found, files, command, inside=not address.startswith("@"))
        if stay:
            way.take_no_more(sock)
        else:
            sock.close()
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.path.clear()
        sys.meta_path.clear()
        on_terminal = "termios" in globals()
        carried.begin(entering.root, terminals=not on_terminal)
        _leave_our_groups()
        entering.enter(_OURS)
        if os.geteuid() != 0:  # the machine's root is nobody in a lab that he started: he becomes the lab's root
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
        sc.set_dumpable(False)  # taken back by a change of user or of capabilities where fs.suid_dumpable is 1 (prctl(2), proc(5))
        return _run_on_terminal(entering) if on_terminal else _run(entering)
    except NotThere as error:
        return _refused(str(error))
    except ConnectionError:
        return _refused("the lab hung up: it is ending, or can open no more files")
    except TimeoutError:
        return _refused(f"the lab has not answered within {_PATIENCE_S:g} s")
    except BlockingIOError:
        return _refused(_FULL)
    except OSError as error:
        return _refused(f"the lab cannot be entered: {error}")


def _late(*_: object) -> None:
    raise TimeoutError


def connect(address: str) -> _socket.socket:
    """A connection to the lab. Raises NotThere when there is none, or when somebody else holds its name; and OSError."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        way.connect(sock, address, _PATIENCE_S)
    except (ConnectionRefusedError, FileNotFoundError):
        raise NotThere("the lab has ended") from None
    except BlockingIOError:
        raise TimeoutError from None
    except way.NotOurs as error:
        raise NotThere(error.strerror) from None
    sock.settimeout(_PATIENCE_S)
    return sock


def examined(found: Way, files: list[int], command: list[str], *, inside: bool) -> Entering:
    """Check that what was handed over is what a node is made of, and leave out where we are already. Raises NotThere or OSError.

    ``inside``: we are in the lab ourselves, and so in its user namespace. From outside none is our own but that of control groups, of which a
    lab may have had to do without one of its own: who hands one over would have the command work out here, on our files or our network.
    Only a kernel without control groups has no namespace of theirs to hand over.
    """
    if len(set(found.kinds)) < len(found.kinds):
        raise NotThere("the lab handed over one thing twice")
    spaces = dict(zip(found.kinds, files, strict=True))
    lacking = set() if os.path.exists("/proc/self/ns/cgroup") else {"cgroup"}
    if not spaces.keys() <= {*_OURS, *_ITS} <= {*spaces, *lacking}:
        raise NotThere("the lab did not hand over what a node is made of")
    elsewhere = {}
    for kind, fd in spaces.items():
        if fcntl.ioctl(fd, _NS_GET_NSTYPE) != _KINDS[kind]:
            raise NotThere(f"what the lab handed over is no namespace of the kind {kind}")
        own = os.stat("/proc/self/ns/user" if kind == "outer" else f"/proc/self/ns/{kind}").st_ino
        if os.fstat(fd).st_ino != own and (kind != "outer" or not inside):  # to enter where one is already may be refused (setns(2))
            elsewhere[kind] = fd
    if inside and "user" in elsewhere:
        raise NotThere("what answers for the lab is not the lab that we are in")
    if not inside:
        if not {*_OURS, *_ITS} <= {*elsewhere, "cgroup"}:
            raise NotThere("what answers for the lab hands over where we are ourselves")
        if not all(_is_ours(_owner(spaces[kind])) for kind in ("outer", "user")):
            raise NotThere("what answers for the lab is another user's")
    within = ["ip", "netns", "exec", found.within] if found.within else []
    return Entering(elsewhere, [*within, *command], found.processes, _owner(spaces["user"]))


def _is_ours(owner: int) -> bool:
    """Whether who made a user namespace is us, or somebody that only a lab of root's can be."""
    return owner == os.geteuid() or (os.geteuid() == 0 and owner >= way.NOBODYS)


def _owner(user_namespace: int) -> int:
    """Who made it, as we number users."""
    owner: int = struct.unpack("=I", fcntl.ioctl(user_namespace, _NS_GET_OWNER_UID, bytes(4)))[0]
    return owner


def _leave_our_groups() -> None:
    """Be in no group but our own, where one may: an ordinary user may not (setgroups(2))."""
    try:  # noqa: SIM105  (contextlib alone takes as long to import as half of this)
        os.setgroups([])
    except PermissionError:
        pass


def _refused(text: str) -> int:
    """Why not, on standard error. What the lab said may hold anything, and shall do nothing to a terminal."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    os.write(2, f"netless: {shown}\n".encode())
    return 3


def _run_on_terminal(entering: Entering) -> int:
    """Give the command a terminal of the lab and carry it until the command has ended."""
    ours, its = _socket.socketpair()
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    pid = _fork(entering, its)
    its.close()
    for number in _PASSED_ON:
        signal.signal(number, lambda received, _frame: _pass_on(pid, received, os.kill))
    signal.signal(signal.SIGALRM, lambda *_: _kill_if_stopped(pid))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    master = way.receive_one(ours)
    ours.close()
    if master is not None:
        relay.Relay(master, os.pidfd_open(pid)).run()
        os.close(master)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it keeps its number as long as signals are passed on to it
    _pass_nothing_on()
    return _code(os.waitpid(pid, 0)[1])


def _run(entering: Entering) -> int:
    """Run the command on our own standard files; pass on signals, and stop when the terminal has us stop and it has done so.

    It is in a session of its own, where no terminal of ours is its own (credentials(7)): so what the terminal says to us
    goes on to its whole process group, as the terminal would have said it.
    """
    heard = (*_PASSED_ON, signal.SIGCHLD, signal.SIGTSTP, signal.SIGALRM)
    signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    pid = _fork(entering)
    asked_to_stop = False
    while True:
        received = signal.sigwaitinfo(heard)
        if received.si_signo == signal.SIGCHLD:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                _pass_nothing_on()
                return _code(os.waitpid(pid, 0)[1])
            if asked_to_stop and _is_stopped(pid):  # one that stops by itself stops nobody outside
                os.kill(os.getpid(), signal.SIGSTOP)
                _to_the_group(pid, signal.SIGCONT)
                asked_to_stop = False
        elif received.si_signo == signal.SIGTSTP:
            asked_to_stop = True
            _to_the_group(pid, signal.SIGSTOP)  # SIGTSTP does nothing to a group without a terminal (setpgid(2), "orphaned")
        elif received.si_signo == signal.SIGALRM:
            _kill_if_stopped(pid)
        else:
            _pass_on(pid, received.si_signo, _to_the_group if received.si_code == sc.SI_KERNEL else os.kill)


def _pass_on(pid: int, number: int, send: Callable[[int, int], None]) -> None:
    """Send the command a signal. One that is to end it goes on with it where it is stopped, as a shell's ``kill`` does, and sees to it that it ends."""
    send(pid, number)
    if number in _ENDING:
        if _is_stopped(pid):
            _to_the_group(pid, signal.SIGCONT)
        if not signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.setitimer(signal.ITIMER_REAL, _STOPPED_S)


def _kill_if_stopped(pid: int) -> None:
    """It was to end, went on, and is stopped again: somebody inside keeps it from ending."""
    if _is_stopped(pid):
        os.kill(pid, signal.SIGKILL)


def _is_stopped(pid: int) -> bool:
    """Of one who has ended and is not collected yet the kernel says that there is no such child, if only those that are stopped are asked for."""
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
    return found is not None and found.si_code == os.CLD_STOPPED


def _pass_nothing_on() -> None:
    """The command has ended: signals are for us again, while what it wrote is carried to where it belongs."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in (*_PASSED_ON, signal.SIGTSTP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _to_the_group(pid: int, number: int) -> None:
    """To all that the command is made of. It may not have its group yet, or none any more."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        os.kill(pid, number)


def _fork(entering: Entering, for_terminal: _socket.socket | None = None) -> int:
    """The child, in the lab; it dies when we do, even if that is before it could say so."""
    life, our_life = os.pipe()
    pid = os.fork()
    if pid:
        os.close(life)
        return pid
    try:
        os.close(our_life)
        sc.set_parent_death_signal(signal.SIGKILL)
        os.set_blocking(life, False)
        try:
            os.read(life, 1)
            os._exit(1)  # the other end is closed: our parent died meanwhile
        except BlockingIOError:
            pass
        _become(entering, for_terminal)
    except BlockingIOError:
        _refused(_FULL)
    except OSError as error:
        _refused(f"the lab cannot be entered: {error}")
    finally:
        os._exit(3)


def _become(entering: Entering, for_terminal: _socket.socket | None) -> None:
    """The child's way: into the rest of the namespaces, onto its terminal, and into the command. Raises OSError.

    ``runner`` is closed by the kernel on exec, and so is no script: a handler of programs that somebody inside has registered (binfmt_misc) may
    say that it is one, for /proc/self/exe to read, and the kernel refuses a script that is gone when its reader runs (execveat(2), ENOENT).
    """
    runner = os.open(_RUNNER, os.O_PATH | os.O_CLOEXEC)
    entering.enter(_ITS)
    sc.forbid_reboot()
    sc.leave_no_core()
    try:
        seccomp.enclose()
    except OSError as error:
        raise OSError(error.errno, _UNFILTERED) from None
    if entering.processes:
        sc.limit_processes(entering.processes)
    os.setsid()
    if for_terminal is not None:
        master, slave, _ = relay.open_terminal()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in filter(os.isatty, (0, 1, 2)):
            os.dup2(slave, fd)
        for_terminal.sendmsg([b"t"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("@i", master))])
    _execute(entering.command, runner)


def _execute(command: list[str], runner: int) -> None:
    """exec(3) with the room's environment and every signal as a program expects it. Never returns.

    ``runner`` is an open program that runs another. A script that names /proc/self/exe as its interpreter is run by the program that
    executes it, from where that lies outside: by this Python, which may be the lab's user's to write and to give another mode
    (CVE-2019-5736). So one that is root's goes in between, always: who is in the lab may put another file there after any look at it.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    environment = {name: value for name, value in os.environ.items() if name in _TAKEN_ALONG or name.startswith("LC_")}
    try:
        os.chdir(environment.get("HOME", "/"))
    except OSError:  # a learner may have removed it
        os.chdir("/")
    problem: OSError = FileNotFoundError(2, "command not found")
    names = [command[0]] if "/" in command[0] else [f"{folder}/{command[0]}" for folder in environment.get("PATH", "/bin").split(":")]
    for name in names:
        try:
            if os.access(name, os.X_OK) and not os.path.isdir(name):
                # env(1) takes a name with "=" for a variable
                words = ["/bin/sh", "-c", 'exec "$0" "$@"', name] if "=" in name else [name]
                os.execve(runner, ["env", "--", *words, *command[1:]], environment)
            elif os.path.lexists(name):
                problem = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            problem = error
    os.write(2, f"netless: {command[0]}: {problem.strerror}\n".encode())
    os._exit(127 if isinstance(problem, FileNotFoundError) else 126)


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
