"""TOML with line numbers: tomllib reads the values, a small scanner finds on which line each one stands."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

import msgspec

from .markdown import Block
from .problems import Report

_AT = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
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
        at = _AT.search(str(error))
        inside = int(at["line"]) if at and at["line"] else max(len(block.text.rstrip().split("\n")), 1)
        what = _AT.sub("", str(error)).rstrip(".")
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
