"""Partial repaints that start at the dirty cell, not at the widget's left edge.

Textual 8.2 crops only the right edge of a dirty span (``ChopsUpdate.render_segments``; textual#5625), so one moving cell sends the
whole row to its left again. Cropping both edges takes a packet's frame from several hundred bytes to a few dozen.
Applied only to versions whose method is known to be the one replaced; any other version is left as it is.
"""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual import _compositor
from textual._compositor import ChopsUpdate

KNOWN = "8.2."
"""Versions whose ``ChopsUpdate`` this replaces."""


def apply(version: str | None = None) -> bool:
    """Install the cropping; returns whether it was. ``version`` is textual's own, read when not given."""
    if version is None:
        version = _version()
    if not version.startswith(KNOWN) or not hasattr(_compositor, "ChopsUpdate"):
        return False
    ChopsUpdate.render_segments = _render_segments  # type: ignore[method-assign]
    return True


def _version() -> str:
    """Textual's version from its folder's name: importlib.metadata would cost 30 ms of the first frame."""
    from pathlib import Path

    import textual

    site = Path(textual.__file__).parent.parent
    return next((path.name.split("-")[1] for path in site.glob("textual-*.dist-info")), "")


def _render_segments(self: ChopsUpdate, console: Console) -> str:
    """The terminal sequences of an update: for each span, its dirty cells only."""
    out: list[str] = []
    move_to = Control.move_to
    last_y = self.spans[-1][0]
    for y, first, last in self.spans:
        for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
            if strip is None or x >= last or end <= first:
                continue
            left, right = max(x, first), min(end, last)
            piece = strip if (left, right) == (x, end) else strip.crop(left - x, right - x)
            out.append(move_to(left, y).segment.text)
            out.append(piece.render(console))
        if y != last_y:
            out.append("\n")
    return "".join(out)
