"""Reading typed values out of a lesson's tables: every wrong key or wrong kind of value becomes a problem with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from ..model.needs import NEEDS, needs_of
from ..primitives.base import Action
from ..primitives.run import Run
from .markdown import Table
from .problems import Report, did_you_mean
from .words import bad_id

FORMAT = 1
"""The lesson format this reader understands; a course and a page may both name theirs."""

_KINDS: dict[type, str] = {str: "a text", int: "a number", float: "a number", bool: "true or false", list: "a list", dict: "a table"}
_TYPE: Final = r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`(?: - at `\$\.(?P<key>[^`]+)`)?"
_MISSING: Final = r"missing required field `(?P<key>[^`]+)`"
_PLAIN = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a table",
          "null": "nothing"}

ReadT = TypeVar("ReadT")
StructT = TypeVar("StructT", bound=msgspec.Struct)


def kind(value: object) -> str:
    """A TOML value's kind in plain words."""
    return _KINDS.get(type(value), "a date")


def check_keys(table: Table, known: Collection[str], what: str, report: Report) -> None:
    """Refuse keys that nobody reads."""
    for key in table.values:
        if key not in known:
            report.add(table.line(key), f'{what} has no key "{key}".', did_you_mean(key, known, "Keys"))


def text(table: Table, key: str, report: Report, *, required: str = "", default: str = "") -> str:
    """The text under ``key``. ``required`` is the advice when it is missing; without it the default is taken."""
    value = table.values.get(key)
    if isinstance(value, str) and (value.strip() or not required):
        return value.strip()
    if value is None or isinstance(value, str):
        if required:
            report.add(table.line(key), f'"{key}" is {"empty" if value is not None else "missing"}.', required)
        return default
    report.add(table.line(key), f'"{key}" must be a text, not {kind(value)}.', f'Write {key} = "...".')
    return default


def texts(table: Table, key: str, report: Report) -> tuple[str, ...]:
    """The list of texts under ``key``; one text alone counts as a list of one."""
    value = table.values.get(key, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        report.add(table.line(key), f'"{key}" must be a list of texts, not {kind(value)}.', f'Write {key} = ["...", "..."].')
        return ()
    found: list[str] = []
    for index, element in enumerate(value):
        if isinstance(element, str) and element.strip():
            found.append(element.strip())
        else:
            seen = "an empty text" if isinstance(element, str) else kind(element)
            report.add(table.line(key, index), f'"{key}" holds {seen} among its texts.', f'Write {key} = ["...", "..."].')
    return tuple(found)


def identity(table: Table, missing: str, report: Report) -> str:
    """The id of a page, a course or a fault; ``missing`` is the advice when there is none."""
    found = text(table, "id", report, required=missing)
    if found:
        report.refuse(table.line("id"), bad_id(found))
    return found


def insist(table: Table, key: str, advice: str, report: Report) -> None:
    """Refuse a table without ``key``, or with nothing under it."""
    if not table.values.get(key):
        report.add(table.line(key), f'"{key}" is missing.', advice)


def needs(table: Table, actions: Iterable[Action], report: Report) -> tuple[str, ...]:
    """What a machine may lack for a step or a fault: names of ``NEEDS``, those that it says and those of the command lines among its actions."""
    found = texts(table, "needs", report)
    for index, need in enumerate(found):
        if need not in NEEDS:
            report.add(table.line("needs", index), f'nobody knows the need "{need}".', did_you_mean(need, NEEDS, "Needs"))
    return tuple(dict.fromkeys((*found, *(need for action in actions if isinstance(action, Run) for need in needs_of(action.line)))))


def inner(table: Table, key: str, report: Report, advice: str) -> Table | None:
    """The table under ``key``; None when there is none."""
    value = table.values.get(key)
    if value is not None and not isinstance(value, dict):
        report.add(table.line(key), f'"{key}" must be a table, not {kind(value)}.', advice)
    return table.inner(key) if isinstance(value, dict) else None


def tables(table: Table, key: str, report: Report) -> tuple[tuple[int, dict[str, Any]], ...]:
    """The (line, table) pairs of the list under ``key``."""
    value = table.values.get(key, [])
    if isinstance(value, dict):
        report.add(table.line(key), f'"{key}" is a list, even of one.', f"Put brackets around it: {key} = [{{ ... }}].")
        return ()
    if not isinstance(value, list):
        report.add(table.line(key), f'"{key}" must be a list of tables, not {kind(value)}.', f"Write {key} = [{{ ... }}].")
        return ()
    found: list[tuple[int, dict[str, Any]]] = []
    for index, element in enumerate(value):
        line = table.line(key, index)
        if isinstance(element, dict) and element:
            found.append((line, element))
        else:
            report.add(line, f'"{key}" holds {"an empty table" if element == {} else kind(element)}.', f"Write {key} = [{{ ... }}].")
    return tuple(found)


def each(table: Table, key: str, read: Callable[[Mapping[str, Any], int, Report], ReadT | None], report: Report) -> list[tuple[int, ReadT]]:
    """The tables of the list under ``key`` as ``read`` makes something of each, with their lines. What cannot be read is in the report."""
    return [(line, item) for line, own in tables(table, key, report) if (item := read(own, line, report)) is not None]


def check_format(table: Table, what: str, report: Report) -> bool:
    """Refuse a page of another format: a newer one needs a newer netless. False when it must not be read further."""
    value = table.values.get("format")
    if value == FORMAT and not isinstance(value, bool):
        return True
    line = table.line("format")
    if value is None:
        report.add(line, f"{what} does not say its format.", f"Write format = {FORMAT}.")
        return True
    if isinstance(value, int) and not isinstance(value, bool) and value > FORMAT:
        report.add(line, f"{what} is written in format {value}, and this netless reads format {FORMAT}.", "A newer netless reads it.")
    else:
        report.add(line, f"{what} has no such format as {value!r}.", f"Write format = {FORMAT}.")
    return False


def convert(values: Mapping[str, Any], into: type[StructT], what: str, line: int, report: Report) -> StructT | None:
    """A table as a struct; None and a problem in words when it does not fit."""
    known = into.__struct_encode_fields__
    wrong = [key for key in values if key not in known]
    for key in wrong:
        report.add(line, f'{what} has no key "{key}".', did_you_mean(key, known, "Keys"))
    if wrong:
        return None
    try:
        return msgspec.convert(dict(values), into)
    except msgspec.ValidationError as error:
        report.add(line, *_in_words(str(error), what, values, example_of(into)))
        return None


def example_of(struct: type) -> str:
    """The example that a class docstring opens with: ``{ veth = "veth1", peer = "veth2" }``, or ""."""
    found = re.match(r"\s*``(\{.*?\})``", struct.__doc__ or "", re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def _in_words(error: str, what: str, values: Mapping[str, Any], example: str) -> tuple[str, str]:
    """A msgspec error as a problem and an advice."""
    advice = f"For example: {example}." if example else ""
    if missing := re.search(_MISSING, error):
        return f'{what} lacks the key "{missing["key"]}".', advice
    if wrong := re.search(_TYPE, error):
        kinds = [_PLAIN.get(name.strip(), name.strip()) for name in wrong["wanted"].split("|")]
        wanted = " or ".join(dict.fromkeys(name for name in kinds if name != "nothing"))
        key = wrong["key"] or next(iter(values), "")
        return f'"{key}" of {what} must be {wanted}, not {_PLAIN.get(wrong["got"], wrong["got"])}.', advice
    return f"{what} cannot be read: {error.rstrip('.')}.", advice
