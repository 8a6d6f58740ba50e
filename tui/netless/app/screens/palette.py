"""The command palette: everything there is to do, found by a part of its name; what cannot be done now says why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, Protocol, runtime_checkable

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandInput, CommandList, DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.content import Content
from textual.events import Click

from ...commands.command import Command
from ...commands.table import BY_ID, COMMANDS, FIND, Keymap, key_of, one_by_one
from ...desk.desk import Desk
from ...say.text import joined, keyed, ticked
from ..geometry import TooSmall
from ..keys import bindings
from ..paint import content_of
from ..toolkit import heed_rows
from ..toolkit_late import CalmPalette
from ..widgets.notice import NoticeRow
from ..widgets.search import LONGEST

heed_rows(CommandList)


@runtime_checkable
class Doing(Protocol):
    """The screen that the palette lies over."""

    desk: Desk
    keymap: Keymap

    async def action_do(self, name: str) -> None:
        """Do what a key says."""


class Offered(Provider):
    """The table of commands, each with its key, and with what it does or what forbids it."""

    _chosen = False

    async def discover(self) -> Hits:
        """All of them, as long as nothing is typed."""
        for command, forbidden, do in self._offered():
            yield DiscoveryHit(self._line(command, Content(command.label), forbidden), do, command.label, ticked(forbidden or command.help).plain)

    async def search(self, query: str) -> Hits:
        """Those whose name is like what was typed; then those whose help holds it."""
        matcher = self.matcher(query)
        for command, forbidden, do in self._offered():
            score = matcher.match(command.label) or float(query.lower() in command.help.lower()) / 10
            if score > 0:
                told = ticked(forbidden or command.help).plain
                yield Hit(score, self._line(command, matcher.highlight(command.label), forbidden), do, command.label, told)

    def _line(self, command: Command, label: Content, forbidden: str) -> Content:
        under = self.screen
        assert isinstance(under, Doing)
        line = label + content_of(joined((f"  {key_of(command, under.keymap)}", "muted" if forbidden else "accent")))
        return line.stylize("$muted") if forbidden else line

    def _offered(self) -> list[tuple[Command, str, Callable[[], Awaitable[None]]]]:
        under = self.screen
        assert isinstance(under, Doing)
        offered = [same[0] for same in one_by_one(COMMANDS) if same[0].does and same[0] is not FIND]
        return [(own, own.forbids(under.desk.view), partial(self._once, under, own.id)) for own in offered]

    async def _once(self, under: Doing, name: str) -> None:
        """Do what was chosen: two presses of Enter in one read choose twice."""
        chosen, self._chosen = self._chosen, True
        if not chosen:
            await under.action_do(name)


class Palette(CalmPalette):
    """Textual's own, with what is in the table."""

    BINDINGS: ClassVar[list[BindingType]] = [own for own in bindings("window") if isinstance(own, Binding) and own.id == "window.copy"]

    def __init__(self) -> None:
        super().__init__([Offered], placeholder="type a part of its name")

    def compose(self) -> ComposeResult:
        """And what is told, and what covers all in too small a terminal."""
        yield from super().compose()
        yield NoticeRow()
        yield TooSmall()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, once."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def on_click(self, event: Click) -> None:
        """A click tells where it was; the terminal may have become smaller since."""
        if not self.region.contains(event.screen_x, event.screen_y):
            event.prevent_default()

    def on_mount(self) -> None:
        """The keys that act here stand in the border. No picture of a magnifying glass, which few terminals draw at its width; and no more
        letters than anybody means.
        """
        self.query_one(CommandInput).max_length = LONGEST
        self.query_one(SearchIcon).icon = ">"
        under = self.app.screen_stack[-2]
        assert isinstance(under, Doing)
        keys = {"↑↓": "choose", "Enter": "do it", key_of(BY_ID["window.close"], under.keymap): "close"}
        self.query_one("#--input").border_subtitle = content_of(keyed(keys))
