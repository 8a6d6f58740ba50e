"""Which commands can be given other keys, and how a key is written. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from ..commands.table import COMMANDS as TABLE
from ..key_names import named, parted, sign_of

_MAIN: Final = ("everywhere", "tutor", "network", "packets", "changes")
_LISTS: Final = ("goto", "courses", "drill", "hops")
_FIXED: Final = ("quit.copy", "window.copy", "gone.stay")
COMMANDS: Final = tuple(own.id for own in TABLE if own.where not in ("terminal", "text") and own.id not in _FIXED)
"""Their ids. What acts in a terminal is not among them: it has to be known when all other keys are the shell's, and there as in every text; nor is
ctrl+c, which a person must find where it always is.
"""
_BY_ID: Final = {own.id: own for own in TABLE}
_KEY: Final = re.compile(r"(?:(?:ctrl|alt|shift|super)\+)*(?:[!-+\-./:-~0-9]|f(?:[1-9]|1[0-9]|2[0-4])|[a-z]+(?:_[a-z]+)*)")
_SIGNLESS: Final = frozenset({
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "enter", "tab", "escape", "space",
})  # fmt: skip
"""Keys that have a name and no sign."""


def meet(one: str, other: str) -> bool:
    """Whether two commands act in one place, so that a key can be that of one of them only."""
    places = {_BY_ID[one].where, _BY_ID[other].where}
    if len(places) == 1 or not places.isdisjoint(_MAIN):
        return len(places) == 1 or (places <= set(_MAIN) and not places.isdisjoint(("everywhere", "tutor")))
    return "window" in places or ("list" in places and not places.isdisjoint(_LISTS))


def kept_by(name: str, key: str, others: Collection[str]) -> str:
    """Which command but the ``others`` is on this key in the table, where it would do something else than the command of this name; "" for none."""
    mine = _BY_ID[name]
    if any(same(key, own) for own in mine.keys):
        return ""
    there = (own for own in TABLE if own.id not in others and meet(name, own.id) and (own.own or own.does) != (mine.own or mine.does))
    return next((own.id for own in there if any(same(key, other) for other in own.keys)), "")


def same(one: str, other: str) -> bool:
    """Whether two words are one key: ``?`` is ``question_mark``."""
    return one == other or named(one) == named(other)


def is_key(word: str) -> bool:
    """Whether a key is written so: ``r``, ``?`` or ``question_mark``, ``f9``, ``ctrl+k``, ``pageup``."""
    _, last = parted(word)
    return bool(_KEY.fullmatch(word)) and (last in _SIGNLESS or re.fullmatch(r"f\d+", last) is not None or sign_of(last) != "")
