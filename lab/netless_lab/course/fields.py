"""Reading typed values out of a lesson's tables: every wrong key or wrong kind of value becomes a problem with its line.

The words of a lesson by role: whether the kernel would take them, and which of them an item speaks of.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from ..model.needs import NEEDS, needs_of
from ..primitives.base import Action, Expectation
from ..primitives.roles import RoleName, roles
from ..primitives.run import Run
from .markdown import Table
from .problems import Objection, Report, did_you_mean
from .step import Step

Item = Action | Expectation

_LONGEST_LINK = 15
"""IFNAMSIZ is 16 with its NUL (<linux/if.h>)."""
_LINK = re.compile(r"[^\s/:]+")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Word(msgspec.Struct, frozen=True):
    """A word of an item, the role it plays and the field it stands in."""

    role: RoleName
    text: str
    field: str


def words_of(item: Item) -> Iterator[Word]:
    """Every word of an action or expectation that has a role, lists included."""
    for field, role in roles(type(item)):
        value = getattr(item, field)
        for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if isinstance(text, str) and text:
                yield Word(role, text, field)


def words_by_role(items: Iterable[Item], role: RoleName) -> tuple[str, ...]:
    """The words with one role in these items, each once, in order."""
    return tuple(dict.fromkeys(word.text for item in items for word in words_of(item) if word.role == role))


def items_of(step: Step) -> tuple[Item, ...]:
    """Everything a step does and expects."""
    return (*step.expect, *step.do)


def objection(role: RoleName, text: str) -> Objection | None:
    """Why the kernel or the lab would refuse this word, or None."""
    match role:
        case "link":
            return _link(text)
        case "node":
            return None if _NODE.fullmatch(text) else Objection(f'"{text}" cannot name a node.', 'Names are like "host", "c1", "decoy".')
        case "netns":
            if "/" in text or text in (".", "..") or len(text.encode()) > 255 or text != text.strip():
                return Objection(f'"{text}" cannot be a name in /run/netns.', "It becomes a file name: no slash, no spaces around it.")
            return None
        case "ip":
            return _ip(text)
        case "cidr":
            return _cidr(text)
        case "net":
            return None if text == "default" else _net(text)


def bad_id(text: str) -> Objection | None:
    """Why ``text`` cannot be an id, or None. Ids are lower case so that they can be typed and kept as file names."""
    if _ID.fullmatch(text):
        return None
    tidy = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return Objection(f'"{text}" is no id.', f'Use small letters, digits and hyphens{f": {chr(34)}{tidy}{chr(34)}" if tidy else ""}.')


def _link(text: str) -> Objection | None:
    size = len(text.encode())
    if size > _LONGEST_LINK:
        shorter = text.encode()[:_LONGEST_LINK].decode(errors="ignore")
        return Objection(f'the link name "{text}" has {size} bytes.', f'The kernel takes at most {_LONGEST_LINK}: try "{shorter}".')
    if not _LINK.fullmatch(text) or text in (".", ".."):
        return Objection(f'"{text}" cannot name a link.', "No spaces, no slash, no colon.")
    return None


def _ip(text: str) -> Objection | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if "/" in text and _cidr(text) is None:
            return Objection(f'"{text}" has a prefix, and here stands one address.', f'Write "{text.split("/")[0]}".')
        if ":" in text:
            return Objection(f'"{text}" is no IPv6 address.', 'Write it as in "fd00::2".')
        return Objection(f'"{text}" is no IP address.', 'Write four numbers from 0 to 255, as in "10.0.0.2".')
    return None


def _cidr(text: str) -> Objection | None:
    if "/" not in text:
        if _ip(text) is None:
            return Objection(f'"{text}" has no prefix length.', f'Write "{text}/{64 if ":" in text else 24}", or the prefix you mean.')
        return _ip(text)
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return Objection(f'"{text}" is no address with a prefix.', 'Write it as in "10.0.0.2/24".')
    return None


def _net(text: str) -> Objection | None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        try:
            whole = ipaddress.ip_interface(text).network
        except ValueError:
            return Objection(f'"{text}" is no network.', 'Write it as in "10.0.0.0/24", or "default".')
        return Objection(f'"{text}" is an address inside a network.', f'The network is "{whole}".')
    return None


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
