"""Actions done: each class of ``primitives`` beside the function that does it. The one list to extend.

Netlink does the whole work inside ``send()``, 15 ms and more for some of it, so an Applier belongs to one thread of its own.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, cast

from ..errors import ApplyError
from ..lean import import_iproute
from ..primitives.address import AddAddress, DeleteAddress
from ..primitives.base import Action
from ..primitives.bridge import AddPort, CreateBridge, RemovePort
from ..primitives.cable import CreateVeth, MoveLink
from ..primitives.doors import AcceptIn, UnacceptIn
from ..primitives.forward import ForwardAccept, ForwardPolicy, UnforwardAccept, UnforwardPolicy
from ..primitives.link import DeleteLink, RenameLink, SetMtu
from ..primitives.masquerade import Masquerade, Unmasquerade
from ..primitives.namespace import AddNetns, DeleteNetns, NameAttach, NameSymlink, StartContainer, StopContainer, Unname
from ..primitives.neighbour import DeleteNeighbour, SetNeighbour
from ..primitives.resolver import ClearResolver, SetResolver
from ..primitives.route import AddRoute, DeleteRoute
from ..primitives.run import Run
from ..primitives.sysctl import SetForwarding, SetSysctl
from ..primitives.updown import LinkDown, LinkUp
from . import actions as do
from .toolbox import Launcher, NoSuchNode, Resolve, Toolbox

A = TypeVar("A", bound=Action)
Doer = Callable[[Toolbox, Action], None]


def _entry(kind: type[A], function: Callable[[Toolbox, A], None]) -> tuple[type[Action], Doer]:
    """One line of the table; the types of its two sides are checked against each other here."""
    return kind, cast(Doer, function)


DOERS: Final[dict[type[Action], Doer]] = dict(
    (
        _entry(StartContainer, do.start_container),
        _entry(StopContainer, do.stop_container),
        _entry(AddNetns, do.add_netns),
        _entry(DeleteNetns, do.delete_netns),
        _entry(NameSymlink, do.name_symlink),
        _entry(NameAttach, do.name_attach),
        _entry(Unname, do.unname),
        _entry(CreateVeth, do.create_veth),
        _entry(MoveLink, do.move_link),
        _entry(LinkUp, do.link_up),
        _entry(LinkDown, do.link_down),
        _entry(AddAddress, do.add_address),
        _entry(DeleteAddress, do.delete_address),
        _entry(CreateBridge, do.create_bridge),
        _entry(AddPort, do.add_port),
        _entry(RemovePort, do.remove_port),
        _entry(AddRoute, do.add_route),
        _entry(DeleteRoute, do.delete_route),
        _entry(SetForwarding, do.set_forwarding),
        _entry(Masquerade, do.masquerade),
        _entry(Unmasquerade, do.unmasquerade),
        _entry(ForwardPolicy, do.forward_policy),
        _entry(UnforwardPolicy, do.unforward_policy),
        _entry(ForwardAccept, do.forward_accept),
        _entry(UnforwardAccept, do.unforward_accept),
        _entry(AcceptIn, do.accept_in),
        _entry(UnacceptIn, do.unaccept_in),
        _entry(SetResolver, do.set_resolver),
        _entry(ClearResolver, do.clear_resolver),
        _entry(RenameLink, do.rename_link),
        _entry(DeleteLink, do.delete_link),
        _entry(SetMtu, do.set_mtu),
        _entry(SetNeighbour, do.set_neighbour),
        _entry(DeleteNeighbour, do.delete_neighbour),
        _entry(SetSysctl, do.set_sysctl),
        _entry(Run, do.run),
    )
)

_ADVICE: Final = {
    errno.EEXIST: "Something of that name or kind is there already: look before you make, or take the old one away first.",
    errno.ENODEV: "Look with `ip link` in that node; perhaps the interface was moved, renamed or never made.",
    errno.ENOENT: "What this needs is not there yet: go back to the start of the step.",
    errno.ESRCH: "There was nothing of the kind to take away.",
    errno.EADDRNOTAVAIL: "The interface does not have that address.",
    errno.ENETUNREACH: "A gateway must lie in a network of one of the node's own interfaces, and that interface must be up.",
    errno.EBUSY: "It is in use: an interface of another bridge has to leave it first, and older kernels rename only what is down.",
    errno.EPERM: "Not allowed here: `netless doctor` says what this machine lets a lab do.",
    errno.EACCES: "Not allowed here: `netless doctor` says what this machine lets a lab do.",
    errno.EROFS: "That file is read-only here: `netless doctor` says what this machine lets a lab do.",
    errno.EOPNOTSUPP: "This kernel cannot do it: `netless doctor` says which features it lacks.",
    errno.ENETDOWN: "Switch the interface on first.",
    errno.ERANGE: "A word is too long or a number too large: the name of an interface has at most 15 bytes.",
    errno.ELOOP: "A bridge cannot be a port of another bridge.",
    errno.EINVAL: "The kernel does not take it as it stands.",
}


class Applier:
    """Does actions in the nodes of one lab. Not thread-safe: make it, use it and close it in one thread."""

    def __init__(self, resolve: Resolve, launcher: Launcher) -> None:
        """``resolve`` gives the way to a node by its name, or raises; ``launcher`` starts and ends containers."""
        self._given = (resolve, launcher)
        self._tools: Toolbox | None = None

    def warm_up(self) -> None:
        """Do now what the first action would wait for: importing what of pyroute2 sets links and routes takes 50 ms."""
        import_iproute()

    def apply(self, action: Action) -> None:
        """Do one action. Raises ApplyError, which says what was refused, why, and what to do."""
        self.apply_all((action,))

    def apply_all(self, actions: Iterable[Action]) -> None:
        """Do actions in order, up to the first that fails; a later one may speak of a node that an earlier one makes."""
        if self._tools is None:  # here and not in __init__: its sockets belong to the thread that applies
            self._tools = Toolbox(*self._given)
        try:
            for action in actions:
                self._do(self._tools, action)
        finally:
            self._tools.rest()

    def close(self) -> None:
        """Let every socket go; in the thread that applied."""
        if self._tools is not None:
            self._tools.close()
            self._tools = None

    def _do(self, tools: Toolbox, action: Action) -> None:
        doer = DOERS.get(type(action))
        if doer is None:
            raise refused(action, f"nobody knows how to do a {type(action).__name__}")
        try:
            doer(tools, action)
        except NoSuchNode as error:
            raise refused(action, f"there is no node {error} here, or no process lives in it") from error
        except do.CommandFailed as error:
            raise refused(action, str(error)) from error
        except OSError as error:
            raise refused(action, _words(error), error.errno or 0) from error
        except Exception as error:
            code = _netlink_code(error)
            if code is None:
                raise
            raise refused(action, str(error.args[1]) if len(error.args) > 1 else str(error), code) from error


def refused(action: Action, problem: str, code: int = 0) -> ApplyError:
    """What to raise when the kernel does not take an action. ``code`` is the errno, 0 when no system call failed."""
    name = errno.errorcode.get(code, str(code)) if code else ""
    named = f" ({name})" if name else ""
    return ApplyError(f"{action.sentence()} It failed: {problem}{named}.", errno=name, advice=_ADVICE.get(code, ""))


def _words(error: OSError) -> str:
    path = error.filename2 or error.filename  # of two, the second is the one to be made (symlink(2), rename(2))
    where = f": {path}" if path else ""
    return f"{error.strerror or error}{where}"


def _netlink_code(error: Exception) -> int | None:
    """The errno of pyroute2's own exception, which is no OSError; None for any other exception."""
    code: Any = getattr(error, "code", None)
    return code if type(error).__module__.startswith("pyroute2") and isinstance(code, int) else None
