"""One atomic change of a ruleset: all of its commands happen, or none does and the first that failed is named.

A batch is a row of netlink messages between BATCH_BEGIN and BATCH_END, sent with one system call (nf_tables of the kernel, commit phase).
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeVar

from ..namespace import Namespace
from ..netlink.attributes import attribute, attributes, nest, text
from ..netlink.socket import ACK, NETLINK_NETFILTER, REQUEST, NetlinkSocket, Reply
from . import wire
from .render import render
from .wire import APPEND, CREATE, FAMILIES, big, genmsg, kind, number32, number64, parse_expressions, string

_ECHO: Final = 0x8
_TYPES: Final = frozenset({"filter", "nat", "route"})


class BatchError(OSError):
    """A batch was refused. ``command`` is the first command that failed; nothing of the batch was done."""

    def __init__(self, code: int, command: str, words: str) -> None:
        super().__init__(code, f"{words or os.strerror(code)} in: {command}")
        self.command = command


class Hook(NamedTuple):
    """What makes a chain a base chain: where packets enter it, in which order, and what becomes of those no rule decides."""

    hook: str
    type: str = "filter"
    priority: int = 0
    policy: Literal["accept", "drop"] = "accept"
    device: str | None = None


class _Command(NamedTuple):
    label: str
    message: int
    flags: int
    family: str
    body: bytes


class Batch:
    """Commands for one namespace, sent by ``commit``. Use one again and again: the socket stays open, because closing it right after a
    delete waits for the kernel to clean up (8 to 16 ms).
    """

    def __init__(self, namespace: Namespace) -> None:
        """Open the socket. Raises OSError (EPROTONOSUPPORT) on a kernel without netfilter."""
        self._socket = NetlinkSocket(namespace, NETLINK_NETFILTER)
        self._commands: list[_Command] = []

    def close(self) -> None:
        """Close the socket; commands not committed are forgotten."""
        self._commands.clear()
        self._socket.close()

    def __len__(self) -> int:
        return len(self._commands)

    def add_table(self, family: str, table: str, flags: int = 0, *, awake: bool = False) -> Batch:
        """Make a table; nothing happens when it is there, but that one to be ``awake`` is dormant no more. ``flags`` are NFT_TABLE_F_*, such as
        ``wire.TABLE_OWNER``.
        """
        body = string(1, table) + (number32(2, flags) if flags or awake else b"")
        return self._add(f"add table {family} {table}", wire.NEWTABLE, CREATE, family, body)

    def delete_table(self, family: str, table: str) -> Batch:
        """Delete a table with all in it; ENOENT when there is none."""
        return self._add(f"delete table {family} {table}", wire.DELTABLE, 0, family, string(1, table))

    def add_chain(self, family: str, table: str, chain: str, hook: Hook | None = None) -> Batch:
        """Make a chain; nothing happens when the same is there. Raises ValueError for a hook the family does not have."""
        body = string(1, table) + string(3, chain)
        label = f"add chain {family} {table} {chain}"
        if hook is not None:
            names = wire.hooks(family)
            if hook.hook not in names or hook.type not in _TYPES:
                raise ValueError(f"a chain of family {family} has no hook {hook.type} {hook.hook}: it has {', '.join(names)}")
            device = string(3, hook.device) if hook.device else b""
            body += nest(4, number32(1, names.index(hook.hook)), number32(2, hook.priority), device)
            body += number32(5, wire.ACCEPT if hook.policy == "accept" else wire.DROP) + string(7, hook.type)
            label += f" {{ type {hook.type} hook {hook.hook} priority {hook.priority}; policy {hook.policy}; }}"
        return self._add(label, wire.NEWCHAIN, CREATE, family, body)

    def delete_chain(self, family: str, table: str, chain: str) -> Batch:
        """Delete an empty chain that nothing jumps to; EBUSY otherwise, ENOENT when there is none."""
        body = string(1, table) + string(3, chain)
        return self._add(f"delete chain {family} {table} {chain}", wire.DELCHAIN, 0, family, body)

    def add_rule(self, family: str, table: str, chain: str, *expressions: bytes, comment: str = "", before: int | None = None) -> Batch:
        """Append a rule made of the pieces in ``expressions.py``; or put it ``before`` the one with that handle."""
        program = b"".join(expressions)
        body = string(1, table) + string(2, chain) + nest(4, program)
        if comment:
            encoded = comment.encode() + b"\0"
            if len(encoded) > 128:
                raise ValueError(f"a comment has at most 127 bytes: {comment!r}")
            body += attribute(7, bytes([0, len(encoded)]) + encoded)
        if before is not None:
            body += number64(6, before)
        words = render(family, tuple(parse_expressions(program)), {}, {}, comment).text
        how, place = ("add", APPEND) if before is None else ("insert", 0)
        return self._add(f"{how} rule {family} {table} {chain} {words}", wire.NEWRULE, CREATE | _ECHO | place, family, body)

    def delete_rule(self, family: str, table: str, chain: str, handle: int) -> Batch:
        """Delete the rule with this handle; ENOENT when there is none."""
        body = string(1, table) + string(2, chain) + number64(3, handle)
        return self._add(f"delete rule {family} {table} {chain} handle {handle}", wire.DELRULE, 0, family, body)

    def flush_chain(self, family: str, table: str, chain: str) -> Batch:
        """Delete every rule of a chain."""
        return self._add(f"flush chain {family} {table} {chain}", wire.DELRULE, 0, family, string(1, table) + string(2, chain))

    def commit(self) -> tuple[int, ...]:
        """Do it, in one transaction; the handles of the rules added, in order. An empty batch does nothing.

        Raises BatchError when any command is refused: then nothing was done. The batch is empty afterwards in any case.
        """
        commands, self._commands = self._commands, []
        if not commands:
            return ()
        begin, end = genmsg(0, wire.SUBSYSTEM), genmsg(0, wire.SUBSYSTEM)
        messages = [(wire.BATCH_BEGIN, REQUEST, begin)]
        messages += [
            (kind(command.message), REQUEST | ACK | command.flags, genmsg(FAMILIES[command.family]) + command.body)
            for command in commands
        ]
        messages.append((wire.BATCH_END, REQUEST, end))
        return _outcome(self._socket.transact(messages), commands)

    def _add(self, label: str, message: int, flags: int, family: str, body: bytes) -> Batch:
        if family not in FAMILIES:
            raise ValueError(f"nftables has no family {family!r}: it has {', '.join(FAMILIES)}")
        self._commands.append(_Command(label, message, flags, family, body))
        return self


def _outcome(replies: Mapping[int, list[Reply]], commands: list[_Command]) -> tuple[int, ...]:
    """The handles in the replies, message by message (0 is BATCH_BEGIN). Raises BatchError for the first refusal."""
    handles: list[int] = []
    for place in sorted(replies):
        for reply in replies[place]:
            if reply.code:
                named = 1 <= place <= len(commands)
                raise BatchError(reply.code, commands[place - 1].label if named else "the whole batch", reply.words)
            if reply.body is not None and reply.kind == kind(wire.NEWRULE):
                handles.append(big(attributes(reply.body, wire.GENMSG_SIZE).get(3, b"")))
    return tuple(handles)


_Opened = TypeVar("_Opened", Batch, NetlinkSocket)


class Aside:
    """Closes netfilter's sockets in threads of their own: after a table was deleted every one of its namespace waits for the kernel to clean up, 5 to
    20 ms, whoever deleted it (nft_rcv_nl_event in net/netfilter/nf_tables_api.c).
    """

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    @contextlib.contextmanager
    def closing(self, opened: _Opened) -> Iterator[_Opened]:
        """While inside, it is open."""
        try:
            yield opened
        finally:
            self._threads.append(threading.Thread(target=opened.close, name="netless-closing", daemon=True))
            self._threads[-1].start()

    def wait(self) -> None:
        """Until all are closed, and so the kernel has cleaned up."""
        for thread in self._threads:
            thread.join()


def table_names(namespace: Namespace) -> tuple[tuple[str, str], ...]:
    """(family, table) of every table, those without chains included, our own tracing left out; none on a kernel without nf_tables."""
    try:
        with contextlib.closing(NetlinkSocket(namespace, NETLINK_NETFILTER)) as opened:
            answers = opened.dump(kind(wire.GETTABLE), genmsg(0))
    except OSError:
        return ()
    named = ((wire.FAMILY_NAMES.get(body[0], str(body[0])), text(attributes(body, wire.GENMSG_SIZE)[1])) for body in answers)
    return tuple(table for table in named if not table[1].startswith(wire.TRACE_PREFIX))


class Named(NamedTuple):
    """A named object of a table, or a flowtable: ``kind`` in the words of nft(8)."""

    kind: str
    family: str
    table: str
    name: str


def named_objects(namespace: Namespace) -> tuple[Named, ...]:
    """All there are; none on a kernel without nf_tables. NFTA_OBJ_TABLE and NFTA_FLOWTABLE_TABLE are 1, their names 2, NFTA_OBJ_TYPE 3."""
    try:
        with contextlib.closing(NetlinkSocket(namespace, NETLINK_NETFILTER)) as opened:
            objects = [(body, "") for body in opened.dump(kind(wire.GETOBJ), genmsg(0))]
            tables = [(body, "flowtable") for body in opened.dump(kind(wire.GETFLOWTABLE), genmsg(0))]
    except OSError:
        return ()
    found = ((attributes(body, wire.GENMSG_SIZE), wire.FAMILY_NAMES.get(body[0], str(body[0])), what) for body, what in (*objects, *tables))
    return tuple(Named(what or wire.OBJECTS.get(big(parts[3]), "object"), family, text(parts[1]), text(parts[2])) for parts, family, what in found)
