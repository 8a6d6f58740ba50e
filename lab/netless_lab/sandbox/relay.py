"""Carry a terminal into a room: between the terminal somebody sits at and one of the room's own.

A terminal of the machine has no name inside a room (``tty``, tmux and ssh then refuse), its sessions are not the room's, and a process
that shares it could push keystrokes back into the shell outside (ioctl_tty(2), TIOCSTI). So a shell in a room gets a terminal of
the room, and this copies what is typed and printed, as ``docker exec -t`` does.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import tty

from netless_lab.sandbox.carry import write_all

_TIOCSPTLCK = 0x40045431
_TIOCGPTN = 0x80045430
_TIOCGPTPEER = 0x5441
_CHUNK = 1 << 16
_END_MS = 1000
"""How long a command may take to end on a signal before its terminal is wanted all the same."""
_MOST_HELD = 1 << 20
"""Bytes. A terminal's buffer has 64 KiB (drivers/tty/tty_buffer.c); a read takes up to 4 KiB of it."""


def open_terminal() -> tuple[int, int, int]:
    """(controlling end, the program's end, its number in /dev/pts) of a new terminal of the room that this process is in.

    The program's end is opened by TIOCGPTPEER (Linux 4.13), which needs no path.
    """
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        number = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, bytes(4)))[0]
        return master, fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC), number
    except OSError:
        os.close(master)
        raise


def copy_size(source: int, target: int) -> None:
    """Give one terminal the size of another; the kernel tells the programs on it (SIGWINCH)."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(8)))


class Relay:
    """Copies until the command has ended. Restores the near terminal however it ends, short of SIGKILL."""

    def __init__(self, master: int, command: int) -> None:
        """``command`` is a pidfd of whom the terminal is for: what he leaves behind there loses it with him (as with ``docker exec -t``).

        Raises OSError when the near terminal has gone.
        """
        self._master = master
        self._command = command
        self._near = sys.stdin.fileno()
        try:
            self._before = termios.tcgetattr(self._near)
        except termios.error as error:  # which is no OSError
            raise OSError(*error.args) from None
        self._wake, self._waken = os.pipe()
        for fd in (self._wake, self._waken, master):
            os.set_blocking(fd, False)

    def run(self) -> None:
        """Raw mode, copy, restore. Returns when the command has ended, nobody has the far side open any more, or the near side hung up.

        Raises OSError when the near terminal has gone before it was raw.
        """
        previous = signal.set_wakeup_fd(self._waken, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, lambda *_: copy_size(self._near, self._master))
        copy_size(self._near, self._master)
        try:
            if not self._makes_raw():
                self._print_the_rest()
                return
            try:
                self._copy()
            finally:
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(self._near, termios.TCSADRAIN, self._before)
        finally:
            signal.set_wakeup_fd(previous)

    def _makes_raw(self) -> bool:
        """Whether the terminal could be made raw before the command ended. Who is in its background is stopped for that (SIGTTOU), until it is his turn.

        A signal that the command was sent meanwhile interrupts it. That may be the command's end, which takes a moment.
        """
        poll = select.poll()
        for fd in (self._command, self._wake):
            poll.register(fd, select.POLLIN)
        while True:
            try:
                tty.setraw(self._near, termios.TCSADRAIN)
            except termios.error as error:
                if error.args[0] != errno.EINTR:
                    raise OSError(*error.args) from None
                while found := dict(poll.poll(_END_MS)):
                    if self._command in found:
                        return False
                    _read(self._wake)
            else:
                return True

    def _copy(self) -> None:
        poll = select.poll()
        for fd in (self._near, self._master, self._wake, self._command):
            poll.register(fd, select.POLLIN)
        typed = b""
        while True:
            for fd, found in poll.poll():
                if fd == self._command:
                    self._print_the_rest()
                    return
                if fd == self._wake:
                    _read(self._wake)
                elif fd == self._near and found & select.POLLHUP:  # told whatever is asked for; what was typed before is gone with it
                    return
                elif fd == self._near and not typed:
                    got = _read(self._near)
                    if got == b"":
                        return
                    typed = got or b""
                elif fd == self._master:
                    printed = _read(self._master)
                    if printed == b"":
                        return
                    write_all(1, printed or b"")
            if typed:
                typed = typed[_write_some(self._master, typed) :]
            # A program that does not read must not stop its output: poll for room only while something waits.
            poll.modify(self._master, select.POLLIN | (select.POLLOUT if typed else 0))
            poll.modify(self._near, 0 if typed else select.POLLIN)

    def _print_the_rest(self) -> None:
        """What the command has printed last: a terminal holds less than this, and a read waits for what is on its way (the kernel's n_tty_read)."""
        for _ in range(_MOST_HELD >> 12):
            printed = _read(self._master)
            if not printed:
                return
            write_all(1, printed)


def _read(fd: int) -> bytes | None:
    """b"" at the end, None when there is nothing now. A terminal whose other side is closed says EIO."""
    try:
        return os.read(fd, _CHUNK)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def _write_some(fd: int, data: bytes) -> int:
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
