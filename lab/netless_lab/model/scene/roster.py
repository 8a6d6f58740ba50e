"""The picture for tiny places: one row a node with the names of its links, as many as fit, and how many do not."""

from __future__ import annotations

from .figure import Figure
from .glyphs import Glyphs
from .labels import clip, dot, safe
from .sheet import Sheet
from .values import Cell, Place, Rect, Scene


def paint_roster(figure: Figure, width: int, height: int, glyphs: Glyphs) -> Scene:
    """The list. It works at every size down to one cell."""
    sheet = Sheet(figure, width, height, ghosts=False)
    actors = [actor for actor in figure.actors if actor.real]
    fits = len(actors) <= height
    shown = actors if fits else actors[: height - 1]
    for y, actor in enumerate(shown):
        parts = [part for part in actor.parts if part.real]
        name = clip(actor.label, width - (len(_rest(len(parts), width)) if parts else 0))
        sheet.canvas.put(0, y, name, actor.frame + "-title")
        sheet.node(actor, Rect(0, y, width, 1))
        x = len(name)
        for index, part in enumerate(parts):
            left = len(parts) - index
            rest = _rest(left, width)
            text = f" {safe(part.link.name)}"
            needed = len(text) + 2 + (len(rest) if left > 1 else 0)
            if x + needed > width:
                sheet.canvas.put(x, y, clip(rest, width - x), "more")
                sheet.hidden += [part.place for part in parts[index:]]
                break
            sheet.canvas.put(x, y, " ", "")
            sheet.canvas.put(x + 1, y, *dot(part.link))
            sheet.canvas.put(x + 2, y, text, "chip")
            sheet.anchors[part.place] = Cell(x + 1, y)
            sheet.link(part.place, Rect(x + 1, y, len(text) + 1, 1))
            x += len(text) + 2
    if not fits:
        rest_actors = actors[len(shown) :]
        hidden: list[Place] = [(actor.name, "") for actor in rest_actors]
        hidden += [part.place for actor in rest_actors for part in actor.parts if part.real]
        sheet.hidden += hidden
        sheet.canvas.put(0, height - 1, clip(f"+{len(rest_actors)} more", width), "more")
    return sheet.finish("roster", glyphs)


def _rest(count: int, width: int) -> str:
    return f" +{count} more" if width >= 24 else f" +{count}"
