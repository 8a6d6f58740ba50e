"""Carry what a caller's standard files hold to and from a command in a room: ``netless exec c1 -- tcpdump -w - > file``.

An open file is more than what is read from it or written to it. Who has it, and is its owner, opens it anew by /proc/self/fd (proc(5)):
a file for writing, a pipe for reading what others write into it; gives it another mode, set-user-ID among them (fchmod(2)), makes it
wait for nobody (fcntl(2), O_NONBLOCK), goes on from a folder to all others (openat(2)), and reads what is typed at a terminal, a password
for something else among it, long after the command has ended. So a command inside has pipes of its own in place of all that its caller
gave it, but for devices like /dev/null, and a process outside that enters nothing copies. Who sits at a terminal, all of it, gets one of the room
instead (``relay``).

A command that reads nothing of its caller's input leaves all of it to the next, as in a loop of the shell's; one that reads a part of a file
or of a pipe has read it all. Where the next one goes on reading is so never for the command to choose: it may be the script of a shell.
Two at once on one pipe are both shown what waits there when they begin, and what one reads of that the other may read too: the kernel tells
that somebody has read of a pipe, not that somebody is about to.
What cannot be written where it belongs is not lost in silence: standard error says why, and who entered ends as one who has not done well.
Of a terminal lines are carried, and only while it is the caller's turn, and what is typed is read by lines and shown: a pager behind the
command reads keys there, and who asks for a password does not show it. The next line is taken when the command has read the last: what is
typed ahead for whoever reads the terminal after a command that reads nothing stays there, but for its first line, which is lost. What was taken
of a terminal cannot be put back, and the kernel tells nobody that a command is about to read.
"""

from __future__ import annotations

import _thread
import errno
import fcntl
import os
import select
import stat
import struct
import termios

from netless_lab.kernel import syscalls as sc

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    Settle = Callable[[], None]
    Copy = Callable[[], Settle | None]
else:
    import _signal as signal  # the module signal makes enums of all its numbers, which takes 5 ms

_CHUNK = 1 << 16
"""As much as a pipe holds (pipe(7))."""
_FIONREAD = 0x541B
"""How many bytes wait in a pipe (pipe(7))."""
_GLANCE_MS = 50
"""So often a pipe is looked at for whether the command has begun to read: nothing tells of it."""
_HARMLESS = tuple(os.makedev(1, minor) for minor in (3, 5, 7, 8, 9))
"""null, zero, full, random, urandom (Documentation/admin-guide/devices.txt): there is nothing in them that is anybody's."""


