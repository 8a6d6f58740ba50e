"""Whether a learner could know every command by the time a step needs it: it must stand on this page or an earlier one."""

from __future__ import annotations

import re

from netless_lab.course.hints import command_lines
from netless_lab.course.problems import Problem
from netless_lab.course.step import Course
from netless_lab.primitives.base import Where

_PREFIX = re.compile(r"^(?:ip netns exec \S+ |nsenter(?: -t \S+| -[^\st]\S*)+ |setsid )+")
_NODE = re.compile(r"^ip -n \S+ ")
_SAME = {"addr": "addr(?:ess)?", "address": "addr(?:ess)?", "delete": "del(?:ete)?", "del": "del(?:ete)?"}


def unintroduced(course: Course) -> tuple[Problem, ...]:
    """Commands of steps that no prose or hint up to there has shown. Advice to an author, not a refusal: files and programs count by
    their first word, ip(8) by its object and verb.
    """
    shown = ""
    found = []
    for lesson in course.lessons:
        shown += lesson.intro
        for step in lesson.steps:
            shown += "\n".join(("", step.prose, *step.hints))
            for line in command_lines(step.do, "ip", Where()):
                words = _words(line)
                if words and not _stands_in(words, shown):
                    what = f'the step "{step.id}" needs `{" ".join(words)}`, which no page has shown so far.'
                    found.append(Problem(lesson.path, step.line, what, "Show it in the prose or a hint."))
    return tuple(dict.fromkeys(found))


def _words(line: str) -> tuple[str, ...]:
    """The words of a command that must be known."""
    bare = _NODE.sub("ip ", _PREFIX.sub("", line.strip()))
    words = bare.split()
    if not words:
        return ()
    return tuple(words[:3]) if words[0] == "ip" else (words[0],)


def _stands_in(words: tuple[str, ...], text: str) -> bool:
    """Whether the words stand in this order in one line of prose, or in one stretch of code in it."""
    wanted = [re.compile(rf"\b{_SAME.get(word, re.escape(word))}\b") for word in words]
    return any(_in_order(wanted, stretch) for stretch in re.split("[\n`]", text))


def _in_order(wanted: list[re.Pattern[str]], stretch: str) -> bool:
    """Whether they follow each other. The first place of each is the best one for all that follow, so none is looked for again."""
    position = 0
    for word in wanted:
        found = word.search(stretch, position)
        if found is None:
            return False
        position = found.end()
    return True
