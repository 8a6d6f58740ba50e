"""Looking for words in the text of a pane: what is typed, which of the places found is looked at, and the line that says both."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, Literal

import msgspec

from ...commands.table import BY_ID, key_of
from ...say.text import Look, Text, joined, keyed

Did = Literal["typed", "next", "previous", "ended", "none"]
"""What a key did to a search; "none": it was kept from everybody else, and did nothing."""
BEGIN: Final = BY_ID["search"].keys
"""Keys that begin a search."""
LONGEST: Final = 200
"""So many characters are looked for at most. A file that is pasted into a terminal that tells no paste from typing comes as keys, and each is worked out."""
_MOVES: Final[dict[str, Did]] = {"n": "next", "N": "previous"}
_ARROWS: Final[dict[str, Did]] = {"down": "next", "up": "previous"}
FOUND: Final[Look] = "underlined"
LOOKED_AT: Final[Look] = "reversed"
"""How places found look, and the one that is looked at: told apart without colours too."""


class Search(msgspec.Struct):
    """A search in one pane. ``at`` counts the places ``found`` from 0."""

    words: str = ""
    typing: bool = True
    at: int = 0
    found: int = 0

    def key(self, key: str, character: str | None) -> Did | None:
        """What this key does; None when it is not the search's."""
        if key == "escape":
            return "ended"
        if not self.typing:
            if key in BEGIN:
                self.words, self.typing = "", True
                return "typed"
            return _MOVES.get(key)
        if key == "enter":
            self.typing = False
            return "none" if self.found else "ended"
        if key in ("backspace", "ctrl+h"):
            self.words = self.words[:-1]
            return "typed"
        if character is not None and character.isprintable():
            if len(self.words) == LONGEST:
                return "none"
            self.words += character
            return "typed"
        return _ARROWS.get(key, "none" if key in ("left", "right", "home", "end") else None)

    def paste(self, text: str) -> bool:
        """Take the first line of what was pasted as typed; False when nothing is typed just now."""
        if self.typing:
            first = next(iter(text.splitlines()), "")
            self.words = (self.words + "".join(filter(str.isprintable, first)))[:LONGEST]
        return self.typing

    def move(self, did: Did) -> None:
        """To the next place, or the one before; round at the ends."""
        if self.found and did in ("next", "previous"):
            self.at = (self.at + (1 if did == "next" else -1)) % self.found

    @property
    def line(self) -> Text:
        """What is looked for, how many there are, and the keys."""
        said = (f"{self.at + 1} of {self.found}" if self.found else "not found") if self.words else "type what to look for"
        keys = {"Enter": "done", "Esc": "leave"} if self.typing else {"n": "next", "N": "previous", "Esc": "leave"}
        return joined((key_of(BY_ID["search"]), "strong", "accent"), self.words, ("█" if self.typing else "", "accent"), (f"  {said}  ", "muted")) + keyed(keys, " ")


def occurrences(text: str, words: str) -> list[tuple[int, int]]:
    """Where words are in a text, as half-open ranges. Small letters find capitals too.

    A blank stands for any gap, that of a line that was broken too; and a line may be broken between characters that are not ASCII.
    """
    words = words.strip()
    if not words:
        return []
    pattern = re.escape(words[0])
    for before, after in pairwise(words):
        if after.isspace():
            pattern += "" if before.isspace() else r"\s+"
        else:
            pattern += (r"\s*" if not (before.isascii() and after.isascii()) else "") + re.escape(after)
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE if words == words.lower() else 0)]
