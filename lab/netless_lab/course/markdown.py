"""Cutting a lesson page into front matter, introduction and sections, with line numbers.

Only as much Markdown as a lesson needs (CommonMark's rules for fences and ATX headings): what stands inside a fenced block is
never a heading, and everything that is not a ``toml step`` block is prose and stays as it was written.

TOML with line numbers: tomllib reads the values, a small scanner finds on which line each one stands.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

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


_AT: Final = r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$"
_HEADER = re.compile(r"^\s*(?P<open>\[\[?)(?P<name>[^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*(?P<key>[A-Za-z0-9_-]+|"[^"]*"|'[^']*')\s*=""")
_STRING = re.compile(
    r"""
      "{3} (?: [^"\\]++ | \\. | "(?!"") )*+ (?: "{3,5} )?
    | '{3} (?: [^']++ | '(?!'') )*+ (?: '{3,5} )?
    | " (?: [^"\\\n]++ | \\[^\n] )*+ "?
    | ' [^'\n]*+ '?
    """,
    re.DOTALL | re.VERBOSE,
)
"""A string from its quotation mark on, which always matches: what is not closed goes to the end of its line, or of the text, so that no
sign is read twice."""


_NAME: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_KEY_PARTS: Final = 32
_PART: Final = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY: Final = re.compile(rf"""(?<![A-Za-z0-9_."'-])(?:{_PART}\.[ \t]*+){{{_KEY_PARTS}}}""")
"""tomllib's time grows with the square of a key's parts, and with as many as a page may hold it is minutes."""


Lines = dict[tuple[str, int], int]
"""Page lines of keys, (key, -1), and of the elements of their arrays, (key, index)."""


class Table(msgspec.Struct, frozen=True):
    """A TOML table and the page lines of its keys and of the elements of its arrays; ``below`` has those of the tables in it, by their path."""

    values: dict[str, Any]
    first: int
    lines: Lines
    below: dict[tuple[str, ...], Lines] = {}

    def line(self, key: str, index: int = -1) -> int:
        """The line of ``key``, or of the element ``index`` of its array; the table's first line when unknown."""
        return self.lines.get((key, index), self.lines.get((key, -1), self.first))

    def inner(self, key: str) -> Table:
        """The table under ``key``, with the lines of its own keys; an empty one when there is none."""
        values = self.values.get(key)
        below = {path[1:]: lines for path, lines in self.below.items() if path[0] == key}
        return Table(values if isinstance(values, dict) else {}, self.line(key), below.pop((), {}), below)


def read_table(block: Block, report: Report) -> Table | None:
    """The block as a table; None (and a problem at the right line) when it is not TOML."""
    if long := _LONG_KEY.search(block.text):
        line = block.line + block.text.count("\n", 0, long.start())
        report.add(line, f"a key of more than {_KEY_PARTS} parts cannot be read.", "Keys here have one part or two: id, world.containers.")
        return None
    try:
        values = tomllib.loads(block.text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(_AT, str(error))
        inside = int(at["line"]) if at and at["line"] else max(len(block.text.rstrip().split("\n")), 1)
        what = re.sub(_AT, "", str(error)).rstrip(".")
        report.add(block.line + inside - 1, f"this is not TOML: {what}.", _advice(block.text, inside))
        return None
    except ValueError as error:  # a number of thousands of digits: int() refuses it, and tomllib does not say where
        report.add(block.line, f"this cannot be read: {error}.", "No number here has more than a few digits.")
        return None
    except RecursionError:
        report.add(block.line, "this is nested too deeply.", "Lists and tables here are two or three deep.")
        return None
    below = _lines(block)
    return Table(values, block.line, below.pop((), {}), below)


def _advice(text: str, line: int) -> str:
    """What is usually meant by broken TOML like this."""
    lines = text.split("\n")
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    if written.count("{") > written.count("}"):
        return "A table in braces stays on one line: { move = \"veth1\", to = \"c1\" }."
    if written.count('"') % 2:
        return "A quotation mark is missing."
    return "Look for a missing comma, bracket or quotation mark; every text stands in quotation marks."


def _lines(block: Block) -> dict[tuple[str, ...], Lines]:
    """For the top, and by its path for each table with a ``[header]``: (key, -1) and (key, element) to page lines."""
    found: dict[tuple[str, ...], Lines] = {}
    text, position, line = block.text, 0, block.line
    headers: dict[tuple[str, ...], int] = {}
    here = found.setdefault((), {})
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        written = text[position:end]
        header, key = _HEADER.match(written), _KEY.match(written)
        if header:
            path = tuple(_bare(part[0]) for part in _NAME.finditer(header["name"]))[:_KEY_PARTS]
            for depth, name in enumerate(path):
                found.setdefault(path[:depth], {}).setdefault((name, -1), line)
            here = found.setdefault(path, {})
            headers[path] = headers.get(path, -1) + 1
            if header["open"] == "[[" and path:
                found[path[:-1]][path[-1], headers[path]] = line
        elif key:
            name = _bare(key["key"])
            here[name, -1] = line
            start = position + key.end()
            end, elements = _value(text, start)
            here.update({(name, index): line + above for index, above in enumerate(elements)})
        line += text.count("\n", position, end) + 1
        position = end + 1
    return found


def _bare(key: str) -> str:
    """A part of a key without its quotation marks."""
    return key.strip("\"'")


def _value(text: str, start: int) -> tuple[int, list[int]]:
    """The end of the value that begins at ``start``, and how many lines further down each element begins when it is an array."""
    elements: list[int] = []
    depth, fresh, position = 0, False, start
    above, counted = 0, start
    while position < len(text):
        character = text[position]
        if fresh and depth == 1 and not character.isspace() and character not in "],#":
            above += text.count("\n", counted, position)
            counted = position
            elements.append(above)
            fresh = False
        if character in "\"'":
            string = _STRING.match(text, position)
            position = string.end() if string else position + 1
            continue
        if character == "#":
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
            continue
        if character in "[{":
            depth += 1
            fresh = depth == 1 and character == "["
        elif character in "]}":
            depth -= 1
        elif character == "," and depth == 1:
            fresh = True
        elif character == "\n" and depth <= 0:
            return position, elements
        position += 1
    return position, elements
