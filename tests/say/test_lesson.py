"""The card of a step: its commands, and what is to be said of them. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from app import story
from netless.desk.view import View
from netless.say import spoken
from netless.say.lesson import commands
from netless.say.links import Copy
from netless.say.prose import code_line
from netless.say.text import Blocks, lay_out
from netless_lab.protocol import Commands


def told(blocks: Blocks) -> str:
    """All of it, line by line."""
    return "\n".join(block.content.plain for block in blocks)


def typing(*lines: str) -> View:
    """A step with these commands."""
    return View(status=replace(story.status(), page=replace(story.page(), commands=(Commands("ip", lines),))))


def test_a_long_line_of_code_goes_on_deeper_than_it_begins() -> None:
    """However deep that is: what goes on is no line of its own."""
    for depth in (0, 6):
        first, *rest = (line.content.plain for line in lay_out([code_line(" " * depth + "one two three four five six")], 24))
        began = len(first) - len(first.lstrip())
        assert rest and all(len(row) - len(row.lstrip()) == began + 2 for row in rest)


def test_a_process_that_does_not_run_yet_is_said_to_come() -> None:
    """A line that needs its number cannot be typed before; so it says from when it can, on the screen and line by line, and nothing once it can."""
    later, now = typing("start c2 &", "ip netns attach c2 $PID_c2"), typing("start c2 &", "ip netns attach c2 4711")
    words = "$PID_c2 is a process that does not run yet: as soon as it does, its number stands here"
    for say in (lambda view: commands(view, 60), spoken.commands):
        assert words in told(say(later)).replace("`", "") and "does not run yet" not in told(say(now))


def test_a_line_that_would_not_work_is_not_copied_by_a_click() -> None:
    """One that needs the number of a process that does not run yet leads nowhere; the others copy themselves."""
    view = typing("start c2 &", "ip netns attach c2 $PID_c2")
    links = [span.link for block in commands(view, 60) for span in block.content.spans if isinstance(span.link, Copy)]
    assert links == [Copy("start c2 &")]
