"""The keeper's side of what ``kept`` tells: terminals of shells in the lab, each with its owner, and those that nobody owns read on.

A claim is the owner's to grant, and he has no choice: he is asked first so that two never read one terminal at a time.

They are kept out here and not by the agent, since who gets hold of that is to get no terminal of the machine's. What is read here goes by
into memory, unread; nobody is waited for. A terminal is no use of the lab: its lease runs as if there were none, and with the keeper they
all end, for the kernel hangs up on whoever is left on a terminal when its controlling end is closed (pty(7)).
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Collection
from functools import partial
from itertools import chain, count
from typing import TYPE_CHECKING, Final

from . import kept, leader, way
from .find import is_ours

if TYPE_CHECKING:
    import mmap

    from .ring import Ring

MOST: Final = 32
"""Terminals that are kept, and what those printed that are over. One more is kept in place of one that is over, or else of the one that was left unused
longest; when all are owned it is not kept."""
_BACKLOG: Final = 64
"""Who may wait to be let in: nobody waits for that, so one more is refused."""
_CALLERS: Final = 16
"""Who has come and not said yet what he wants."""
TURN: Final = 1 << 16
"""Bytes that are read of a terminal without an owner,"""
PAUSE_S: Final = 0.1
"""before it is left alone for so long, in seconds: what prints without end is held up by that, and leaves the processors to others."""
_CHUNK: Final = 1 << 14
HAND_OVER_S: Final = 0.5
"""How long an owner may take to let go of a terminal that is claimed, in seconds."""


class _Terminal:
    """A terminal that is kept."""

    def __init__(self, number: int, node: bytes, note: bytes, master: int, memory: int) -> None:
        """Raises OSError, ValueError when these are no such files."""
        from .ring import Ring, mapped  # no lab needs it to be ready

        kept.check_master(master)
        if len(node) + len(note) > kept.NOTED:
            raise ValueError("this is too much to be noted")
        self.number, self.node, self.note = b"%d" % number, node, note
        self.master, self.memory = master, memory
        self.owner: socket.socket | None = None
        self.claimant: socket.socket | None = None
        self.let_go_at = 0.0
        """When the claimant has it, whatever the owner does; by the monotonic clock."""
        self.ended: int | None = None
        """When its shell ended while nobody owned it, in seconds since the epoch."""
        self._mapped: mmap.mmap = mapped(memory)
        self.ring: Ring = Ring(self._mapped)
        self._shell = leader.watch(master)

    def end(self) -> None:
        """Its shell has ended. What it printed stays."""
        self.ended = int(time.time())
        os.close(self.master)
        self.master = -1

    @property
    def code(self) -> bytes:
        """What its shell ended with; nothing when that is not known (yet)."""
        found = leader.exit_code(self._shell) if self._shell >= 0 else None
        return b"" if found is None else b"%d" % found

    @property
    def entry(self) -> tuple[bytes, ...]:
        """What a list says of it."""
        owner = _number(way.peer(self.owner)[0] if self.owner is not None else 0)
        if self.ended is not None:
            return (self.number, owner, b"", b"%d" % self.ended, self.code, self.node)
        return (self.number, owner, _number(leader.number(self.master)), b"", b"", self.node)

    def close(self) -> None:
        """Let go of it."""
        self._mapped.close()
        for fd in (self.master, self.memory, self._shell):
            if fd >= 0:
                os.close(fd)


class Terminals:
    """For the keeper's loop: its descriptors are watched by the same ``poll``, and told to ``hear``. ``listener`` need not be bound."""

    def __init__(self, poll: select.poll, listener: socket.socket) -> None:
        self._poll, self._listener = poll, listener
        self._handlers: dict[int, Callable[[], None]] = {}
        self._callers: list[socket.socket] = []
        self._kept: list[_Terminal] = []
        """The one that was used last stands last."""
        self._numbers = count(1)
        self._paused: list[_Terminal] = []
        self._read_at: float | None = None
        """When the paused ones are read on."""

    @property
    def due(self) -> float | None:
        """When there is something to do though nobody says anything; by the monotonic clock."""
        claimed = [terminal.let_go_at for terminal in self._kept if terminal.claimant is not None]
        return min((*claimed, *(() if self._read_at is None else (self._read_at,))), default=None)

    def open(self) -> None:
        """Let callers in from now on."""
        if self._listener.getsockname():
            self._listener.setblocking(False)
            self._listener.listen(_BACKLOG)
            self._attend(self._listener.fileno(), self._let_in)

    def shut(self) -> None:
        """Nobody more: the name is free. What is kept is kept until the keeper ends."""
        if self._listener.fileno() >= 0:
            self._leave(self._listener.fileno())
            self._listener.close()

    def hear(self, fd: int) -> None:
        """Do what there is to do on a descriptor; nothing on one that was let go of while its turn came."""
        handler = self._handlers.get(fd)
        if handler is not None:
            handler()

    def be_in_time(self, now: float) -> None:
        """Read on what was paused, and take from its owner what was claimed."""
        for terminal in [own for own in self._kept if own.claimant is not None and now >= own.let_go_at]:
            self._hand_over(terminal)
        if self._read_at is not None and now >= self._read_at:
            paused, self._paused, self._read_at = self._paused, [], None
            for terminal in paused:
                self._attend(terminal.master, partial(self._read, terminal))

    def _attend(self, fd: int, handler: Callable[[], None]) -> None:
        self._handlers[fd] = handler
        self._poll.register(fd, select.POLLIN)

    def _leave(self, fd: int) -> None:
        if self._handlers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    # -- who comes

    def _let_in(self) -> None:
        try:
            caller, _ = self._listener.accept()
        except OSError:  # he has hung up already, or there is no room for him
            return
        if not is_ours(caller):
            caller.close()
            return
        caller.setblocking(False)
        if len(self._callers) >= _CALLERS:
            with contextlib.suppress(OSError):  # what he has said already: who hangs up on that lets nobody read a last word
                _close(kept.receive(caller).files)
            _refuse(caller, kept.REFUSED, b"too many ask the lab for that at once")
            return
        self._callers.append(caller)
        self._attend(caller.fileno(), partial(self._hear, caller))

    def _hear(self, caller: socket.socket) -> None:
        """The one thing that a caller wants."""
        try:
            word, fields, files = kept.receive(caller)
        except BlockingIOError:
            return
        except OSError:
            word, fields, files = b"", (), ()
        self._callers.remove(caller)
        self._leave(caller.fileno())
        if word == kept.KEEP and len(fields) == 3 and fields[0] == kept.VERSION and len(files) == kept.FILES:
            self._keep(caller, fields[1], fields[2], files)
            return
        _close(files)
        match word, fields:
            case kept.KEEP, (kept.VERSION, *_):
                _refuse(caller, kept.REFUSED, b"the terminal did not come along when it was handed over")
            case kept.KEEP, _:
                _refuse(caller, kept.REFUSED, b"the lab is of another version of netless")
            case kept.TAKE, (kept.VERSION, *but):
                self._give_any(caller, but)
            case kept.CLAIM, (kept.VERSION, number):
                self._claim(caller, number)
            case kept.LIST, (kept.VERSION,):
                self._list(caller)
            case _:
                caller.close()

    def _keep(self, caller: socket.socket, node: bytes, note: bytes, files: tuple[int, ...]) -> None:
        if len(self._kept) >= MOST:
            for terminal in sorted(self._unowned(), key=_goes_on)[:1]:
                self._forget(terminal)
        if len(self._kept) >= MOST:
            _close(files)
            _refuse(caller, kept.FULL, b"%d" % MOST)
            return
        try:
            terminal = _Terminal(next(self._numbers), node, note, *files)
        except (OSError, ValueError) as error:
            _close(files)
            _refuse(caller, kept.REFUSED, kept.reason(error).encode())
            return
        self._kept.append(terminal)
        self._own(terminal, caller)

    def _list(self, caller: socket.socket) -> None:
        """All that is kept, as far as a message holds it."""
        entries = [terminal.entry for terminal in self._kept]
        while sum(map(len, chain(*entries))) + kept.ENTRY * (len(entries) + 1) > kept.LONGEST:
            entries.pop()
        with contextlib.suppress(OSError):
            kept.send(caller, kept.LISTED, *chain(*entries))
        caller.close()

    def _claim(self, caller: socket.socket, number: bytes) -> None:
        """Whoever comes while it changes hands has to ask again."""
        terminal = next((own for own in self._kept if own.number == number), None)
        if terminal is None or terminal.claimant is not None:
            self._give(caller, None)
        elif terminal.owner is None:
            self._give(caller, terminal)
        else:
            terminal.claimant, terminal.let_go_at = caller, time.monotonic() + HAND_OVER_S
            try:
                kept.send(terminal.owner, kept.LOST, b"%d" % way.peer(caller)[0])
            except OSError:  # he has hung up
                self._hand_over(terminal)

    def _hand_over(self, terminal: _Terminal) -> None:
        """From its owner to who claims it; what he has not read yet is read here."""
        claimant, terminal.claimant = terminal.claimant, None
        self._disown(terminal)
        if claimant is not None:
            self._give(claimant, terminal)

    def _give_any(self, caller: socket.socket, but: Collection[bytes]) -> None:
        """The one that was used last; one that is over when there is no other."""
        found = [terminal for terminal in self._unowned() if terminal.node not in but]
        self._give(caller, max(reversed(found), key=_goes_on, default=None))

    def _give(self, caller: socket.socket, found: _Terminal | None) -> None:
        """This one, which nobody owns; it may have ended just now."""
        if found is not None and found.ended is None:
            self._rest(found)
            self._read(found)
        try:
            if found is None:
                kept.send(caller, kept.NONE)
            elif found.ended is not None:
                kept.send(caller, kept.OVER, found.node, found.note, b"%d" % found.ended, found.code, files=(found.memory,))
                self._forget(found)
            else:
                kept.send(caller, kept.KEPT, found.node, found.note, files=(found.master, found.memory))
                self._rest(found)
                self._own(found, caller)
                return
        except OSError:  # he has hung up
            if found is not None and found.ended is None:
                self._read_on(found)
        caller.close()

    def _unowned(self) -> list[_Terminal]:
        return [terminal for terminal in self._kept if terminal.owner is None]

    # -- who owns one, and what nobody owns

    def _own(self, terminal: _Terminal, owner: socket.socket) -> None:
        terminal.owner = owner
        self._attend(owner.fileno(), partial(self._hear_owner, terminal, owner))

    def _hear_owner(self, terminal: _Terminal, owner: socket.socket) -> None:
        try:
            word, _, files = kept.receive(owner)
        except BlockingIOError:
            return
        except OSError:
            word, files = b"", ()
        _close(files)
        if word == kept.USED:
            self._kept.remove(terminal)
            self._kept.append(terminal)
        elif word == kept.ENDED:
            self._forget(terminal)
        elif terminal.claimant is not None:
            self._hand_over(terminal)
        else:
            self._disown(terminal)
            self._read_on(terminal)

    def _disown(self, terminal: _Terminal) -> None:
        if terminal.owner is not None:
            self._leave(terminal.owner.fileno())
            terminal.owner.close()
            terminal.owner = None

    def _read(self, terminal: _Terminal) -> None:
        """What was printed meanwhile. A terminal that no program has open any more is over; who comes back is told."""
        size = 0
        while size < TURN:
            try:
                data = os.read(terminal.master, _CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._rest(terminal)
                terminal.end()
                return
            terminal.ring.write(data)
            size += len(data)
        self._leave(terminal.master)
        self._paused.append(terminal)
        self._read_at = self._read_at or time.monotonic() + PAUSE_S

    def _read_on(self, terminal: _Terminal) -> None:
        """It is read here from now on."""
        self._rest(terminal)
        self._attend(terminal.master, partial(self._read, terminal))

    def _rest(self, terminal: _Terminal) -> None:
        """It is not read here any more."""
        self._leave(terminal.master)
        if terminal in self._paused:
            self._paused.remove(terminal)

    def _forget(self, terminal: _Terminal) -> None:
        self._rest(terminal)
        self._disown(terminal)
        self._kept.remove(terminal)
        terminal.close()
        if terminal.claimant is not None:
            self._give(terminal.claimant, None)


def _refuse(caller: socket.socket, *words: bytes) -> None:
    """Say so, and hang up."""
    with contextlib.suppress(OSError):  # he has hung up
        kept.send(caller, *words)
    caller.close()


def _close(files: Collection[int]) -> None:
    for file in files:
        os.close(file)


def _goes_on(terminal: _Terminal) -> bool:
    """Whether a shell may run there."""
    return terminal.ended is None


def _number(process: int) -> bytes:
    return b"%d" % process if process else b""
