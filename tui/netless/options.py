"""The words of one command line, put in order: global options may stand anywhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

GLOBAL: Final[Mapping[str, bool]] = {"--lab": True, "--lessons": True, "--lang": True, "--theme": True, "--json": False}
"""Options that may stand anywhere before ``--``, and whether a value follows."""
HELP: Final = ("-h", "--help")


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
        if name in GLOBAL:
            end = at + (2 if GLOBAL[name] and not value else 1)
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


def _has_node(rest: Sequence[str]) -> bool:
    return rest[:1] == ["exec"] and sum(not word.startswith("-") for word in rest) == 2
