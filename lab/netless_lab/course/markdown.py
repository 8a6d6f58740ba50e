"""Cutting a lesson page into front matter, introduction and sections, with line numbers.

Only as much Markdown as a lesson needs (CommonMark's rules for fences and ATX headings): what stands inside a fenced block is
never a heading, and everything that is not a ``toml step`` block is prose and stays as it was written.
"""

from __future__ import annotations

import re

import msgspec

from .problems import Report, nearest

STEP_INFO = "toml step"
_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
_HEADING = re.compile(r"^ {0,3}##(?!#)(?P<rest>.*)$")


class Block(msgspec.Struct, frozen=True):
    """A piece of TOML; ``line`` is the page's line on which its first line stands."""

    text: str
    line: int


class Section(msgspec.Struct, frozen=True):
    """A ``##`` heading, the prose under it and its step block, if there is one."""

    title: str
    line: int
    prose: str
    block: Block | None


class Page(msgspec.Struct, frozen=True):
    """A lesson page cut into its parts. ``front`` is None when the page has no front matter."""

    front: Block | None
    intro: str
    sections: tuple[Section, ...]


class _Part:
    """A section while it is being read."""

    def __init__(self, title: str | None, line: int) -> None:
        self.title = title
        self.line = line
        self.prose: list[str] = []
        self.block: Block | None = None


def split(text: str, report: Report) -> Page:
    """Cut a page. Problems of its shape go to ``report``; what could be read is returned all the same."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    front, start = _front_matter(lines, report)
    part = _Part(None, start + 1)
    parts = [part]
    index = start
    while index < len(lines):
        line = lines[index]
        fence = _FENCE.match(line)
        heading = None if fence else _HEADING.match(line)
        if fence and not ("`" in fence["info"] and fence["mark"][0] == "`"):
            end = _closing(lines, index, fence["mark"])
            if end is None:
                report.add(index + 1, "this block is never closed.", f"End it with a line of {fence['mark']}.")
                end = len(lines)
            _take_block(part, lines, index, end, fence["info"], report)
            index = end
        elif heading:
            part = _Part(_title(heading["rest"]), index + 1)
            parts.append(part)
            if not part.title:
                report.add(index + 1, "this step has no title.", 'Write what the learner does: "## Plug one end in".')
        else:
            part.prose.append(line)
        index += 1
    sections = tuple(Section(part.title or "", part.line, _prose(part), part.block) for part in parts[1:])
    return Page(front, _prose(parts[0]), sections)


def _title(rest: str) -> str:
    """What stands behind the ``##`` of a heading, without the blanks around it and without a closing row of ``#`` set apart by one."""
    rest = rest.strip(" \t")
    bare = rest.rstrip("#")
    return (bare if bare.endswith((" ", "\t")) else rest).strip()


def _front_matter(lines: list[str], report: Report) -> tuple[Block | None, int]:
    """The TOML between the ``+++`` lines, and the index of the first line after it."""
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if not lines or lines[first].strip() != "+++":
        advice = 'Start the page with +++, id = "...", title = "...", format = 1, +++, each on its own line.'
        if lines and lines[first].strip() == "---":
            advice = "Front matter is TOML here: put it between +++ lines, not ---."
        report.add(first + 1, "the page has no front matter.", advice)
        return None, 0
    for index in range(first + 1, len(lines)):
        if lines[index].strip() == "+++":
            return Block("\n".join(lines[first + 1 : index]), first + 2), index + 1
    report.add(first + 1, "the front matter is never closed.", "End it with a line of +++.")
    return None, len(lines)


def _closing(lines: list[str], start: int, mark: str) -> int | None:
    """The index of the line that closes the fence opened at ``start``."""
    closing = re.compile(r"^ {0,3}" + re.escape(mark[0]) + "{" + str(len(mark)) + r",}[ \t]*$")
    return next((index for index in range(start + 1, len(lines)) if closing.match(lines[index])), None)


def _take_block(part: _Part, lines: list[str], start: int, end: int, info: str, report: Report) -> None:
    """A step block becomes the part's block, any other fence stays prose."""
    words = " ".join(info.split())
    if words != STEP_INFO:
        part.prose.extend(lines[start : end + 1])
        if words.lower() in ("step", "toml, step", "toml-step", "toml:step") or nearest(words, (STEP_INFO,)):
            report.add(start + 1, f'a block marked "{words}" is only shown, it does nothing.', f'Mark it "{STEP_INFO}".')
    elif part.title is None:
        report.add(start + 1, "this step block stands before the first heading.", "Put a ## heading above it: the step's title.")
    elif part.block is not None:
        report.add(start + 1, f'the step "{part.title}" has a second step block.', "Give it a ## heading of its own, or join the two.")
    else:
        part.block = Block("\n".join(lines[start + 1 : end]), start + 2)


def _prose(part: _Part) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(part.prose)).strip()
