"""A scene as plain text, for terminals without our screen, for files and for tests."""

from __future__ import annotations

from ..scene import ASCII, Scene


def text(scene: Scene, ascii: bool = False) -> str:
    """The drawing without colours, blank rows at the top and bottom and blanks at the ends of rows left out.

    With ``ascii`` every character is plain ASCII, one for one, so that nothing moves.
    """
    rows = ["".join(run.text for run in row) for row in scene.rows]
    if ascii:
        rows = [ASCII.show(row) for row in rows]
    lines = [row.rstrip() for row in rows]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines) + "\n" if lines else ""
