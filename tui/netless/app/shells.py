"""Shells in the lab's nodes: how the app opens one, joins one that was left behind, and how text is put at its prompt.

Each is given to the lab to keep as soon as it runs (``netless_lab.keeping``): it outlives this tutor, however that ends, and the next one joins it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING

from msgspec import MsgspecError, json

from netless_lab import join, protocol

from ..desk.desk import Desk
from ..desk.view import Identity, identity
from ..say.shells import ended_alone, not_kept, over
from ..say.tabs import CHANGES
from ..shell import command as shell_command

if TYPE_CHECKING:
    from netless_lab.keeping import Full, Kept

    from .terminal import PtyTerminal
    from .widgets.lower import Lower

END_WAIT_S = 0.5
"""How long a command may go on that was about to end; what takes longer keeps the terminal."""


class Shells:
    """The shells in nodes, in the lower pane; each keeps so many rows above its screen, and leaves ``outer`` keys to the screen around.

    ``opened`` is told of each terminal that is opened.
    """

    def __init__(self, desk: Desk, lower: Lower, scrollback: int, outer: frozenset[str], opened: Callable[[PtyTerminal], None]) -> None:
        self._desk, self._lower, self._scrollback, self._outer = desk, lower, scrollback, outer
        self._opened = opened
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

        kept = keeping.keep(self._desk.view.lab, node, json.encode(self._lower.entered.get(node)), master)
        if kept is not None:
            kept.attend(partial(self._part, node))
        elif keeping.keeps(self._desk.view.lab):
            self._remark(node, not_kept())
        return kept

    def _part(self, node: str, news: Full) -> None:
        """The lab does not have the shell of this node."""
        self._remark(node, not_kept(news.most))

    def _remark(self, node: str, words: str) -> None:
        terminal = self._lower.terminal(node)
        if terminal is not None:
            terminal.remark(words)

    async def enter(self, node: str) -> bool:
        """Start the shell in a terminal that was opened, unless one that was left behind is joined there; False when nobody may go in, which was told then."""
        await self.join_left()
        terminal = self._lower.terminal(node)
        if terminal is None or terminal.running or terminal.offers_restart:
            return terminal is not None
        if await self._desk.ask(protocol.Enter(node)) is None:
            return False
        self._lower.entered[node] = identity(self._desk.view, node)
        terminal.begin(*shell_in(self._desk.view.lab, node))
        return True

    async def join_left(self) -> None:
        """Join the shells that were left behind, once: each in its node's terminal, which is opened if there is none.

        One whose node is no more is ended, and one that went into a node that was built anew since begins anew, as any other. Of one that ended while
        nobody was there that is told, and what it printed last is shown.
        """
        if self._joining is None:
            self._joining = asyncio.create_task(self._join_left())
        await asyncio.shield(self._joining)

    async def _join_left(self) -> None:
        from netless_lab import keeping

        joined: list[str] = []
        as_left: list[str] = []
        ended: list[str] = []
        while (taken := await keeping.take(self._desk.view.lab, joined)) is not None:
            node, went = taken.node, _identity(taken.note)
            if identity(self._desk.view, node) is None:
                if isinstance(taken, keeping.Taken):
                    os.close(taken.master)
                    taken.kept.end()
                continue
            terminal = self._lower.terminal(node) or self.open(node)
            as_it_was = went in (None, identity(self._desk.view, node))
            if isinstance(taken, keeping.Over):
                await terminal.remember(taken, ended_alone(taken.at, time(), taken.code), *shell_in(self._desk.view.lab, node))
                ended += [over(node, taken.at, time(), taken.code)] * as_it_was
            else:
                await terminal.join(taken, *shell_in(self._desk.view.lab, node))
            self._lower.entered[node] = went
            joined.append(node)
            if terminal.running and as_it_was:
                as_left.append(node)
        if joined and self._lower.tab == CHANGES:
            self._lower.choose(joined[0])
        if as_left:
            from ..say.spoken import shells_kept

            self._desk.tell("info", shells_kept(as_left))
        for words in ended:
            self._desk.tell("info", words)
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
        from ..say.spoken import built_anew

        terminal = self._lower.terminal(node)
        if terminal is not None and await self._desk.ask(protocol.Enter(node)) is not None:
            argv, env = shell_in(self._desk.view.lab, node)
            await terminal.restart(argv, env)
            self._desk.tell("info", f"{built_anew(node)}; its shell was started again there.")


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
