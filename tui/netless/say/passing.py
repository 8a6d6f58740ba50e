"""What is told in passing of what a key did, or why it did nothing: sentences alone, for whoever sits at a desk."""

from __future__ import annotations


def went_on(before: str, title: str) -> str:
    """Of a step that was to be done and holds already: Run did the one after it, called ``title``."""
    return f"“{before}” holds already, so Run went on to “{title}”."
