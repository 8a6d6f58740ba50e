"""The hops of every packet that is kept, to choose one by key and see its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from netless_lab.model.journey import Hop, Journey

from ..blocks import joined, plain
from ..pages.journey import ARROWS, matches
from ..pages.packets import Packet
from ..widgets.choices import Choices, Row
from ..widgets.keybar import Key
from .panel import Panel


class HopsScreen(Panel[tuple[int, int]]):
    """Returns (journey, hop), or None."""

    TITLE_TEXT = "Which packet?"
    KEYS = (Key("Enter", "Its bytes", "screen.take"), Key("↑↓", "Choose", "", live=False), Key("Esc", "Close", "screen.close"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "close", show=False)]

    def __init__(self, packets: Sequence[Packet], sought: str, at: str = "") -> None:
        super().__init__()
        self._journeys, self._sought = tuple(journeys_of(packets)), sought
        chosen = [row.value for row in rows(self._journeys, sought, 80) if row.value]
        self._at = at if at in chosen else chosen[-1] if chosen else ""

    def body(self) -> ComposeResult:
        """The list."""
        yield Choices(lambda width: rows(self._journeys, self._sought, width), at=self._at, id="panel-body")

    def on_mount(self) -> None:
        """The arrows choose."""
        self.query_one(Choices).focus()

    def action_take(self) -> None:
        """This one."""
        self.query_one(Choices).action_choose()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Its bytes."""
        journey, _, hop = event.value.partition(":")
        self.dismiss((int(journey), int(hop)))


def journeys_of(packets: Iterable[Packet]) -> Iterable[Journey]:
    """Those packets that were followed and can be looked at again."""
    for packet in packets:
        if packet.journey is not None and packet.journey.id:
            yield packet.journey


def _hop(hop: Hop, value: str, width: int) -> list[Row]:
    lead = joined((f"{hop.at_us:>8.1f} us ", "$faint"), (f"{hop.node} {hop.link}", "$chip"), " ", ARROWS[hop.direction], " ")
    first, *more = plain(hop.text).wrap(max(8, width - lead.cell_length)) or [Content("")]
    return [Row(lead + first, value), *(Row(Content(" " * lead.cell_length) + line) for line in more)]


def rows(journeys: Iterable[Journey], sought: str, width: int) -> list[Row]:
    """A heading for each journey, a choice for each hop that holds the words that are sought; what is long goes on below."""
    out: list[Row] = []
    for journey in journeys:
        found = [
            row for number, hop in enumerate(journey.hops) if matches(hop, sought) for row in _hop(hop, f"{journey.id}:{number}", width)
        ]
        if found:
            title = journey.title or f"{journey.source} → {journey.target}"
            out += [*([Row(joined(""))] if out else []), Row(joined((title, "bold"))), *found]
    return out or [Row(joined(("No packet is kept that can be shown.", "$muted")))]
