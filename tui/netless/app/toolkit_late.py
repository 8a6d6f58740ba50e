"""The rest of what ``toolkit`` is for: what Textual does otherwise in windows, which are imported when the first one opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.command import CommandList, CommandPalette
from textual.timer import Timer
from textual.widgets import LoadingIndicator


class CalmPalette(CommandPalette):
    """Textual's own, which nothing that comes late ends."""

    async def _watch__show_busy(self) -> None:
        """A search that goes on when the palette was closed finds nothing any more to show that on."""
        if self.query(LoadingIndicator):
            await super()._watch__show_busy()

    def _watch__list_visible(self) -> None:
        """Nor is there a list to show or hide."""
        if self.query(CommandList):
            super()._watch__list_visible()

    def set_timer(
        self, delay: float, callback: Callable[[], Awaitable[object]] | Callable[[], object] | None = None, *, name: str | None = None, pause: bool = False
    ) -> Timer:
        """What is due later, as to say that nothing was found, is due only as long as there is a list to say it in."""

        def due() -> object:
            return callback() if callback is not None and self.query(CommandList) else None

        return super().set_timer(delay, due, name=name, pause=pause)
