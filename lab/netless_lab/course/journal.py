"""Progress as a journal: one line of JSON per change, so that a lab which may write one open file only can still keep it.

A line is whole or it does not count: a crash in the middle of a write costs at most the last change. Whoever starts a lab folds
the journal into the progress file (``saved.save``) and empties it.
"""

from __future__ import annotations

import msgspec

from .progress import BadProgress, Progress, decode


def line(progress: Progress) -> bytes:
    """One entry, newline included. It starts with a newline too, so that a torn line before it cannot swallow it."""
    return b"\n" + msgspec.json.encode(progress) + b"\n"


def damaged(data: bytes) -> bool:
    """Whether something in it cannot be read, a torn end apart: that is what a crash leaves."""
    whole = [text for text in data.split(b"\n")[:-1] if text.strip()]
    return any(last(text) is None for text in whole) or (bool(data.strip()) and last(data) is None)


def last(data: bytes) -> Progress | None:
    """The newest whole entry, or None when there is none."""
    for text in reversed(data.split(b"\n")):
        if text.strip():
            try:
                return decode(text)
            except BadProgress:
                continue
    return None
