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
from .patience import Attempt, Patience
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
            told = await _attempt(opened, waiting, node, to, port, patience.attempt(program=False))
            if isinstance(told, socket.socket):
                waiting.remove(told)
                return told
            failure = told
            if failure.reason == "silence" and failure.passing:
                continue
            if not (failure.passing and patience.patient):
                return failure
            await patience.pause()
    finally:
        for opened in waiting:
            opened.close()
    if failure is None or failure.reason == "silence":
        return silent(namespace, node, to, patience.waited_ms)._replace(port=failure.port if failure is not None else None)
    return failure


async def _attempt(
    opened: socket.socket, waiting: list[socket.socket], node: str, to: Target, port: int, attempt: Attempt
) -> socket.socket | Failure:
    """One SYN more beside those of the sockets that are ``waiting``: whichever of all is answered, or fails and then waits no more."""
    errors.watch_errors(opened)
    code, told = opened.connect_ex(to.at(port)), opened
    if code in _LATER:
        ready = await attempt.writable(waiting)
        if ready is None:
            return Failure("silence", f"{to.written} did not answer", None, True, port=opened.getsockname()[1] or None)
        told, code = ready, ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code == 0:
        return told
    waiting.remove(told)
    with told:
        queued = errors.take_error(told)
        came_back = queued is not None and queued.came_back
        failure = from_icmp(queued, node, to.written, _is_own(told, queued.offender)) if queued is not None and came_back else from_errno(code, node, to.written)
        return failure._replace(port=told.getsockname()[1] or None)


def _is_own(opened: socket.socket, address: str) -> bool:
    """Whether an ICMP error came from the node itself, which is the address the connection has on this side."""
    return bool(opened.getsockname()[0] == address)
