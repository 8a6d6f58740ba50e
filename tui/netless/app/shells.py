"""Shells in the lab's nodes: how the app opens one, joins one that was left behind, and how text is put at its prompt.

Each is given to the lab to keep as soon as it runs (``netless_lab.keeping``): it outlives this tutor, however that ends, and the next one joins it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING

from msgspec import MsgspecError, json

from netless_lab import join, protocol

from ..desk.desk import Desk
from ..desk.shells import Owner, Running, Shell
from ..desk.view import Identity, identity
from ..say.tabs import CHANGES
from ..shell import command as shell_command

if TYPE_CHECKING:
    from netless_lab.keeping import Kept, Listed, News, Over, Taken

    from .terminal import PtyTerminal
    from .widgets.lower import Lower

END_WAIT_S = 0.5
"""How long a command may go on that was about to end; what takes longer keeps the terminal."""


class Shells:
    """The shells in nodes, in the lower pane; each keeps so many rows above its screen, and leaves ``outer`` keys to the screen around.

    ``opened`` is told of each terminal that is opened, ``show`` goes to the one of a node; ``key`` lists the shells that are elsewhere.
    """

    forbidden = ""

    def __init__(
        self, desk: Desk, lower: Lower, scrollback: int, outer: frozenset[str], opened: Callable[[PtyTerminal], None],
        show: Callable[[str], None], key: str,
    ) -> None:  # fmt: skip
        self._desk, self._lower, self._scrollback, self._outer = desk, lower, scrollback, outer
        self._opened, self._show, self._key = opened, show, key
        self._joining: asyncio.Task[None] | None = None

    def open(self, node: str) -> PtyTerminal:
        """A terminal for a shell in the node, in which nothing runs yet; what is typed there waits until ``enter`` has started it."""
        from .terminal import PtyTerminal

        terminal = PtyTerminal(scrollback=self._scrollback, outer=self._outer, keep=partial(self._keep, node))
        self._lower.add_terminal(node, terminal)
        self._opened(terminal)
        return terminal

    def _keep(self, node: str, master: int) -> Kept | None:
        from netless_lab import keeping

        try:
            kept = keeping.keep(self._desk.view.lab, node, json.encode(self._lower.entered.get(node)), master)
        except keeping.NotKept as refused:
            self._part(node, keeping.Refused(str(refused)))
            return None
        kept.attend(partial(self._part, node))
        return kept

    def _part(self, node: str, news: News) -> None:
        """The lab does not keep the shell of this node for us."""
        from netless_lab.keeping import Full, Refused

        from ..say import shells as say

        terminal = self._lower.terminal(node)
        if terminal is None:
            return
        if isinstance(news, Full):
            terminal.remark(say.not_kept(news.most))
        elif isinstance(news, Refused):
            terminal.remark(say.refused(news.why))
        else:
            by = _owner(news.by)
            terminal.lose(say.taken_over(by))
            self._desk.tell("warning", say.taken_from(node, by, self._key))

    async def enter(self, node: str) -> bool:
        """Start the shell in a terminal that was opened, unless one that was left behind is joined there; False when nobody may go in, which was told then."""
        from ..say import shells as say

        await self.join_left()
        terminal = self._lower.terminal(node)
        if terminal is None or terminal.running or terminal.offers_restart:
            return terminal is not None
        if await self._desk.ask(protocol.Enter(node)) is None:
            return False
        self._lower.entered[node] = identity(self._desk.view, node)
        if words := say.also_here([shell for _, shell in await self._others()], node, self._key):
            terminal.remark(words)
        terminal.begin(*shell_in(self._desk.view.lab, node))
        return True

    async def join_left(self) -> None:
        """Join the shells that were left behind, once: each in its node's terminal, which is opened if there is none. Of others it is told where they are.

        One whose node is no more is ended, and one that went into a node that was built anew since begins anew, as any other. Of one that ended while
        nobody was there that is told, and what it printed last is shown.
        """
        if self._joining is None:
            self._joining = asyncio.create_task(self._join_left())
        await asyncio.shield(self._joining)

    async def _join_left(self) -> None:
        from netless_lab import keeping

        from ..say import shells as say

        joined: list[str] = []
        as_left: list[str] = []
        while (left := await keeping.take(self._desk.view.lab, joined)) is not None:
            if await self._join(left):
                as_left.append(left.node)
            if self._lower.terminal(left.node) is not None:
                joined.append(left.node)
        if joined and self._lower.tab == CHANGES:
            self._lower.choose(joined[0])
        if as_left:
            self._desk.tell("info", say.as_left(as_left))
        if others := say.elsewhere([shell for _, shell in await self._others()], self._key):
            self._desk.tell("info", others)
        await self._begin_moved()

    async def _join(self, left: Taken | Over) -> bool:
        """In the terminal of its node, in which nothing runs; whether it goes on there as it was."""
        from netless_lab.keeping import Taken

        from ..say import shells as say

        node, went, shell = left.node, _identity(left.note), shell_in(self._desk.view.lab, left.node)
        now = identity(self._desk.view, node)
        if now is None:
            if isinstance(left, Taken):
                os.close(left.master)
                left.kept.end()
            return False
        terminal = self._lower.terminal(node) or self.open(node)
        if isinstance(left, Taken):
            await terminal.join(left, *shell)
            if terminal.running:
                left.kept.attend(partial(self._part, node))
        else:
            await terminal.remember(left, say.ended_alone(left.at, time(), left.code), *shell)
            if went in (None, now):
                self._desk.tell("info", say.over(node, left.at, time(), left.code))
        self._lower.entered[node] = went
        return terminal.running and went in (None, now)

    async def elsewhere(self) -> tuple[Shell, ...]:
        """Those of the lab that are in no terminal of ours, the one that was used last first."""
        from ..shell.running import Processes

        found, processes = await self._others(), Processes()
        return tuple(shell._replace(runs=processes.programs(own.leader)) for own, shell in found)

    async def _others(self) -> tuple[tuple[Listed, Shell], ...]:
        """The same without what runs in them, each as the lab lists it; none of a node that is no more."""
        from netless_lab import keeping

        found = [own for own in await keeping.listed(self._desk.view.lab) if own.owner != os.getpid() and identity(self._desk.view, own.node) is not None]
        return tuple((own, Shell(own.number, own.node, _owner(own.owner) if own.owner else None, (), own.at, own.code)) for own in reversed(found))

    async def running(self) -> tuple[Running, ...]:
        """Those in which something runs and that nobody else is at: ours, and those that nobody is at."""
        from ..shell.running import Processes

        found, processes = await self._others(), Processes()
        here = [Running(node, processes.programs(own.pid or 0), not own.ends_with_us) for node, own in self._lower.terminals() if own.running]
        left = [Running(own.node, processes.programs(own.leader)) for own, _ in found if not own.owner]
        return tuple(own for own in (*here, *left) if own.programs)

    async def take_over(self, chosen: Sequence[Shell]) -> None:
        """Go on with these, each in its node's terminal, and show the first; one of ours there is left behind."""
        from netless_lab import keeping

        from ..say import shells as say

        had: list[str] = []
        here: list[str] = []
        for shell in chosen:
            before = self._lower.terminal(shell.node)
            if before is not None and before.ends_with_us:
                self._desk.tell("warning", say.in_the_way(shell.node))
            elif (left := await keeping.claim(self._desk.view.lab, shell.number)) is None:
                self._desk.tell("warning", say.not_had(shell.node))
            else:
                if before is not None:
                    await self._lower.put_away(shell.node)
                if await self._join(left):
                    had.append(shell.node)
                if self._lower.terminal(shell.node) is not None:
                    here.append(shell.node)
        if had:
            self._desk.tell("info", say.taken_here(had))
        await self._begin_moved()
        if here:
            self._show(here[0])

    async def _begin_moved(self) -> None:
        for node in self.moved():
            await self.enter_again(node)

    def moved(self) -> tuple[str, ...]:
        """Nodes that were built anew since a shell went in: it sits in a namespace that is no part of the lab. Each is named once."""
        nows = {node: identity(self._desk.view, node) for node in self._lower.entered}
        moved = {node: now for node, now in nows.items() if now is not None and self._lower.entered[node] not in (None, now)}
        self._lower.entered.update(moved)
        return tuple(moved)

    async def enter_again(self, node: str) -> None:
        """Start the shell of a node anew, there where the node is now."""
        from ..say import shells as say

        terminal = self._lower.terminal(node)
        if terminal is not None and await self._desk.ask(protocol.Enter(node)) is not None:
            argv, env = shell_in(self._desk.view.lab, node)
            await terminal.restart(argv, env)
            self._desk.tell("info", say.started_again(node))


def _owner(process: int) -> Owner:
    from ..shell.running import terminal_of

    return Owner(process, terminal_of(process))


_noted: json.Decoder[Identity | None] = json.Decoder(Identity | None)


def _identity(note: bytes) -> Identity | None:
    """Which node a shell went into, as it was noted then; None when that cannot be read."""
    try:
        return _noted.decode(note)
    except MsgspecError:
        return None


def shell_in(lab: str, node: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The argv and environment of a shell in a node."""
    return (*join.command(lab, node), *shell_command()), join.environment(lab, node)


async def put_at_prompt(terminal: PtyTerminal, text: str) -> bool:
    """Put text at the prompt as soon as there is one; the learner presses Enter. False when no prompt came: something else reads there.

    A shell that has ended is started again, as Enter does.
    """
    from .terminal.widget import PROMPT_WAIT_S

    if terminal.offers_restart:
        terminal.start()
    begun = monotonic()
    while (prompt := terminal.prompt) != "ready":
        left = begun + (END_WAIT_S if prompt == "taken" else PROMPT_WAIT_S) - monotonic()
        if left <= 0:
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await terminal.changed()
    return terminal.type_text(text)
