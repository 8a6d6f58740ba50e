"""Carry files and terminals of the machine's to a command in a room, as pipes: ``netless exec c1 -- tcpdump -w - > file``.

An open file is more than what is read from it or written to it: who has it, and is its owner, opens it anew for writing by
/proc/self/fd (proc(5)), gives it another mode, set-user-ID among them (fchmod(2)), and from a folder goes on to all others (openat(2)).
And who has a terminal reads what is typed there, long after the command has ended, a password for something else among it.
So a command inside gets the end of a pipe in place of every regular file, folder, disk and terminal that its caller gave it; a process
outside that enters nothing copies. Pipes, sockets and other devices stay as they are. Who sits at a terminal, all of it, gets one of the
room instead (``relay``).

Of a terminal lines are carried, and only while it is the caller's turn and read by lines: a pager behind the command reads keys there.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import stat
import struct
import termios

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    Copy = Callable[[], None]

_CHUNK = 1 << 16
_FIONREAD = 0x541B
"""How many bytes wait in a pipe (pipe(7))."""


class Carried:
    """The standard files that are carried. Make it outside, before anything is entered; ``close`` when the command has ended."""

    def __init__(self, *, terminals: bool) -> None:
        """Put pipes in place of the standard files that are to be carried, ``terminals`` among them or not. Raises OSError."""
        self._copying: list[int] = []
        self._end, self._our_end = os.pipe()
        own = {fd: os.fstat(fd) for fd in (0, 1, 2) if _is_open(fd)}
        kept = {fd: found for fd, found in own.items() if (terminals if os.isatty(fd) else not _passes(found.st_mode))}
        if 0 in kept:
            into, out = os.pipe()
            self._fork((lambda: _copy_lines(0, out, self._end)) if os.isatty(0) else (lambda: _copy_in(0, into, out, self._end)))
            os.close(out)
            os.dup2(into, 0)
            os.close(into)
        for fd in (1, 2):
            if fd == 2 and 1 in kept and fd in kept and os.path.samestat(own[1], own[2]):
                os.dup2(1, 2)  # one file: what is written to either comes in the order in which it was written
            elif fd in kept:
                self._carry_out(fd)

    def close(self) -> None:
        """Let what the command wrote get to where it belongs; what others write who have its pipes still is lost."""
        os.close(self._our_end)
        for pid in self._copying:
            os.waitpid(pid, 0)

    def _carry_out(self, fd: int) -> None:
        into, out = os.pipe()
        self._fork(lambda: _copy_out(into, fd, self._end), out)
        os.close(into)
        os.dup2(out, fd)
        os.close(out)

    def _fork(self, work: Copy, *its: int) -> None:
        """A process that copies, deaf to what the terminal says to the command. ``its``: what is the command's alone.

        It ends when ``_our_end`` closes, and so with us: who has entered a lab of root's may signal nobody outside.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._copying.append(pid)
            return
        try:
            for fd in (*its, self._our_end):
                os.close(fd)
            work()
        except OSError:  # a full disk, or nobody who reads
            pass
        finally:
            os._exit(0)


def _is_open(fd: int) -> bool:
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def _passes(mode: int) -> bool:
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)


def _copy_in(source: int, into: int, target: int, end: int) -> None:
    """Until the end of the file, or until the ``end``; then what nobody has read is there for whoever reads the file next.

    So a loop of the shell's, ``while read line; do netless exec ...; done < file``, loses no line. ``into`` is where ``target`` is read.
    """
    os.set_blocking(target, False)
    poll = _polling((target, select.POLLOUT), (end, select.POLLIN))
    data = os.read(source, _CHUNK)
    while data and end not in dict(poll.poll()):
        data = data[os.write(target, data) :] or os.read(source, _CHUNK)
    os.close(target)
    _polling((end, select.POLLIN)).poll()
    os.lseek(source, -len(data) - _waiting(into), os.SEEK_CUR)


def _copy_lines(terminal: int, target: int, end: int) -> None:
    """What is typed, a line at a time, until the end of the input (ctrl-d) or until the ``end``. Signals are blocked here (``_fork``).

    A terminal in line mode can be read when a line is complete, and a read takes one (termios(3), "Canonical mode"). When it is another's
    turn, that is told by an error, and nothing is taken (SIGTTIN blocked: read(2), EIO).
    """
    ready = select.epoll()
    ready.register(terminal, select.EPOLLIN | select.EPOLLET)  # told of each key once: those of a pager are not waited for in a busy loop
    ready.register(end, select.EPOLLIN)
    room = _polling((target, select.POLLOUT), (end, select.POLLIN))
    while end not in dict(ready.poll()):
        while select.select([terminal], [], [], 0)[0] and termios.tcgetattr(terminal)[3] & termios.ICANON:
            if end in dict(room.poll()):
                return
            try:
                line = os.read(terminal, select.PIPE_BUF)  # so much goes into a pipe that is ready, whole (pipe(7))
            except OSError:
                break
            if not line:
                return
            os.write(target, line)


def _copy_out(source: int, target: int, end: int) -> None:
    """Until nobody can write any more; from the ``end`` on, what is there already."""
    poll = _polling((source, select.POLLIN), (end, select.POLLIN))
    left = -1
    while left:
        if left < 0 and end in dict(poll.poll()):
            left = _waiting(source)
            continue
        data = os.read(source, _CHUNK if left < 0 else min(left, _CHUNK))
        if not data:
            return
        left = max(0, left - len(data)) if left >= 0 else left
        while data:
            data = data[os.write(target, data) :]


def _waiting(pipe: int) -> int:
    """How many bytes nobody has read yet."""
    found: int = struct.unpack("i", fcntl.ioctl(pipe, _FIONREAD, bytes(4)))[0]
    return found


def _polling(*interests: tuple[int, int]) -> select.poll:
    poll = select.poll()
    for fd, events in interests:
        poll.register(fd, events)
    return poll
