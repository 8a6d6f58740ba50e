"""Find the labs of this user and talk to them. Everything is asked of the kernel: there is no file that could be stale."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Final, NamedTuple

from ..address import address, lab_of, socket_name
from . import way
from .way import NotOurs as NotOurs
from .way import refuse_files as refuse_files

PATIENCE_S: Final = 5
"""So long whoever calls waits to be taken in."""
ENDING_PATIENCE_S: Final = way.TURN_AWAY_S + PATIENCE_S
"""Who ends a lab waits longer than its keeper lets anybody wait for an agent that does not react."""
_LISTENING: Final = 0x10000
"""__SO_ACCEPTCON in the flags column of /proc/net/unix."""
_SOCKET: Final = r"[^ ]+: [0-9A-F]+ [0-9A-F]+ (?P<flags>[0-9A-F]{8}) [0-9A-F]+ [0-9A-F]+ +[0-9]+ (?P<name>.+)\n"
"""A named socket's line of /proc/net/unix (the kernel's net/unix/af_unix.c, ``unix_seq_show``)."""


class Found(NamedTuple):
    """A lab of this user. ``ready`` is false while it is being started."""

    lab: str
    ready: bool


class NoSuchLab(ConnectionError):
    """No lab of this name runs, or it is not ready yet."""


class TakesNobody(ConnectionError):
    """Whoever listens at the lab's name has too many waiting before us, and lets none of them in."""


def labs() -> tuple[Found, ...]:
    """The labs of this user on this machine, by name.

    Anybody may bind any abstract name. So one that is listened at is a lab only when the kernel says that a process of ours does it
    (``_listens``): that process sees somebody who hangs up without a word. Of one that is bound and not listened at yet nobody can say
    whose it is. And a name may hold the end of a line, and go on as another socket's line or as no socket's at all: that tells nothing more
    than a name that is bound does, and what is no socket's is passed over.
    """
    uid = os.geteuid()
    found: dict[str, bool] = {}
    with open("/proc/net/unix", encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            socket_line = re.fullmatch(_SOCKET, line)
            lab = lab_of(socket_line["name"], uid) if socket_line else None
            if socket_line and lab is not None:  # a connection that was accepted shows the same name, without the flag
                found[lab] = found.get(lab, False) or bool(int(socket_line["flags"], 16) & _LISTENING)
    return tuple(Found(lab, ready) for lab, ready in sorted(found.items()) if not ready or _listens(lab, uid))


def _listens(lab: str, uid: int) -> bool:
    """Whether a process of ours listens at a lab's abstract name, and has room for one more to wait."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        refuse_files(sock)
        try:
            sock.connect(socket_name(lab, uid))
        except OSError:  # it has ended meanwhile, or lets in nobody
            return False
        return is_ours(sock)


def connect(lab: str, patience_s: int = PATIENCE_S) -> socket.socket:
    """A connected, blocking stream socket to the agent of ``lab``, by which nobody can hand over open files (``refuse_files``).

    Raises NoSuchLab when there is none to answer, NotOurs when the one who listens there is another user's process, TakesNobody when
    it has not taken us in within ``patience_s`` seconds, ValueError for an impossible name.
    """
    place = address(lab)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    refuse_files(sock)
    try:
        way.connect(sock, place, patience_s)
    except NotOurs as error:
        sock.close()
        raise NotOurs(errno.EPERM, f"the name of lab {lab} is held by another user's process: use another name with --lab") from error
    except (ConnectionRefusedError, FileNotFoundError) as error:
        sock.close()
        raise NoSuchLab(errno.ECONNREFUSED, f"no lab called {lab} is running") from error
    except BlockingIOError as error:
        sock.close()
        raise TakesNobody(errno.EAGAIN, f"what holds the name of lab {lab} has taken in nobody for {patience_s} s") from error
    except BaseException:
        sock.close()
        raise
    return sock


def peer_uid(sock: socket.socket) -> int:
    """The user at the other end of a connected Unix socket, in our own user namespace; 65534 for one it does not know (unix(7)).

    Agent and client check the same way: it must be ``os.geteuid()``. Inside a room that is 0, and only its owner maps to 0.
    """
    return way.peer(sock)[1]


def peer_pid(sock: socket.socket) -> int:
    """The process at the other end: for a client, the agent, since it was the last to call listen(2). 0 for one out of sight."""
    return way.peer(sock)[0]


def is_ours(sock: socket.socket) -> bool:
    """Whether the other end is the same user as we are."""
    return peer_uid(sock) == os.geteuid()
