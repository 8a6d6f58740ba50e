"""How one types netless where one is: the one place that words the commands of a sentence, for command line, JSON and screen. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from .early import lab_in

LABLESS: Final = ("doctor", "labs", "lint", "--")
"""How commands go on that act on no lab, whichever one is in."""
CHOSEN_FROM: Final = {"goto": r"[^/ ]+(?:/[^/ ]+)+", "reset": "step|lesson|lab"}
"""Verbs whose key opens a window to choose in, and what one chooses there: a rule of a firewall may say ``goto`` too."""
_OF_A_LAB: Final = rf"`netless(?=[ `])(?! (?:{'|'.join(LABLESS)}))"
_PROGRAM: Final = r"`netless(?=[ `])"


class Called(NamedTuple):
    """How one types netless here. ``lab`` is "" when a bare command acts on the lab in hand, else that lab. ``keys``: verbs, each with the key that does
    it where one is.
    """

    program: str = "netless"
    lab: str = ""
    keys: tuple[tuple[str, str], ...] = ()

    def told(self, text: str) -> str:
        """A sentence of the lab's about what can be done with it: its verbs by the keys that there are for them, and every other command as it is typed."""
        if self.keys and "`" in text:
            keys = dict(self.keys)
            text = re.sub(rf"`(?:netless )?({'|'.join(keys)})(?: ([^`]*))?`", lambda found: _by_key(found, keys), text)
        return self.typed(text)

    def typed(self, text: str) -> str:
        """A sentence whose commands (`` `netless down` ``) act, typed as they stand, on the lab in hand."""
        if "`netless" not in text:
            return text
        program = f"`{_quoted(self.program)}"
        named = re.sub(_OF_A_LAB, lambda _: f"{program} --lab {self.lab}", text) if self.lab else text
        return re.sub(_PROGRAM, lambda _: program, named)

    def document(self, value: object) -> object:
        """The same for every text of a JSON document."""
        if isinstance(value, str):
            return self.typed(value)
        if isinstance(value, dict):
            return {key: self.document(own) for key, own in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(own) for own in value]
        return value


def _by_key(found: re.Match[str], keys: Mapping[str, str]) -> str:
    """A verb by its key; what a window of it is to be told stands behind it. Whatever else has words behind it is a command."""
    verb, more = found[1], found[2] or ""
    if not more:
        return f"`{keys[verb]}`"
    return f"`{keys[verb]}` ({more})" if re.fullmatch(CHOSEN_FROM.get(verb, "(?!)"), more) else found[0]


def _quoted(program: str) -> str:
    """As a shell reads it again: the folder of a checkout may hold blanks, and whatever else acts there."""
    if re.fullmatch(r"[\w@%+=:,./-]+", program):
        return program
    import shlex  # most folders are plain

    return shlex.quote(program)


def called(lab: str, environment: Mapping[str, str]) -> Called:
    """How commands are named for one who is in ``lab``: ``./netless`` in a checkout that is not on the PATH, ``--lab`` where it is needed."""
    program = environment.get("NETLESS_CALLED", "netless")
    folder, _, name = program.rpartition("/")
    if folder in environment.get("PATH", "").split(":"):
        program = name
    return Called(program or "netless", "" if lab == lab_in(environment) else lab)
