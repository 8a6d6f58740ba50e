"""What the starter of a lab hands to its agent, as one JSON document."""

from __future__ import annotations

import msgspec

from .course.progress import Progress


class DropSource(msgspec.Struct, frozen=True):
    """How to read the first of the room's files: the kernel's drop reasons for this lab (``sandbox/drops``)."""

    ring_size: int
    layout: str
    reasons: dict[int, str]


class Orders(msgspec.Struct, frozen=True):
    """The progress so far, what to tell the learner, and which course.

    ``course`` is the one to begin with ("" for the one the progress was in last, else the first); ``folder`` holds the only course instead;
    ``lessons`` is a folder of more courses ("" for none), ``language`` the one that lessons are told in ("" for their own). ``drops`` is
    there when a lab was started by the machine's root.
    """

    progress: Progress = Progress()
    notice: str = ""
    course: str = ""
    folder: str = ""
    lessons: str = ""
    language: str = ""
    drops: DropSource | None = None

    def to_json(self) -> str:
        """For the room's argument."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Orders:
        """Back; for a room that was given no argument the usual ones."""
        return msgspec.json.decode(text.encode(), type=cls) if text else cls()
