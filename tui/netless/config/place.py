"""The file of settings as it lies on the disk, and who says what in the end: an option, the environment, the file, or nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from netless_lab.errors import Refusal

from ..key_names import named
from .colours import DARK, LIGHT, Palette, hard_to_read, read_palette
from .reading import Problem, Read, Wrong, near, read, taken_as
from .schema import SETTINGS, Settings, Value
from .shared import folder, path

OWN: Final = {own.name: own for own in (DARK, LIGHT)}
"""The palettes that come along."""


class Resolved(NamedTuple):
    """A setting as it counts: its value, and who says it: ``--theme``, ``NETLESS_THEME``, ``config.toml:3``, or ``default``."""

    name: str
    value: Value
    origin: str


class Checked(NamedTuple):
    """A file that was checked: what is wrong in it, and what can hardly be read in a theme, which is no fault."""

    file: str
    problems: tuple[Problem, ...]
    hard: tuple[str, ...] = ()


def read_file(file: str) -> Read:
    """What a file says, and what is wrong with it; nothing at all when there is none. Raises Refusal (2) for one that cannot be read."""
    try:
        found = read(_text(file))
    except (FileNotFoundError, NotADirectoryError):
        return Read({}, {}, ())
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refusal(_no_text(error).told(file)) from error
    lessons = found.said.get("lessons")
    if isinstance(lessons, str) and lessons:
        whole = os.path.join(os.path.dirname(file), os.path.expanduser(lessons))
        return found._replace(said={**found.said, "lessons": os.path.normpath(whole)})
    return found


def settings_in(file: str) -> Mapping[str, Value]:
    """What a file says. Raises Refusal (2) with its first problem."""
    return _sound(file).said


def _sound(file: str) -> Read:
    found = read_file(file)
    if found.problems:
        more = len(found.problems) - 1
        others = f" ({more} more: `netless config check`)" if more else ""
        raise Refusal(found.problems[0].told(file) + others, nearest=found.problems[0].nearest)
    return found


def resolve(environment: Mapping[str, str], options: Mapping[str, str]) -> tuple[Resolved, ...]:
    """Every setting as it counts. ``options`` are those that were given, by name. Raises Refusal (2) for a value that cannot be used."""
    file = path(environment)
    found = _sound(file) if file else Read({}, {}, ())
    out = []
    for own in SETTINGS:
        over = ((own.option, options.get(own.option)), (own.variable, environment.get(own.variable) or None))
        origin, words = next(((name, words) for name, words in over if words is not None), ("", ""))
        if origin:
            said = taken_as(own, words, strict=False)
            if isinstance(said, Wrong):
                raise Refusal(f"{origin} {words}: {said.text}", nearest=said.nearest)
            out.append(Resolved(own.name, said, origin))
        elif own.name in found.said:
            out.append(Resolved(own.name, found.said[own.name], f"{os.path.basename(file)}:{found.lines[own.name]}"))
        else:
            out.append(Resolved(own.name, own.default, "default"))
        if own.name == "theme" and (missing := no_theme(str(out[-1].value), environment)):
            raise Refusal(f"{origin or f'{file}:{found.lines[own.name]}'}: {missing.text}", nearest=missing.nearest)
    return tuple(out)


def settings(environment: Mapping[str, str], options: Mapping[str, str]) -> Settings:
    """The same as one value, keys as the screen's toolkit names them."""
    found = msgspec.convert({own.name: own.value for own in resolve(environment, options)}, Settings)
    return msgspec.structs.replace(found, keys={command: tuple(map(named, keys)) for command, keys in found.keys.items()})


def palettes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of a person's own palettes: their files in ``themes``."""
    try:
        files = os.listdir(os.path.join(folder(environment), "themes"))
    except OSError:
        return ()
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml") and name[:1] != "."))


def palette(name: str, environment: Mapping[str, str]) -> Palette:
    """A palette by its name: one of the two that come along, or a person's own. Raises Refusal (2) for one that is not there or cannot be used."""
    if name in OWN:
        return OWN[name]
    if missing := no_theme(name, environment):
        raise Refusal(missing.text, nearest=missing.nearest)
    file, found, problems = _own_palette(name, environment)
    if problems:
        raise Refusal(problems[0].told(file), nearest=problems[0].nearest)
    return found


def no_theme(name: str, environment: Mapping[str, str]) -> Wrong | None:
    """What is wrong with a theme that is set: there is none of this name."""
    if name == "auto" or name in OWN:
        return None
    known = ("auto", *OWN, *palettes(environment))
    return None if name in known else Wrong(f"there is no theme {name}; there are: {', '.join(known)}", near(name, known))


def check(environment: Mapping[str, str]) -> tuple[Checked, ...]:
    """The file of settings and those of a person's own themes, as they lie there. Raises Refusal (2) for settings that cannot be read."""
    file = path(environment)
    said, lines, problems = read_file(file)
    if missing := no_theme(str(said.get("theme", "auto")), environment):
        problems = tuple(sorted((*problems, Problem(lines["theme"], *missing))))
    out = [Checked(file, problems)] if os.path.exists(file) else []
    for name in palettes(environment):
        own, found, problems = _own_palette(name, environment)
        out.append(Checked(own, problems, () if problems else hard_to_read(found)))
    return tuple(out)


def _own_palette(name: str, environment: Mapping[str, str]) -> tuple[str, Palette, tuple[Problem, ...]]:
    """The file of a palette, what it says, and what is wrong with it."""
    file = os.path.join(folder(environment), "themes", f"{name}.toml")
    try:
        return file, *read_palette(name, _text(file))
    except OSError as error:
        return file, DARK, (Problem(1, str(error.strerror)),)
    except UnicodeDecodeError as error:
        return file, DARK, (_no_text(error),)


def _text(file: str) -> str:
    with open(file, "rb") as opened:
        return opened.read().decode()


def _no_text(error: UnicodeDecodeError) -> Problem:
    return Problem(error.object.count(b"\n", 0, error.start) + 1, "this is no text in UTF-8")
