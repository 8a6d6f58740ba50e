"""How a lab's agent is reached, what a process that wants to enter a node says to it, and what it is handed: namespaces as open files.

One line each way, fields apart by NUL; the files come along with the answer (SCM_RIGHTS, unix(7)). It is no part of ``protocol``,
because ``enter`` has to be in the node a few milliseconds after it was started, and JSON alone takes as long to import.

    enter␀VERSION␀NODE                    or enter␀VERSION␀NODE␀stay, of one who hangs up when his command has ended
    way␀PROCESSES␀WITHIN␀KIND␀KIND...     and as many files as kinds
    no␀TEXT
"""

from __future__ import annotations

import _socket
import errno
import os
import struct

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Final

VERSION: Final = 1
_STAY: Final = (b"stay",)
NOBODYS: Final = 1_984_000_000
"""From this one on users are numbered whom nobody is but labs that the machine's root started (``ids``). Beyond what distributions and
systemd give to users, services and containers (systemd's UIDS-GIDS), below 2^31, which some programs take for a sign."""
_CREDENTIALS = struct.Struct("=iII")
_TIMEVAL = struct.Struct("@ll")
_FILE = struct.Struct("@i")
_PASS_RIGHTS: Final = 83
"""SO_PASSRIGHTS, whether open files may be handed over (SCM_RIGHTS); since Linux 6.16 (include/uapi/asm-generic/socket.h)."""
TURN_AWAY_S: Final = 10
"""So long an agent may let callers wait. From then on the keeper tells them that it does not react, and they make room for who ends the lab."""
_ANSWER_MOST: Final = 1 << 16
_FILES_MOST: Final = 16


class NotThere(Exception):
    """The lab or the node cannot be had; the message says why."""


class NotOurs(PermissionError):
    """Somebody else holds the name of our lab."""


class Way:
    """The way into a node.

    ``kinds``: what is to be entered, by the names of /proc/PID/ns, and ``outer`` for the user namespace around the lab's; ``within``: the
    entry of /run/netns that leads to the node from there,
    "" when nothing more is needed; ``processes``: how many the lab grants to those who enter (RLIMIT_NPROC), 0 for any number.
    """

    __slots__ = ("kinds", "processes", "within")

    def __init__(self, kinds: tuple[str, ...], within: str = "", processes: int = 0) -> None:
        self.kinds = kinds
        self.within = within
        self.processes = processes


def connect(sock: _socket.socket, address: str, patience_s: int) -> None:
    """Connect a blocking Unix stream socket to a lab's address (``netless_lab.address``): a path, or @ and an abstract name.

    Raises ConnectionRefusedError or FileNotFoundError when there is nobody, BlockingIOError when whoever is there has not taken us in within
    ``patience_s`` seconds, NotOurs when it is another user's process.
    """
    # connect(2) on a Unix socket waits for room in the other's queue: as long as a send may take (unix(7), SO_SNDTIMEO in socket(7))
    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, _TIMEVAL.pack(patience_s, 0))
    sock.connect(f"\0{address[1:]}" if address.startswith("@") else address)
    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, _TIMEVAL.pack(0, 0))
    if peer(sock)[1] != os.geteuid():
        raise NotOurs(errno.EPERM, "the name of the lab is held by another user's process")


def refuse_files(sock: _socket.socket) -> None:
    """Let nobody hand over open files by this Unix socket, nor by those that it accepts, where the kernel can refuse them.

    What is not asked for is closed when it is read, by whoever reads; and to close a file of somebody else's may take as long as he likes
    (a TCP connection with SO_LINGER, socket(7)). An older kernel lets only a signal interrupt that.
    """
    try:  # noqa: SIM105  (contextlib alone takes milliseconds to import)
        sock.setsockopt(_socket.SOL_SOCKET, _PASS_RIGHTS, 0)
    except OSError:
        pass


def request(node: str, *, stay: bool = False) -> bytes:
    """The line that asks for a node; ``stay`` as long as the command runs that enters it."""
    return b"\0".join((b"enter", str(VERSION).encode(), node.encode("utf-8", "surrogateescape"), *_STAY * stay)) + b"\n"


def is_request(line: bytes) -> bool:
    """Whether a client's first line asks for a node, in this version or another."""
    return line.startswith(b"enter\0")


def stays(line: bytes) -> bool:
    """Whether who asks so hangs up when his command has ended, and not as soon as he has been answered."""
    return tuple(line.rstrip(b"\n").split(b"\0")[3:]) == _STAY


def asked(line: bytes) -> str:
    """The node that such a line asks for. Raises ValueError, for a person to read, when it is of another version."""
    _, *fields = line.rstrip(b"\n").split(b"\0")
    if fields[:1] != [str(VERSION).encode()] or not (len(fields) == 2 or stays(line)):
        raise ValueError("this lab is of another version of netless: end it with `netless down` and start it anew")
    return fields[1].decode(errors="replace")


def answer(way: Way) -> bytes:
    """The line that goes with the files."""
    return b"\0".join(text.encode() for text in ("way", str(way.processes), way.within, *way.kinds)) + b"\n"


def refusal(text: str) -> bytes:
    """The line of a lab that hands nothing over."""
    return b"no\0" + text.replace("\n", " ").encode() + b"\n"


def receive(sock: _socket.socket) -> tuple[Way, list[int]]:
    """What the agent answers, and the files. Raises NotThere when it refuses or says something else, and OSError."""
    text = b""
    files: list[int] = []
    while not text.endswith(b"\n"):
        got, more = _received(sock)
        text += got
        files += more
        if not got or len(text) > _ANSWER_MOST:
            raise NotThere("the lab has ended")
    word, *fields = text[:-1].decode(errors="replace").split("\0")
    if word == "no":
        raise NotThere(" ".join(fields))
    processes, within, *kinds = fields if len(fields) > 1 else ("", "")
    if word != "way" or not (processes.isdecimal() and len(processes) < 10) or len(kinds) != len(files):
        raise NotThere("what answers for the lab does not answer as a lab does")
    return Way(tuple(kinds), within, int(processes)), files


def receive_one(sock: _socket.socket) -> int | None:
    """The one file that comes along with the next message, None when the other side has ended instead."""
    _, files = _received(sock)
    return files[0] if files else None


def take_no_more(sock: _socket.socket) -> None:
    """Have the kernel refuse whatever else the other side says and hands over (shutdown(2)), and let go of what is there already.

    An open file that waits in a socket is held by who has the socket. Ours stays connected, and may be closed to say that we have gone.
    """
    sock.shutdown(_socket.SHUT_RD)
    while sock.recv(_ANSWER_MOST):
        pass


def _received(sock: _socket.socket) -> tuple[bytes, list[int]]:
    files: list[int] = []
    got, ancillary, _, _ = sock.recvmsg(_ANSWER_MOST, _socket.CMSG_SPACE(_FILES_MOST * _FILE.size), _socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
            files += (fd for (fd,) in _FILE.iter_unpack(data[: len(data) - len(data) % _FILE.size]))
    return got, files


def peer(sock: _socket.socket) -> tuple[int, int]:
    """The process and the user at the other end of a connected Unix socket, as we number them; see ``find``."""
    pid, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS.size))
    return pid, uid
