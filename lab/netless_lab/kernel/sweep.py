"""Deleting many interfaces at once.

``ip link del`` waits about 15 ms for every CPU to let go of the interface, each time. Marked with one group number, all go in one request
and wait together (IFLA_GROUP, ip-link(8) ``group``). The names are free before the request returns, so it is sent from a thread of its own
and whoever needs the names looks for them instead of waiting for the thread.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from typing import Final

from .namespace import Namespace
from .netlink.attributes import number
from .netlink.link import DUMP_BODY, IFLA_GROUP, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK, RawLink, decode_link, encode_link
from .netlink.socket import ACK, REQUEST, NetlinkError, NetlinkSocket

GROUP: Final = 0x6E6C
"""The group number that marks what goes; nothing else uses it."""
LONGEST_S: Final = 5.0
_PAUSE_S: Final = 0.0005
_AT_ONCE: Final = 500
"""As many marks as one message of a netlink socket holds, whose buffer is of 208 KiB on most machines (net.core.wmem_default)."""


class Sweep:
    """The deletion of some links of one namespace, under way."""

    def __init__(self, namespace: Namespace, indexes: Iterable[int]) -> None:
        """Mark the links and send the request. A link that is gone by itself in between does no harm."""
        self._namespace = namespace
        self._indexes = frozenset(indexes)
        with contextlib.ExitStack() as held:  # a machine may be full of threads, or of open files
            self._socket = held.enter_context(contextlib.closing(NetlinkSocket(namespace)))
            sender = held.enter_context(contextlib.closing(NetlinkSocket(namespace)))
            marks = [(RTM_SETLINK, REQUEST, encode_link(index, number(IFLA_GROUP, GROUP))) for index in self._indexes]
            for first in range(0, len(marks), _AT_ONCE):
                self._socket.transact(marks[first : first + _AT_ONCE])
            self._thread = threading.Thread(target=self._send, args=(sender,), name="netless-sweep", daemon=True)
            self._thread.start()
            held.pop_all()

    def _send(self, sender: NetlinkSocket) -> None:
        with contextlib.suppress(NetlinkError):
            sender.request(RTM_DELLINK, ACK, encode_link(0, number(IFLA_GROUP, GROUP)))
        sender.close()

    def wait(self) -> tuple[str, ...]:
        """Until the names are free. Answers the names of links that would not go, and tries those one by one before."""
        end = time.monotonic() + LONGEST_S
        while self._left() and time.monotonic() < end:
            if not self._thread.is_alive():
                self._one_by_one()
                break
            time.sleep(_PAUSE_S)
        left = tuple(raw.link.name for raw in self._left())
        self._socket.close()
        return left

    def _one_by_one(self) -> None:
        """The kernel refuses a whole group when one of its links cannot be deleted (rtnl_group_dellink)."""
        for raw in self._left():
            with contextlib.suppress(NetlinkError):
                self._socket.request(RTM_DELLINK, ACK, encode_link(raw.link.ifindex))

    def _left(self) -> list[RawLink]:
        return [raw for raw in links(self._socket) if raw.link.ifindex in self._indexes]


def links(opened: NetlinkSocket) -> list[RawLink]:
    """Every link of a namespace."""
    return [decode_link(body) for body in opened.dump(RTM_GETLINK, DUMP_BODY)]


def delete_all(namespace: Namespace) -> None:
    """Every link of a namespace but its loopback; returns when their names are free."""
    opened = NetlinkSocket(namespace)
    indexes = [raw.link.ifindex for raw in links(opened) if raw.link.kind != "loopback"]
    opened.close()
    if indexes:
        Sweep(namespace, indexes).wait()
