"""What an action needs at hand: nodes by name, a netlink socket inside each, and somebody who starts containers.

Opening a socket in a namespace takes 0.5 ms with all that pyroute2 sets up, so sockets are kept while a batch of actions lasts. After
it only the host's own stay: an open socket keeps a namespace alive, and a container must be able to end.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..lean import import_iproute
from ..room import NETNS
from .namespace import Namespace, socket_in
from .read import NodeRef, Reader

if TYPE_CHECKING:
    from pyroute2.iproute import IPRoute

    from .nft.batch import Batch

SIOCGIFINDEX: Final = 0x8933
"""ioctl that turns an interface's name, or an alternative name, into its index; any socket will do (netdevice(7))."""
READY_S: Final = 1.5
_PAUSE_S: Final = 0.005
_IFREQ: Final = struct.Struct("16si20x")

Resolve = Callable[[str], NodeRef]


class Launcher(Protocol):
    """Whoever starts and ends the lab's containers."""

    def launch(self, name: str) -> NodeRef:
        """Start a container with only ``lo``; returns when its namespace is there."""
        ...

    def stop(self, name: str) -> None:
        """End it; returns when its processes are gone."""
        ...


class NoSuchNode(LookupError):
    """There is no node of that name."""


class Toolbox:
    """Not thread-safe, and pyroute2 ties a socket to the thread it was opened in: one toolbox, one thread."""

    def __init__(self, resolve: Resolve, launcher: Launcher) -> None:
        self.launcher = launcher
        self._resolve = resolve
        self._nodes: dict[str, NodeRef] = {}
        self._routes: dict[int, IPRoute] = {}
        self._batches: dict[int, Batch] = {}
        self._own = Namespace.own()

    def node(self, name: str) -> NodeRef:
        """The way to a node: as made in this batch, as the lab knows it, or a name in /run/netns. Raises NoSuchNode."""
        if name not in self._nodes:
            self._nodes[name] = self._look_up(name)
        return self._nodes[name]

    def _look_up(self, name: str) -> NodeRef:
        try:
            return self._resolve(name)
        except Exception as unknown:
            try:
                return NodeRef(name, "unknown", Namespace.at(f"{NETNS}/{name}"))
            except (OSError, ValueError):
                raise NoSuchNode(name) from unknown

    def made(self, ref: NodeRef) -> None:
        """A node that an action of this batch has just made, before the lab has looked."""
        self._nodes[ref.name] = ref

    def gone(self, name: str) -> None:
        """A node that an action of this batch is about to end: let go of everything of ours that keeps its namespace alive."""
        with contextlib.suppress(NoSuchNode):
            self._release(self.node(name).namespace.inode)
        self._nodes.pop(name, None)

    def pid(self, name: str) -> int:
        """A process that lives in the node. Raises NoSuchNode when it is only a namespace."""
        pid = self.node(name).pid
        if pid is None:
            raise NoSuchNode(name)
        return pid

    def namespace(self, name: str) -> Namespace:
        """The node's network namespace."""
        return self.node(name).namespace

    def route(self, name: str) -> IPRoute:
        """A pyroute2 socket inside the node. ``strict_check`` and ``ext_ack`` make the kernel say what it does not like."""
        import_iproute()
        from pyroute2.iproute import IPRoute

        namespace = self.namespace(name)
        if namespace.inode not in self._routes:
            opened = socket_in(namespace, socket.AF_NETLINK, socket.SOCK_DGRAM)
            self._routes[namespace.inode] = IPRoute(fileno=opened.detach(), ext_ack=True, strict_check=True)
        return self._routes[namespace.inode]

    def index(self, name: str, link: str) -> int:
        """The ifindex of a link in a node. Raises OSError (ENODEV) naming both."""
        fd = self.route(name).fileno()
        if len(link.encode()) > 15:
            raise OSError(errno.ENODEV, f"{name} can have no interface {link}: a name has at most 15 bytes")
        try:
            answer = fcntl.ioctl(fd, SIOCGIFINDEX, _IFREQ.pack(link.encode(), 0))
        except OSError as error:
            raise OSError(error.errno, f"there is no interface {link} in {name}") from error
        return int(_IFREQ.unpack(answer)[1])

    def batch(self, name: str) -> Batch:
        """An empty nftables transaction inside the node, on a socket that is kept: closing it after a delete waits 8 to 16 ms."""
        from .nft.batch import Batch  # no lab needs it to be ready

        namespace = self.namespace(name)
        if namespace.inode not in self._batches:
            self._batches[namespace.inode] = Batch(namespace)
        return self._batches[namespace.inode]

    def settle(self) -> None:
        """Wait until the nodes of this batch are ready for packets: a bridge hears of a new carrier within a second, not at once."""
        from .probe.ready import pending  # no lab needs it to be ready

        end = time.monotonic() + READY_S
        with contextlib.closing(Reader()) as reader:
            while True:
                waiting = pending(reader.snapshot(tuple(self._nodes.values())))
                reader.catch_up()
                if not waiting or time.monotonic() >= end:
                    return
                time.sleep(_PAUSE_S)

    def rest(self) -> None:
        """The batch of actions is over: keep only the host's own sockets."""
        for inode in (self._routes.keys() | self._batches.keys()) - {self._own.inode}:
            self._release(inode)
        self._nodes.clear()

    def close(self) -> None:
        """Let everything go."""
        self.rest()
        self._release(self._own.inode)
        self._own.close()

    def _release(self, inode: int) -> None:
        opened: tuple[Any, Any] = (self._routes.pop(inode, None), self._batches.pop(inode, None))
        for part in opened:
            if part is not None:
                part.close()
