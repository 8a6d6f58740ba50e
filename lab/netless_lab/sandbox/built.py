"""What the builder hands over to the process that becomes the agent, and the last word that PID 1 waits for."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from .limits import Means

KINDS: Final = ("outer", "mnt", "user", "net", "uts", "ipc")
"""What is handed over: user namespace A as ``outer``, its mounts, and user namespace B with what belongs to it."""
AS_SELF: Final = b"s"
"""Comes with the files: who is root of the room is, outside, who started it."""
AS_NOBODY: Final = b"n"
"""The same, where he is a user of nobody's (``ids``)."""


class Built(NamedTuple):
    """The last word: /proc and /sys stand. What the room has to do without, in words, and what limits its processes."""

    notes: tuple[str, ...]
    means: Means

    def to_json(self) -> str:
        """One line for the pipe."""
        return json.dumps(self._asdict()) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Built:
        """Back from the pipe."""
        fields = json.loads(text)
        return cls(tuple(fields["notes"]), fields["means"])
