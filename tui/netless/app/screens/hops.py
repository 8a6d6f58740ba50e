"""The hops of every packet that is kept, to choose one by key and see its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from netless_lab.model.journey import Hop, Journey

from ..blocks import joined
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
        self._found = rows(packets, sought)
        chosen = [row.value for row in self._found if row.value]
        self._at = at if at in chosen else chosen[-1] if chosen else ""

    def body(self) -> ComposeResult:
        """The list."""
        yield Choices(lambda width: self._found, at=self._at, id="panel-body")

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
        if packet.journey is not None:
            journey = msgspec.convert(packet.journey, Journey)
            if journey.id:
                yield journey


def _hop(hop: Hop) -> Content:
    place = (f"{hop.node} {hop.link}", "$chip")
    return joined((f"{hop.at_us:>8.1f} us ", "$faint"), place, " ", ARROWS[hop.direction], " ", hop.text)


def rows(packets: Iterable[Packet], sought: str) -> list[Row]:
    """A heading for each journey, a choice for each hop that holds the words that are sought."""
    out: list[Row] = []
    for journey in journeys_of(packets):
        found = [Row(_hop(hop), f"{journey.id}:{number}") for number, hop in enumerate(journey.hops) if matches(hop, sought)]
        if found:
            title = journey.title or f"{journey.source} → {journey.target}"
            out += [*([Row(joined(""))] if out else []), Row(joined((title, "bold"))), *found]
    return out or [Row(joined(("No packet is kept that can be shown.", "$muted")))]
