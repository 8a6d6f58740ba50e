"""How one types netless where one is: the one place that words the commands of a sentence, for command line, JSON and screen. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from .early import lab_in

LABLESS: Final = ("doctor", "labs", "lint", "--")
"""How commands go on that act on no lab, whichever one is in."""
_OF_A_LAB: Final = rf"`netless(?=[ `])(?! (?:{'|'.join(LABLESS)}))"
_PROGRAM: Final = r"`netless(?=[ `])"


class Called(NamedTuple):
    """How one types netless here. ``lab`` is "" when a bare command acts on the lab in hand, else that lab."""

    program: str = "netless"
    lab: str = ""

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
