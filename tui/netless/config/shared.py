"""Settings that more than the tutor goes by: every command, and the lab it starts. They are handed on as environment variables, as if said there.

Read before a verb is known, so nothing that takes time is imported, and a file that sets none of them is not parsed.
"""

from __future__ import annotations

import os

from ..early import LAB_VARIABLE

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from typing import Final

    from netless_lab.errors import Refusal

VARIABLES: Final = {"lab": LAB_VARIABLE, "lessons": "NETLESS_LESSONS", "language": "NETLESS_LANG"}
"""Setting -> the variable that says it."""
NAMES: Final = frozenset({*VARIABLES, "theme", "glyphs", "plain", "animations", "mouse", "scrollback", "dialect", "keys"})
"""Every setting there is, as the schema has them."""
_STARTS: Final = (b"lab", b"les", b"lan")
"""How a line begins that may set one of them, well written or not."""


def folder(environment: Mapping[str, str]) -> str:
    """Where a person's settings lie (XDG Base Directory Specification: a relative path there is not heeded); "" for one who has no home."""
    base = environment.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        home = environment.get("HOME", "")
        base = os.path.join(home, ".config") if os.path.isabs(home) else ""
    return os.path.join(base, "netless") if base else ""


def path(environment: Mapping[str, str]) -> str:
    """The file of settings, whether there is one or not; "" for a person who has no home."""
    own = folder(environment)
    return os.path.join(own, "config.toml") if own else ""


def hand_on(environment: MutableMapping[str, str]) -> Refusal | None:
    """Put what the file says of them into the environment, where nothing else is said; answers why the file cannot be used."""
    file = path(environment)
    try:
        with open(file, "rb") as opened:
            data = opened.read()
    except OSError:
        return None  # no file, or one that is told of by those who need more of it
    if not any(line.lstrip(b" \t\"'").startswith(_STARTS) for line in data.splitlines()):
        return None
    said = _plainly(data)
    if said is None:
        from netless_lab.errors import Refusal

        from .place import settings_in

        try:
            said = settings_in(file)
        except Refusal as refused:
            return refused
    for name, variable in VARIABLES.items():
        if value := said.get(name):
            environment[variable] = environment.get(variable) or str(value)
    return None


def _plainly(data: bytes) -> Mapping[str, object] | None:
    """What a file says in which every name is right and nothing has to be reckoned; None for one that is to be read by the schema, which takes longer."""
    import tomllib

    try:
        said = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    plain = all(isinstance(said.get(name, ""), str) for name in VARIABLES) and "lessons" not in said
    return said if plain and NAMES.issuperset(said) else None
