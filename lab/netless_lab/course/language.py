"""In which language lessons are told: the one that was asked for, else the one that the person's other programs speak. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..errors import Refusal

LANGUAGE: Final = "NETLESS_LANG"
"""An environment variable: the language of lessons, as ``zh`` or ``pt-BR``; ``--lang`` sets it."""
FORM: Final = r"[a-z]{2,3}(?:-[a-zA-Z]+)?"
"""How a language is written, as in the name of a page: ``02-cable.pt-BR.md``."""
_LOCALE: Final = re.compile(r"(?P<language>[a-z]{2,3})(?:_(?P<country>[A-Z]+))?(?:[.@].*)?")


def spoken(environ: Mapping[str, str]) -> str:
    """The language of lessons, "" for the one that they were written in. Raises Refusal (2) for one that was named and is none.

    The locale counts as it does for messages (locale(7)): LC_ALL, else LC_MESSAGES, else LANG.
    """
    if named := environ.get(LANGUAGE, ""):
        if not re.fullmatch(FORM, named):
            raise Refusal(f"{named!r} is no language: {LANGUAGE} and --lang name one as pages do, `zh` or `pt-BR`")
        return named
    locale = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    found = _LOCALE.fullmatch(locale)
    return "-".join(filter(None, found.groups())) if found else ""


def choices(language: str) -> tuple[str, ...]:
    """Which translations will do, the best first: ``pt-BR``, then ``pt``."""
    return tuple(dict.fromkeys((language, language.partition("-")[0]))) if language else ()
