"""The rest of what ``toolkit`` is for: what Textual does otherwise in windows, which are imported when the first one opens."""

from __future__ import annotations

from textual.command import CommandPalette
from textual.widgets import LoadingIndicator


class CalmPalette(CommandPalette):
    """Textual's own, which nothing that comes late ends."""

    async def _watch__show_busy(self) -> None:
        """A search that goes on when the palette was closed finds nothing any more to show that on."""
        if self.query(LoadingIndicator):
            await super()._watch__show_busy()
