"""The words of one command line, put in order: global options may stand anywhere. What is plain to read is read here, without a parser. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Final, NamedTuple

from .early import lab_in
from .usage.table import GLOBAL, WORDLESS

_VALUED: Final[Mapping[str, bool]] = {flag: option.values is not None for option in GLOBAL for flag in option.flags}
"""Options that may stand anywhere before ``--``, and whether a value follows."""
_PLAIN: Final = {flag: option for option in GLOBAL for flag in option.flags if option.values in (None, "lab", "text", "folder", "file", "choice")}
"""Those of them whose value is taken as it is written."""
HELP: Final = ("-h", "--help")


class Namespace(SimpleNamespace):
    """What a command line asks for: an attribute for each word and option."""


class Words(NamedTuple):
    """A command line: the global options, the verb with its own words, and for ``exec`` the command apart."""

    ours: tuple[str, ...]
    rest: tuple[str, ...]
    command: tuple[str, ...]

    @property
    def verb(self) -> str:
        """The verb, "" when there is none."""
        return next((word for word in self.rest if not word.startswith("-")), "")


def in_order(words: Sequence[str]) -> Words:
    """Global options out of wherever they stand.

    What follows ``--`` is never ours. Without it the command of ``exec`` begins, after NODE, at the first word that is no option of ours.
    """
    ours: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(words) and words[at] != "--":
        word = words[at]
        name, value, _ = word.partition("=")
        if name in _VALUED:
            end = at + (2 if _VALUED[name] and not value else 1)
            ours += words[at:end]
            at = end
        elif word not in HELP and _has_node(rest):
            break
        else:
            rest.append(word)
            at += 1
    left = tuple(words[at:])
    if rest[:1] == ["exec"]:
        return Words(tuple(ours), tuple(rest), left[1:] if left[:1] == ("--",) else left)
    return Words(tuple(ours), (*rest, *left), ())


def unsaid(environment: Mapping[str, str]) -> dict[str, object]:
    """What the global options are where they are not given."""
    return {
        "lab": lab_in(environment), "lessons": None, "lang": None, "json": False, "theme": None, "plain": False, "glyphs": None, "record": None,
    }  # fmt: skip


def said(ours: Sequence[str]) -> dict[str, str]:
    """The global options that are given, with their values, "true" of one without; the last one of a name counts."""
    found: dict[str, str] = {}
    words = iter(ours)
    for word in words:
        name, given, value = word.partition("=")
        if _VALUED[name]:
            found[name] = value if given else next(words, "")
        else:
            found[name] = "true"
    return found


def plainly(given: Words, environment: Mapping[str, str]) -> Namespace | None:
    """What is asked for without a verb, or by one without words of its own, with global options whose values stand apart; None for all that the
    parser has to read.
    """
    if given.rest and (len(given.rest) != 1 or given.verb not in WORDLESS):
        return None
    args = Namespace(**unsaid(environment), verb=given.verb or None)
    words = iter(given.ours)
    for word in words:
        if (option := _PLAIN.get(word)) is None:
            return None
        name = option.name or word.lstrip("-")
        if option.values is None:
            setattr(args, name, True)
            continue
        value = next(words, "")
        if value[:1] in ("", "-") or (option.choices and value not in option.choices):
            return None
        setattr(args, name, value)
    return args


def _has_node(rest: Sequence[str]) -> bool:
    return rest[:1] == ["exec"] and sum(not word.startswith("-") for word in rest) == 2
