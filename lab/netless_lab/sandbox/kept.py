"""What is said of terminals that a lab keeps, by whoever is at one and by the lab's keeper (``terminals``), and what goes along with it.

A terminal of a shell in a lab is a pair of open files: the controlling end of a pseudo-terminal (pty(7)), and memory with the last of its
output (``ring``). Who starts a shell hands both to the keeper, on a connection for this one terminal (SCM_RIGHTS, unix(7)), and owns the
terminal as long as the connection stands. An owner that goes without a word leaves the terminal behind, with all that runs there: the
keeper reads what is printed from then on, and hands it to the next one who asks.

One message each way, fields apart by NUL, each whole (SOCK_SEQPACKET):

    keep␀VERSION␀NODE␀NOTE         with both files; no answer when it is kept, else one of these and the end of the connection:
    full␀MOST                      so many are kept, and all of them are owned
    refused␀WHY                    it cannot be kept for this reason
    take␀VERSION␀NODE␀NODE...      any terminal that nobody owns, but in none of these nodes
    kept␀NODE␀NOTE                 the answer, with both files: from now on it is his who asked
    over␀NODE␀NOTE␀TIME␀CODE       the answer when only such are left whose shell ended while nobody owned them, with the memory alone: the lab keeps it no
                                   more. When it ended, in seconds since the epoch, and with which code, which may be unknown: nothing
    none                           the answer when there is none
    list␀VERSION                   all that is kept
    listed␀ENTRY...                the answer. An entry are six fields: a number, which names it; the process that owns it; the one that leads the session
                                   there; TIME and CODE as above; and NODE. What is not so or not known is empty
    claim␀VERSION␀NUMBER           this one, whoever owns it; answered as ``take``
    lost␀PROCESS                   to an owner: this process claims it. He leaves the terminal alone from then on, and hangs up; who does not in time,
                                   since he hangs himself, loses it all the same
    used                           from an owner: the learner is at this one now
    ended                          from an owner: nobody wants it any more

They are asked for at a name of their own, which only the machine's own network knows: no one inside a lab can be heard there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from typing import Final, NamedTuple

from . import way

VERSION: Final = b"2"
KEEP: Final = b"keep"
TAKE: Final = b"take"
FULL: Final = b"full"
REFUSED: Final = b"refused"
KEPT: Final = b"kept"
OVER: Final = b"over"
NONE: Final = b"none"
LIST: Final = b"list"
LISTED: Final = b"listed"
ENTRY: Final = 6
"""Fields of an entry."""
CLAIM: Final = b"claim"
LOST: Final = b"lost"
USED: Final = b"used"
ENDED: Final = b"ended"
LONGEST: Final = 1 << 14
"""Bytes of a message."""
NOTED: Final = LONGEST // 2
"""Bytes of a node's name and of the note about it."""
FILES: Final = 2
_TIOCGPTN: Final = 0x80045430
"""The number of a pseudo-terminal: only its controlling end answers (ioctl_tty(2))."""


class Message(NamedTuple):
    """A message and what came along. The files are the reader's to close."""

    word: bytes
    fields: tuple[bytes, ...]
    files: tuple[int, ...]


def connected(name: str) -> socket.socket:
    """A connection to the keeper at this name (``address.terminals_name``), which waits for nothing.

    Raises OSError when there is none, or none that takes us in at once, or when it is another user's process.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        sock.connect(name)
        if way.peer(sock)[1] != os.geteuid():
            raise way.NotOurs(errno.EPERM, "the name of the lab's terminals is held by another user's process")
    except OSError:
        sock.close()
        raise
    return sock


def send(sock: socket.socket, *fields: bytes, files: tuple[int, ...] = ()) -> None:
    """Say something at once. Raises OSError, ValueError when a field cannot be said."""
    message = b"\0".join(fields)
    if len(message) > LONGEST or any(b"\0" in field for field in fields):
        raise ValueError("this is no field of a message")
    socket.send_fds(sock, [message], files)


def receive(sock: socket.socket) -> Message:
    """What was said; no word at all at the end. Raises OSError, BlockingIOError when there is nothing yet."""
    data, files, _, _ = socket.recv_fds(sock, LONGEST, FILES, socket.MSG_CMSG_CLOEXEC)
    word, *fields = data.split(b"\0")
    return Message(word, tuple(fields), tuple(files))


def reason(error: OSError | ValueError) -> str:
    """Why something could not be done, for a person to read."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def check_master(file: int) -> None:
    """Raises ValueError for what is no controlling end of a pseudo-terminal. Reading one waits for nobody from here on."""
    try:
        fcntl.ioctl(file, _TIOCGPTN, bytes(4))
    except OSError:
        raise ValueError("this is no pseudo-terminal's controlling end") from None
    os.set_blocking(file, False)
