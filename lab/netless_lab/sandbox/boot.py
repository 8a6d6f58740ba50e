"""How a room is begun, run as ``python -I -S boot.py`` by ``start``, with a socket as standard input on which a ``Plan`` comes, and open files with it.

Two processes part here, when what both of them need is imported and little else would have to be copied: the keeper, who stays outside;
and P0, its child, who imports the agent and becomes it (``pid1``). ``netless_lab.sandbox`` draws them and those who come after them. This
file is small because Python reads it anew each time: it keeps no compiled copy of a script.

Each dies with the one before it until the room is ready: the keeper when the client's end of the status pipe closes, P0, P2 and P4 by
PR_SET_PDEATHSIG; P1 and P3 end by themselves. P2 cuts that tie just before it says that it is ready, and from then on it and the keeper
end with one another: so at no moment can a SIGKILL of any of them leave a room that nobody was told of.
"""

from __future__ import annotations

import _socket
import gc
import importlib
import json
import os
import sys

_MOST_FILES = 16
"""More than come with any plan: what is beyond it would be lost (recvmsg(2), MSG_CTRUNC)."""


def main(text: str, files: tuple[int, ...]) -> None:
    """In the client's child; does not come back in either of the two. The lines between them are open files, handed to each by number."""
    if os.fork():
        os._exit(0)  # what lives on is nobody's child
    silence = os.open(os.devnull, os.O_RDONLY)
    os.dup2(silence, 0)
    os.close(silence)
    os.chdir("/")
    sys.path[:] = json.loads(text)["path"]
    importlib.import_module("netless_lab.sandbox.pid1")  # most of what it imports the others need too
    keeper = os.getpid()
    callers = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    for end in callers:
        end.bind("")  # a name of the kernel's choice (unix(7)): who has one can take no other, and these are sockets of the machine's network
    words = os.pipe()
    if os.fork():
        callers[1].close()
        os.close(words[1])
        _be("keeper", text, files, callers[0].detach(), words[0])
    callers[0].close()
    os.close(words[0])
    _be("pid1", text, files, callers[1].detach(), words[1], keeper)


def _be(role: str, text: str, files: tuple[int, ...], *arguments: int) -> None:
    """Run a module's ``main``, which does not come back."""
    importlib.import_module(f"netless_lab.sandbox.{role}").main(text, files, *arguments)


def told() -> tuple[str, tuple[int, ...]]:
    """All that is said on standard input, and the files that came with it (unix(7), SCM_RIGHTS)."""
    sock = _socket.socket(fileno=0)
    text, files = b"", b""
    while True:
        data, beside, _, _ = sock.recvmsg(1 << 16, _socket.CMSG_SPACE(_MOST_FILES * 4), _socket.MSG_CMSG_CLOEXEC)
        files += b"".join(handed for _, _, handed in beside)
        if not data:
            sock.detach()
            return text.decode(), tuple(memoryview(files).cast("i"))
        text += data


if __name__ == "__main__":  # with -I -S, sys.path knows the standard library alone
    gc.disable()  # nothing that a start makes is garbage; the agent collects again when it is ready
    main(*told())
