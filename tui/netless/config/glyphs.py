"""Whether all that is shown is to be plain ASCII: as it is set, or as the locale can. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .schema import GlyphChoice


def speaks_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale's characters are those of Unicode (locale(7): LC_ALL, else LC_CTYPE, else LANG); one that is not set is not told against."""
    named = next(filter(None, map(environment.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "utf8")
    return "utf8" in named.lower().replace("-", "")


def ascii_only(choice: GlyphChoice, environment: Mapping[str, str]) -> bool:
    """What a choice comes to here."""
    return choice == "ascii" or (choice == "auto" and not speaks_utf8(environment))
