"""From a snapshot to a scene: lanes when they fit, else an outline, else a plain list of nodes."""

from __future__ import annotations

from ..snapshot import Snapshot
from .figure import compose
from .glyphs import UNICODE, Glyphs
from .lanes import plan_lanes
from .outline import paint_outline
from .paint import paint_lanes
from .roster import paint_roster
from .values import Scene


def lay_out(
    snapshot: Snapshot,
    *,
    goal: Snapshot | None = None,
    width: int,
    height: int,
    ghosts: bool = False,
    glyphs: Glyphs = UNICODE,
) -> Scene:
    """Draw the snapshot on ``width`` x ``height`` cells.

    ``goal`` is an outline of the lesson's last network (same type, its ifindexes mean nothing): its parts get their room from the
    start, so that the picture does not jump from step to step. With ``ghosts`` the parts not built yet are drawn faintly, style
    "ghost". Where the goal does not fit, what is really there is drawn without it. The same arguments always give the same scene.
    Nothing is dropped in silence: what finds no room is counted in a "+n more" and listed in ``Scene.hidden``.
    """
    width, height = max(1, width), max(1, height)
    figure = compose(snapshot, goal)
    plan = plan_lanes(figure, width, height, ghosts)
    if plan is None and goal is not None:
        figure = compose(snapshot, None)
        plan = plan_lanes(figure, width, height, ghosts=False)
    if plan is not None:
        return paint_lanes(figure, plan, width, height, ghosts, glyphs)
    return paint_outline(figure, width, height, glyphs) or paint_roster(figure, width, height, glyphs)
