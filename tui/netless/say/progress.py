"""What was earned, and which faults were looked for: what is kept when a lab is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator

from netless_lab.course.progress import CourseRecord, DrillRecord
from netless_lab.drill.spent import help_used, took

from .counted import plural
from .text import Text, joined, plain


def kept_of(name: str, record: CourseRecord) -> Iterator[Text]:
    """A course, and each of its steps that was earned and how."""
    earned = {place: step for place, step in record.steps.items() if step.earned is not None}
    yield plain(f"{name}: {plural(len(earned), 'step')} earned, at {record.position or 'its beginning'}")
    for place, step in earned.items():
        how = "by hand" if step.by_hand else "by the tutor"
        yield joined("  ", ("●", "good"), f" {place:<28} {how}" + (f", {plural(step.hints, 'hint')} opened" if step.hints else ""))


def drilled(drill: DrillRecord) -> Text:
    """One row: what was broken, what became of it, which help was used, and when that was."""
    solved = drill.result == "solved"
    what = drill.fault + (f" in {drill.node}" if drill.node else "") + (", an exam" if drill.exam else "")
    how = f"{'solved' if solved else 'given up'} after {took(drill.seconds)}, with {help_used(drill.hints, drill.whys)}"
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(drill.at))
    return joined("  ", ("●", "good") if solved else ("○", "muted"), f" {what:<36} {how}, {at}")
