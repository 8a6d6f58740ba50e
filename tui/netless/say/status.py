"""Where a lab stands, row by row: the lab, the course with its ticks, what is broken, the nodes, and what has to be noticed."""

from __future__ import annotations

from collections.abc import Iterator

from netless_lab.drill.spent import help_used, took
from netless_lab.model.needs import unable
from netless_lab.protocol import FaultStatus, LessonView, Status

from .cells import padded
from .text import Text, joined, plain


def standing(lab: str, status: Status) -> Iterator[Text]:
    """The rows."""
    yield _row("lab", f"{lab} ({status.mode}), agent {status.agent_pid}" + (f", {status.limits}" if status.limits else ""))
    yield _row("course", f"{status.course.id}  {status.course.title}")
    yield _row("position", f"{status.position}  {status.page.title}")
    if lacks := unable(status.page.lacks):
        yield _row("", lacks)
    yield from _lessons(status)
    if status.fault is not None:
        yield _row("fault", broken(status.fault))
    for node in status.nodes:
        pid = f"pid {node.pid}" if node.pid else "no process"
        yield _row("node", f"{padded(node.name, 10)} {node.role:<10} {pid:<11} net:[{node.netns}]  {' '.join(node.names)}")
    for notice in status.notices:
        yield _row("note", notice)


def broken(fault: FaultStatus) -> str:
    """What may be told of what is broken on purpose: while it is a secret only what is noticed."""
    used = f"{took(fault.seconds)}, with {help_used(fault.hints, fault.whys)}"
    if fault.healthy:
        return f"the network is healthy again, after {used}. It was: {fault.title}"
    kind = "an exam" if fault.exam else "a drill" if fault.drill else "broken on purpose"
    return f"{kind}, for {used} so far: {fault.tells}" + (f" It is: {fault.title}" if fault.title else "")


def _lessons(status: Status) -> Iterator[Text]:
    ahead = False
    for lesson in status.course.lessons:
        lapsed: list[str] = []
        for step in lesson.steps:
            ahead = ahead or status.position.endswith(f"/{lesson.id}/{step.id}")
            if not ahead and step.earned and step.live is False:
                lapsed.append(step.title)
        yield _row("", f"{_ticks(lesson):<8} {lesson.title}" + (f"   (earned, but not so now: {', '.join(lapsed)})" if lapsed else ""))


def _ticks(lesson: LessonView) -> str:
    return "".join("●" if step.earned else "○" for step in lesson.steps)


def _row(label: str, text: str) -> Text:
    return joined((f"{label:<10}", "muted"), plain(text))