class Carried:
    """The standard files that are carried: ``begin`` outside, before anything is entered; ``close`` when the command has ended."""

    def __init__(self) -> None:
        self._copying = 0

    def begin(self, owner: int, *, terminals: bool) -> None:
        """Put pipes of this user's in place of the standard files that are to be carried, ``terminals`` among them or not. Raises OSError.

        Only who owns a pipe can open it by a name (/dev/stdin, /dev/stderr).
        """
        self._end, self._our_end = os.pipe()
        own = {fd: os.fstat(fd) for fd in (0, 1, 2) if _is_open(fd)}
        kept = {fd: found for fd, found in own.items() if (terminals if os.isatty(fd) else not _is_harmless(found))}
        # one file: what is written to either comes in the order in which it was written
        as_one = {1, 2} <= kept.keys() and os.path.samestat(own[1], own[2])
        pipes = {fd: os.pipe() for fd in kept if fd != 2 or not as_one}
        for reading, _ in pipes.values():
            if os.fstat(reading).st_uid != owner:
                os.fchown(reading, owner, -1)
        if pipes:
            self._fork(pipes, own)
        for fd, (reading, writing) in pipes.items():
            os.dup2(writing if fd else reading, fd)
            os.close(reading)
            os.close(writing)
        if as_one:
            os.dup2(1, 2)

    def close(self) -> int:
        """Let what the command wrote get to where it belongs; what others write who have its pipes still is lost.

        The wait status of who copied, with which to end where the command's own is 0: not 0 when its output is not all there, which standard
        error was told.
        """
        if not self._copying:
            return 0
        os.close(self._our_end)
        return os.waitpid(self._copying, 0)[1]

    def _fork(self, pipes: dict[int, tuple[int, int]], own: dict[int, os.stat_result]) -> None:
        """The process that copies, deaf to what the terminal says to the command.

        It ends when ``_our_end`` closes, and so with us: who has entered a lab of root's may signal nobody outside.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._copying = os.fork()
        if self._copying:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return
        code = 1
        try:
            os.close(self._our_end)
            threads = {}
            for fd, (reading, writing) in pipes.items():
                if fd:
                    os.close(writing)
                    threads[fd] = _Thread(_out(reading, fd, self._end), reading, self._end)
                else:
                    threads[fd] = _Thread(_in(own[0].st_mode, writing, reading, self._end), writing, self._end)
            problems = {fd: thread.wait() for fd, thread in threads.items()}
            code = _told({problem for fd, problem in problems.items() if fd and problem})
        finally:
            os._exit(code)


class _Thread:
    """Somebody who copies, closes the ``pipe`` when there is nothing more to copy, and settles at the ``end``."""

    def __init__(self, copy: Copy, pipe: int, end: int) -> None:
        self._copy = copy
        self._pipe = pipe
        self._end = end
        self._problem = 0
        self._done = _thread.allocate_lock()
        self._done.acquire()
        _thread.start_new_thread(self._run, ())

    def wait(self) -> int:
        """Until it is all done. The error that kept it from copying all (errno(3)), 0 for none."""
        self._done.acquire()
        return self._problem

    def _run(self) -> None:
        settle = None
        try:
            try:
                settle = self._copy()
            finally:
                os.close(self._pipe)
            if settle is not None:
                _polling((self._end, select.POLLIN)).poll()
                settle()
        except (OSError, termios.error) as error:  # a full disk, nobody who reads, a terminal that has gone
            self._problem = error.args[0]
        finally:
            self._done.release()


def _told(problems: set[int]) -> int:
    """Say why output is not all there. The exit code for that: that of somebody whom SIGPIPE ended when only nobody reads any more."""
    told = problems - {errno.EPIPE}
    for problem in told:
        try:  # noqa: SIM105  (contextlib alone takes milliseconds to import)
            write_all(2, f"netless: the command's output is not all there, it cannot be written: {os.strerror(problem)}\n".encode())
        except OSError:  # it is standard error that cannot be written
            pass
    return 1 if told else 128 + signal.SIGPIPE if problems else 0


def _in(mode: int, target: int, into: int, end: int) -> Copy:
    """How standard input is carried into a pipe that is written at ``target`` and read at ``into``."""
    os.set_blocking(target, False)
    if os.isatty(0):
        return lambda: _copy_lines(_without_waiting(0), target, end)
    if stat.S_ISFIFO(mode):
        return lambda: _copy_pipe(0, target, into, end)
    if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
        return lambda: _copy_file(0, target, into, end)
    return lambda: _copy_on(0, target, end)


def _out(source: int, target: int, end: int) -> Copy:
    os.set_blocking(source, False)  # somebody inside may read it too
    return lambda: _copy_out(source, target, end)


def _is_open(fd: int) -> bool:
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def _is_harmless(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev in _HARMLESS


def _copy_file(source: int, target: int, into: int, end: int) -> Settle:
    """From where the file stands. It stays there until it is settled: there, or at its end."""
    begin = at = os.lseek(source, 0, os.SEEK_CUR)
    poll = _polling((target, select.POLLOUT), (end, select.POLLIN))
    while (data := os.pread(source, _CHUNK, at)) and end not in dict(poll.poll()):
        at += _written(target, data)

    def settle() -> None:
        if _waiting(into) < at - begin:
            os.lseek(source, 0, os.SEEK_END)

    return settle


def _copy_pipe(source: int, target: int, into: int, end: int) -> Settle | None:
    """What waits in it is shown to the command (tee(2)); when that has begun to read, it is taken, and all that comes after it."""
    shown = _moved(sc.tee, source, target, end)

    def settle() -> None:
        if _waiting(into) < shown:
            _drop(source, shown)

    glance = _polling((source, 0), (end, select.POLLIN))
    while shown and _waiting(into) >= shown:
        ready = dict(glance.poll(_GLANCE_MS))
        if end in ready or (source in ready and _waiting(source) == shown):
            return settle
        if source in ready:  # nobody writes into it any more
            glance.unregister(source)
    _drop(source, shown)
    while _moved(sc.splice, source, target, end):
        pass
    return None


def _moved(move: Callable[[int, int, int], int], source: int, target: int, end: int) -> int:
    """How many bytes went from pipe to pipe when there were some and there was room; 0 at the end of the source, or at the ``end``."""
    readable = _polling((source, select.POLLIN), (end, select.POLLIN))
    room = _polling((target, select.POLLOUT), (end, select.POLLIN))
    while end not in dict(readable.poll()) and end not in dict(room.poll()):
        try:
            return move(source, target, _CHUNK)
        except BlockingIOError:  # another has read it, or somebody inside has filled the pipe
            pass
    return 0


def _copy_on(source: int, target: int, end: int) -> Settle | None:
    """Until its end or the ``end``; what the command does not read is lost."""
    readable = _polling((source, select.POLLIN), (end, select.POLLIN))
    room = _polling((target, select.POLLOUT), (end, select.POLLIN))
    while end not in dict(readable.poll()):
        data = os.read(source, _CHUNK)
        if not data:
            break
        while data:
            if end in dict(room.poll()):
                return None
            data = data[_written(target, data) :]
    return None


def _without_waiting(terminal: int) -> int:
    """The terminal, opened once more so that a read of it never waits (open(2), O_NONBLOCK): whoever waits in a read for a line that another has
    taken gets the next one, however it is typed by then. Where it may not be opened, as one may not after su(1), it is the same.
    """
    try:
        return os.open(f"/proc/self/fd/{terminal}", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return terminal


def _copy_lines(terminal: int, target: int, end: int) -> Settle | None:
    """What is typed, a line when the last one was read, until the end of the input (ctrl-d) or until the ``end``. Signals are blocked here (``_fork``).

    A terminal in line mode can be read when a line is complete, and a read takes one (termios(3), "Canonical mode"). When it is another's
    turn, that is told by an error, and nothing is taken (SIGTTIN blocked: read(2), EIO).
    """
    ready = select.epoll()
    ready.register(terminal, select.EPOLLIN | select.EPOLLET)  # told of each key once: those of a pager are not waited for in a busy loop
    ready.register(end, select.EPOLLIN)
    fcntl.fcntl(target, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)  # of one page: there is room when all of it has been read (the kernel's pipe_full)
    room = _polling((target, select.POLLOUT), (end, select.POLLIN))
    while end not in dict(ready.poll()):
        while end not in dict(room.poll()) and select.select([terminal], [], [], 0)[0] and _is_read_by_lines(terminal):
            try:
                line = os.read(terminal, select.PIPE_BUF)
            except OSError:
                break
            if not line:
                return None
            while line:
                if end in dict(room.poll()):
                    return None
                line = line[_written(target, line) :]
    return None


def _is_read_by_lines(terminal: int) -> bool:
    """And shows them: who reads keys, or a password, has another mode for so long."""
    flags = termios.tcgetattr(terminal)[3]
    return bool(flags & termios.ICANON and flags & termios.ECHO)


def _copy_out(source: int, target: int, end: int) -> Settle | None:
    """Until nobody can write any more; from the ``end`` on, what is there already."""
    poll = _polling((source, select.POLLIN), (end, select.POLLIN))
    left = -1
    while left:
        if left < 0 and end in dict(poll.poll()):
            left = _waiting(source)
            continue
        try:
            data = os.read(source, _CHUNK if left < 0 else min(left, _CHUNK))
        except BlockingIOError:  # another has read it
            left = min(left, 0)
            continue
        if not data:
            break
        left = max(0, left - len(data)) if left >= 0 else left
        write_all(target, data)
    return None


def write_all(target: int, data: bytes) -> None:
    """Write it, also where a file waits for nobody (O_NONBLOCK). Raises OSError."""
    while data:
        try:
            data = data[os.write(target, data) :]
        except BlockingIOError:
            _polling((target, select.POLLOUT)).poll()


def _written(target: int, data: bytes) -> int:
    """How much of it has gone in. Somebody inside may have filled the pipe since there was room."""
    try:
        return os.write(target, data)
    except BlockingIOError:
        return 0


def _drop(pipe: int, size: int) -> None:
    """Take so many bytes that wait in a pipe, or as many as another has left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        while size and (taken := sc.splice(pipe, nowhere, size)):
            size -= taken
    except BlockingIOError:
        pass
    finally:
        os.close(nowhere)


def _waiting(pipe: int) -> int:
    """How many bytes nobody has read yet."""
    found: int = struct.unpack("i", fcntl.ioctl(pipe, _FIONREAD, bytes(4)))[0]
    return found


def _polling(*interests: tuple[int, int]) -> select.poll:
    poll = select.poll()
    for fd, events in interests:
        poll.register(fd, events)
    return poll
