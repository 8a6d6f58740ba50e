"""Carry what a caller's standard files hold to and from a command in a room: ``netless exec c1 -- tcpdump -w - > file``.

An open file is more than what is read from it or written to it. Who has it, and is its owner, opens it anew by /proc/self/fd (proc(5)):
a file for writing, a pipe for reading what others write into it; gives it another mode, set-user-ID among them (fchmod(2)), makes it
wait for nobody (fcntl(2), O_NONBLOCK), goes on from a folder to all others (openat(2)), and reads what is typed at a terminal, a password
for something else among it, long after the command has ended. So a command inside has pipes of its own in place of all that its caller
gave it, but for devices like /dev/null, and a process outside that enters nothing copies. Who sits at a terminal, all of it, gets one of the room
instead (``relay``).

A command that reads nothing of its caller's input leaves all of it to the next, as in a loop of the shell's; one that reads a part of a file
or of a pipe has read it all. Where the next one goes on reading is so never for the command to choose: it may be the script of a shell.
Of a terminal lines are carried, and only while it is the caller's turn, and what is typed is read by lines and shown: a pager behind the
command reads keys there, and who asks for a password does not show it.
"""

from __future__ import annotations

import _thread
import fcntl
import os
import select
import signal
import stat
import struct
import termios

from netless_lab.sandbox import syscalls as sc

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    Settle = Callable[[], None]
    Copy = Callable[[], Settle | None]

_CHUNK = 1 << 16
"""As much as a pipe holds (pipe(7))."""
_FIONREAD = 0x541B
"""How many bytes wait in a pipe (pipe(7))."""
_GLANCE_MS = 50
"""So often a pipe is looked at for whether the command has begun to read: nothing tells of it."""
_HARMLESS = tuple(os.makedev(1, minor) for minor in (3, 5, 7, 8, 9))
"""null, zero, full, random, urandom (Documentation/admin-guide/devices.txt): there is nothing in them that is anybody's."""


class Carried:
    """The standard files that are carried. Make it outside, before anything is entered; ``close`` when the command has ended."""

    def __init__(self, *, terminals: bool) -> None:
        """Put pipes in place of the standard files that are to be carried, ``terminals`` among them or not. Raises OSError."""
        self._end, self._our_end = os.pipe()
        self._copying = 0
        own = {fd: os.fstat(fd) for fd in (0, 1, 2) if _is_open(fd)}
        kept = {fd: found for fd, found in own.items() if (terminals if os.isatty(fd) else not _is_harmless(found))}
        # one file: what is written to either comes in the order in which it was written
        as_one = {1, 2} <= kept.keys() and os.path.samestat(own[1], own[2])
        pipes = {fd: os.pipe() for fd in kept if fd != 2 or not as_one}
        if pipes:
            self._fork(pipes, own)
        for fd, (reading, writing) in pipes.items():
            os.dup2(writing if fd else reading, fd)
            os.close(reading)
            os.close(writing)
        if as_one:
            os.dup2(1, 2)

    def close(self) -> None:
        """Let what the command wrote get to where it belongs; what others write who have its pipes still is lost."""
        os.close(self._our_end)
        if self._copying:
            os.waitpid(self._copying, 0)

    def _fork(self, pipes: dict[int, tuple[int, int]], own: dict[int, os.stat_result]) -> None:
        """The process that copies, deaf to what the terminal says to the command.

        It ends when ``_our_end`` closes, and so with us: who has entered a lab of root's may signal nobody outside.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._copying = os.fork()
        if self._copying:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return
        try:
            os.close(self._our_end)
            locks = []
            for fd, (reading, writing) in pipes.items():
                if fd:
                    os.close(writing)
                    locks.append(_in_a_thread(_out(reading, fd, self._end), reading, self._end))
                else:
                    locks.append(_in_a_thread(_in(own[0].st_mode, writing, reading, self._end), writing, self._end))
            for lock in locks:
                lock.acquire()
        finally:
            os._exit(0)


def _in_a_thread(copy: Copy, pipe: int, end: int) -> _thread.LockType:
    """Start it, close the ``pipe`` when it has nothing more to copy, and settle at the ``end``. The lock is free when all is done."""

    def run() -> None:
        settle = None
        try:
            try:
                settle = copy()
            finally:
                os.close(pipe)
            if settle is not None:
                _polling((end, select.POLLIN)).poll()
                settle()
        except (OSError, termios.error):  # a full disk, nobody who reads, a terminal that has gone
            pass
        finally:
            lock.release()

    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(run, ())
    return lock


def _in(mode: int, target: int, into: int, end: int) -> Copy:
    """How standard input is carried into a pipe that is written at ``target`` and read at ``into``."""
    os.set_blocking(target, False)
    if os.isatty(0):
        return lambda: _copy_lines(0, target, end)
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
    shown = -1
    while shown < 0:
        if end in dict(_polling((source, select.POLLIN), (end, select.POLLIN)).poll()):
            return None
        try:
            shown = sc.tee(source, target, _CHUNK)
        except BlockingIOError:  # another has read it
            continue
    glance = _polling((source, 0), (end, select.POLLIN))
    while shown and _waiting(into) >= shown:
        ready = dict(glance.poll(_GLANCE_MS))
        if end in ready:
            return None
        if source in ready:  # nobody writes into it any more
            if _waiting(source) == shown:
                return lambda: _drop(source, shown) if _waiting(into) < shown else None
            glance.unregister(source)
    _drop(source, shown)
    return _copy_on(source, target, end)


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


def _copy_lines(terminal: int, target: int, end: int) -> Settle | None:
    """What is typed, a line at a time, until the end of the input (ctrl-d) or until the ``end``. Signals are blocked here (``_fork``).

    A terminal in line mode can be read when a line is complete, and a read takes one (termios(3), "Canonical mode"). When it is another's
    turn, that is told by an error, and nothing is taken (SIGTTIN blocked: read(2), EIO).
    """
    ready = select.epoll()
    ready.register(terminal, select.EPOLLIN | select.EPOLLET)  # told of each key once: those of a pager are not waited for in a busy loop
    ready.register(end, select.EPOLLIN)
    room = _polling((target, select.POLLOUT), (end, select.POLLIN))
    while end not in dict(ready.poll()):
        while select.select([terminal], [], [], 0)[0] and _is_read_by_lines(terminal):
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
        while data:
            data = data[os.write(target, data) :]
    return None


def _written(target: int, data: bytes) -> int:
    """How much of it has gone in. Somebody inside may have filled the pipe since there was room."""
    try:
        return os.write(target, data)
    except BlockingIOError:
        return 0


def _drop(pipe: int, size: int) -> None:
    """Take so many bytes that wait in a pipe."""
    while size and (data := os.read(pipe, size)):
        size -= len(data)


def _waiting(pipe: int) -> int:
    """How many bytes nobody has read yet."""
    found: int = struct.unpack("i", fcntl.ioctl(pipe, _FIONREAD, bytes(4)))[0]
    return found


def _polling(*interests: tuple[int, int]) -> select.poll:
    poll = select.poll()
    for fd, events in interests:
        poll.register(fd, events)
    return poll
