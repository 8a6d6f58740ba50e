"""Attempts on the terminal outside, of which the attempts' standard error is one end. See ``test_terminals`` for the other ways to have it."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from hostile.attempt import Lacking, Refused, attempt
from hostile.bait import Bait
from hostile.calls import call

TIOCCONS, TIOCLINUX, TIOCSTI = 0x541D, 0x541C, 0x5412
TIOCVHANGUP, TIOCGDEV = 0x5437, 0x80045432
ERROR = 2
"""The file that is the terminal outside."""


@attempt("refused", control="both")
def push_a_key(bait: Bait) -> object:
    """A key is put into the input of the terminal outside (TIOCSTI)."""
    if bait.node == "outside" and os.geteuid() != 0 and _pushing_is_off():
        raise Lacking("this machine lets nobody push keys")
    return fcntl.ioctl(ERROR, TIOCSTI, b"#")


@attempt("refused")
def push_a_key_in_a_session_of_ones_own(bait: Bait) -> object:
    """The same by a process that could have a terminal of its own."""
    _lead()
    return fcntl.ioctl(ERROR, TIOCSTI, b"#")


@attempt("refused")
def push_a_key_into_a_new_file(bait: Bait) -> object:
    """The same with the terminal opened anew, which makes it one's own if it is nobody's."""
    _lead()
    return fcntl.ioctl(os.open(f"/proc/self/fd/{ERROR}", os.O_RDWR), TIOCSTI, b"#")


@attempt("refused", over=(0, 1))
def make_it_ones_own(bait: Bait, force: int) -> object:
    """The terminal outside becomes that of a session inside (TIOCSCTTY), taken away from the one outside with ``force``."""
    _lead()
    return fcntl.ioctl(ERROR, termios.TIOCSCTTY, force)


@attempt("refused")
def make_it_ones_own_in_a_nested_lab(bait: Bait) -> object:
    """The same as root of a user namespace of one's own."""
    call("unshare", 0x10000000)
    _lead()
    return fcntl.ioctl(ERROR, termios.TIOCSCTTY, 1)


@attempt("refused", over=(0, 1, 2))
def have_a_terminal(bait: Bait, number: int) -> object:
    """A standard file is the terminal of this session."""
    return os.tcgetpgrp(number)


@attempt("refused", control="both")
def open_the_terminal(bait: Bait) -> object:
    """/dev/tty, which is the terminal of whoever opens it."""
    return os.open("/dev/tty", os.O_RDWR)


@attempt("refused", control="both")
def take_the_foreground(bait: Bait) -> None:
    """The process group that hears the keys of the terminal outside becomes one of the lab's."""
    os.tcsetpgrp(ERROR, os.getpgrp())


@attempt("refused", over=(2, 3, 4, 11, 15))
def paste(bait: Bait, what: int) -> object:
    """The console's own requests, such as pasting a selection (TIOCLINUX)."""
    return fcntl.ioctl(ERROR, TIOCLINUX, bytes([what]) + bytes(15))


@attempt("refused")
def hang_up(bait: Bait) -> object:
    """Everybody else loses the terminal outside."""
    return fcntl.ioctl(ERROR, TIOCVHANGUP)


@attempt("refused")
def hang_up_by_call(bait: Bait) -> object:
    """The same by vhangup(2)."""
    return call("vhangup")


@attempt("refused")
def take_the_console(bait: Bait) -> object:
    """What the kernel prints on its console comes to a terminal of the lab's."""
    return fcntl.ioctl(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY), TIOCCONS)


@attempt("refused")
def find_it_by_name(bait: Bait) -> object:
    """The terminal outside has a name in the lab."""
    number = struct.unpack("=I", fcntl.ioctl(ERROR, TIOCGDEV, bytes(4)))[0]
    minor = number & 0xFF
    path = f"/dev/pts/{minor}"
    if os.fstat(ERROR).st_dev != os.stat(path).st_dev:
        raise Refused("that is another terminal")
    return path


@attempt("private")
def have_a_terminal_of_the_lab(bait: Bait) -> object:
    """A terminal of the lab's own, with a key pushed into it where this machine allows that."""
    _lead()
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    return fcntl.ioctl(slave, TIOCSTI, b"#"), master


def _lead() -> None:
    """Become the leader of a session: the attempt's child goes on, and what it says is the attempt's answer."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os._exit(0)
    os.setsid()


def _pushing_is_off() -> bool:
    with open("/proc/sys/dev/tty/legacy_tiocsti", encoding="ascii") as file:
        return file.read().strip() == "0"
