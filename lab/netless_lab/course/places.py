"""Where courses lie, and in which language they are told: the one that was asked for, else the one that the person's other programs speak.

Apart from ``files``, so that who only starts a lab need not load what reads them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..errors import Refusal

if TYPE_CHECKING:
    from pathlib import Path

COURSE_FILE: Final = "course.toml"
"""What makes a folder a course, with its lessons beside it."""
LESSONS: Final = "NETLESS_LESSONS"
"""An environment variable: a folder of courses that are there beside those that come with netless; ``--lessons`` sets it."""


def lessons_root() -> Path:
    """The folder of the courses that come with netless: inside the wheel, else in the checkout."""
    from pathlib import Path  # most verbs ask for no folder

    package = Path(__file__).resolve().parent.parent
    inside = package / "_lessons"
    return inside if inside.is_dir() else package.parent.parent / "lessons"


def own_root(environ: Mapping[str, str]) -> str:
    """The folder of the learner's own courses, absolute; "" for none. Raises Refusal (2) when it is named and is no folder."""
    named = environ.get(LESSONS, "")
    if named and not os.path.isdir(named):
        raise Refusal(f"{named} is no folder: {LESSONS} and --lessons name one in which each course has a folder with a course.toml")
    return os.path.abspath(named) if named else ""


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
