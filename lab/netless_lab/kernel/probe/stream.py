"""TCP connections from inside a node: opened, refused, or not answered, each with its reason."""

from __future__ import annotations

import errno
import socket
from typing import Final

from ...model.probe import Connect, Outcome
from ..namespace import Namespace, socket_in
from ..read import NodeRef
from . import errors
from .failure import Failure, from_errno, from_icmp
from .patience import Patience
from .silence import silent
from .target import Target

_LATER: Final = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EINTR})


async def connect(probe: Connect, ref: NodeRef, to: Target, patience: Patience) -> Outcome:
    """Open one TCP connection and close it again."""
    reached = await dial(ref.namespace, probe.node, to, probe.port, patience)
    if isinstance(reached, Failure):
        return reached.outcome(probe, patience.waited_ms)
    local, port = reached.getsockname()[:2]
    reached.close()
    text = f"{to.written} accepted a connection to port {probe.port}"
    return Outcome(probe, "answered", "answered", text, answer=local, waited_ms=patience.waited_ms, ident=port)


async def dial(namespace: Namespace, node: str, to: Target, port: int, patience: Patience) -> socket.socket | Failure:
    """A connected, non-blocking socket, or why there is none. Each attempt is a connection of its own, with a fresh source port, and the answer
    to an earlier one counts as long as there is time: a busy machine, or a slow way, is not silence.
    """
    failure: Failure | None = None
    waiting: list[socket.socket] = []
    try:
        while not patience.over:
            opened = socket_in(namespace, to.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            waiting.append(opened)
            told = await _attempt(opened, waiting, node, to, port, patience)
            if isinstance(told, socket.socket):
                waiting.remove(told)
                return told
            failure = told
            if failure.reason == "silence" and failure.passing:
                continue
            if not (failure.passing and patience.patient):
                return failure
            if not waiting:
                await patience.pause()
    finally:
        for opened in waiting:
            opened.close()
    if failure is None or failure.reason == "silence":
        return silent(namespace, node, to, patience.waited_ms)._replace(port=failure.port if failure is not None else None)
    return failure


async def _attempt(
    opened: socket.socket, waiting: list[socket.socket], node: str, to: Target, port: int, patience: Patience
) -> socket.socket | Failure:
    """One SYN more beside those of the sockets that are ``waiting``: whichever of all is answered. One that fails waits no more. Where that may be over
    in a moment, and there is patience, it holds none of the others up: a question for a neighbour fails all who waited for it at once.
    """
    attempt = patience.attempt(program=False)
    errors.watch_errors(opened)
    code, told = opened.connect_ex(to.at(port)), opened
    failure = Failure("silence", f"{to.written} did not answer", None, True, port=opened.getsockname()[1] or None)
    while code:
        if code in _LATER:
            ready = await attempt.writable(waiting)
            if ready is None:
                return failure
            told, code = ready, ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            waiting.remove(told)
            failure = _failed(told, code, node, to)
            if not (waiting and failure.passing and patience.patient):
                return failure
            code = errno.EINPROGRESS
    return told


def _failed(opened: socket.socket, code: int, node: str, to: Target) -> Failure:
    """Why a connection did not come about, which is closed with that."""
    with opened:
        queued = errors.take_error(opened)
        came_back = queued is not None and queued.came_back
        failure = from_icmp(queued, node, to.written, _is_own(opened, queued.offender)) if queued is not None and came_back else from_errno(code, node, to.written)
        return failure._replace(port=opened.getsockname()[1] or None)


def _is_own(opened: socket.socket, address: str) -> bool:
    """Whether an ICMP error came from the node itself, which is the address the connection has on this side."""
    return bool(opened.getsockname()[0] == address)
