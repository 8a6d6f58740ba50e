"""A file of settings as values, or what is wrong with it: line by line, with the nearest word that would be right. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from .keys import COMMANDS, is_key, kept_by, meet, same
from .schema import MAX_SCROLLBACK, SETTINGS, Setting, Value, toml

_WORDS: Final[Mapping[type, str]] = {
    str: 'it is a text, in quotes: "..."', bool: "it is true or false", int: f"it is a whole number from 0 to {MAX_SCROLLBACK}",
}  # fmt: skip
"""What a setting is, by the type of its default."""


class Problem(NamedTuple):
    """Something in a file that cannot be used."""

    line: int
    text: str
    nearest: tuple[str, ...] = ()

    def told(self, file: str) -> str:
        """In one line, with the place as compilers write it."""
        near = f"; did you mean {self.nearest[0]}?" if self.nearest else ""
        return f"{file}:{self.line}: {self.text}{near}"


class Read(NamedTuple):
    """What a file says, without what is wrong in it."""

    said: Mapping[str, Value]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...]


def read(text: str) -> Read:
    """What the text of a file says: setting -> value, in which line each stands, and what is wrong, in the order of lines."""
    import tomllib  # most people have no file

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Read({}, {}, (unreadable(str(error), text),))
    known = {own.name: own for own in SETTINGS}
    said: dict[str, Value] = {}
    lines = {name: line_of(text, name) for name in found}
    problems: list[Problem] = []
    for name, value in found.items():
        if name not in known:
            what = f"[{name}]" if isinstance(value, dict) else name
            problems.append(Problem(lines[name], f"there is no setting {what}", near(name, known)))
        elif name == "keys":
            keys, wrong = _keys(value, text)
            problems += wrong
            said[name] = keys
        else:
            taken = taken_as(known[name], value, strict=True)
            if isinstance(taken, Wrong):
                problems.append(Problem(lines[name], f"{name} = {_written(value)}: {taken.text}", taken.nearest))
            else:
                said[name] = taken
    return Read(said, lines, tuple(sorted(problems)))


class Wrong(NamedTuple):
    """Why a value cannot be taken."""

    text: str
    nearest: tuple[str, ...] = ()


def taken_as(setting: Setting, value: object, *, strict: bool) -> Value | Wrong:
    """The value of a setting; not ``strict`` reads words of an environment or a command line: ``1``, ``true``, ``500``."""
    if setting.choices and value not in setting.choices:
        words = ", ".join(word or '""' for word in setting.choices)
        return Wrong(f"it can be {words}", near(str(value), setting.choices))
    try:
        taken: Value = msgspec.convert(value, setting.kind, strict=strict)
    except msgspec.ValidationError as error:
        return Wrong(_WORDS.get(type(setting.default), str(error)))
    return taken


def _keys(value: object, text: str) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """The keymap, and what is wrong with it."""
    if not isinstance(value, dict):
        return {}, [Problem(line_of(text, "keys"), "keys is a table: a line [keys], and below it COMMAND = KEY")]
    keys: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for name, said in _flat(value):
        line = line_of(text, name, "keys")
        several = (said,) if isinstance(said, str) else tuple(said) if isinstance(said, list) else ()
        if name not in COMMANDS:
            problems.append(Problem(line, f"there is no command {name} to give a key", near(name, COMMANDS)))
        elif not several or not all(isinstance(key, str) and is_key(key) for key in several):
            problems.append(Problem(line, f'{name} = {_written(said)}: it is a key or a list of keys, such as "r", "f9", "ctrl+k"'))
        elif double := next(((key, other) for other, own in keys.items() for key in several if any(same(key, one) for one in own) and meet(name, other)), None):
            problems.append(Problem(line, f"{name} = {_written(said)}: the key {double[0]} is that of {double[1]} already"))
        else:
            keys[name] = several
    for name, several in keys.items():
        if kept := next(((key, own) for key in several if (own := kept_by(name, key, keys))), None):
            words = f"the key {kept[0]} is that of {kept[1]}, which stays on it unless it is given another one"
            problems.append(Problem(line_of(text, name, "keys"), f"{name} = {_written([*several])}: {words}"))
    return keys, problems


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """The keys of a table, ``a.b`` for those of a table in it: a command's id may be written with quotes or without."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def near(word: str, words: Iterator[str] | Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
    """The words that were perhaps meant, the likeliest first."""
    import difflib  # most words are right

    return tuple(filter(None, difflib.get_close_matches(word, [*words], n=3)))


def line_of(text: str, key: str, table: str = "") -> int:
    """The line in which a key of a table is written, its table when it stands in one of its own; 1 when it is written in no plain way."""
    inside, name = "", rf"[\"']?{re.escape(key)}[\"']?"
    own, beside = rf"\s*{name}\s*[.=]", rf"\s*{re.escape(table)}\s*(?:\.\s*{name}\s*=|=.*{name}\s*=)"
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]*?)\s*\]", line):
            inside = header[1].strip("\"'")
            if not table and inside == key:
                return number
        elif re.match(own if inside == table else beside, line) and inside in (table, ""):
            return number
    return 1


def unreadable(error: str, text: str) -> Problem:
    """What tomllib says, with its line taken out: it is the place."""
    if place := re.search(r" \(at line (\d+), column \d+\)", error):
        return Problem(int(place[1]), f"this is no TOML: {error[: place.start()].lower()}")
    last = len(text.splitlines()) or 1
    return Problem(last, f"this is no TOML: {error.replace(' (at end of document)', ', at the end').lower()}")


def _written(value: Any) -> str:
    """A value as it is written, cut short."""
    try:
        text = toml(value)
    except TypeError:
        text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"
