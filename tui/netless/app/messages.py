"""Messages of the app. Textual keeps state on a message, so these cannot be frozen."""

from __future__ import annotations

from textual.message import Message

from .reduce import Event


class LabEvent(Message, bubble=False):
    """Something came from the lab, or from our own dealings with it."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__()


class PartPicked(Message):
    """A part of the picture was clicked or chosen by key; None lets go."""

    def __init__(self, part: str | None) -> None:
        self.part = part
        super().__init__()
