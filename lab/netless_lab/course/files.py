"""Where courses lie on disk, and their pages as they are read from there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from ..documents import Unfit, read_file
from .catalog import Library, Unusable
from .folder import Reading, mistranslated, read_course, translated
from .places import COURSE_FILE, lessons_root
from .problems import Problem
from .step import Course

MOST: Final = 1 << 20
"""Bytes of one page, course.toml or fault; a page that comes with netless has some ten thousand."""
MOST_PAGES: Final = 200
"""Pages of one course, translations counted; "container" has five."""
MOST_IN_ALL: Final = 1 << 24
"""Bytes of all pages of one course: whoever lists courses reads every page of a stranger's folder."""


def read_folder(folder: Path, language: str = "", *, translations: bool = False) -> Reading:
    """The course in a folder, told in this ``language`` where it is translated. A file that is not UTF-8 is a problem of that file alone, and
    pages beyond what a course holds are not read. Of other ``translations`` the problems count only when that is asked for.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    pages = sorted(folder.glob("*.md"))
    left = MOST_IN_ALL
    for path in (*_head(folder), *pages[:MOST_PAGES]):
        try:
            read = read_file(path, MOST)
            if len(read) > left:
                problems.append(Problem(path.name, 1, *_too_much(f"larger than {MOST_IN_ALL >> 20} MiB together")))
                break
            left -= len(read)
            texts[path.name] = _text(read)
        except (OSError, UnicodeDecodeError, Unfit) as error:
            problems.append(Problem(path.name, 1, f"this file cannot be read: {error}.", f"It must be UTF-8 text of at most {MOST >> 10} KiB."))
    else:
        problems += [Problem(path.name, 1, *_too_much(f"more than {MOST_PAGES}")) for path in pages[MOST_PAGES : MOST_PAGES + 1]]
    reading = read_course(texts, str(folder))
    course = reading.course
    problems += reading.problems
    if course is not None and translations:
        problems += mistranslated(texts, course)
    if course is not None and language:
        other = translated(texts, course, language)
        course = other.course
        problems += other.problems if not translations else ()
    if course is not None:
        course = msgspec.structs.replace(course, path=str(folder), problems=tuple(map(str, problems)))
    return Reading(course, tuple(problems), str(folder))


def read_root(root: Path, language: str = "") -> tuple[Reading, ...]:
    """The course in ``root`` when it has a course.toml itself; else every course under it: each folder with a course.toml, by name."""
    if _head(root):
        return (read_folder(root, language),)
    return tuple(read_folder(path.parent, language) for path in sorted(root.glob(f"*/{COURSE_FILE}")))


def shipped() -> tuple[Course, ...]:
    """The courses that come with netless and can be used, "container" first."""
    return library().courses


def library(own: str = "", language: str = "") -> Library:
    """The courses that come with netless, "container" first, then those in the folder ``own`` ("" for none): one course, or one in each of its
    folders; told in this ``language`` where they are translated. One that cannot be read, or that is called as one before it, is ``unusable`` and
    leaves the others alone.
    """
    along = sorted(read_root(lessons_root(), language), key=lambda reading: (reading.course is None or reading.course.id != "container", reading.path))
    found = shelved((*along, *(read_root(Path(own), language) if own else ())), language)
    return msgspec.structs.replace(found, own=own)


def shelved(readings: Iterable[Reading], language: str = "") -> Library:
    """The courses of these readings, the first of each name, and those that cannot be used."""
    found: dict[str, Course] = {}
    unusable: list[Unusable] = []
    for reading in readings:
        course, problems = reading.course, tuple(map(str, reading.problems))
        name = course.id if course is not None else Path(reading.path).name
        if course is None or not course.lessons:
            unusable.append(Unusable(name, reading.path, problems))
        elif name in found:
            what = f'another course is called "{name}" too, the one in {found[name].path}.'
            unusable.append(Unusable(name, reading.path, (str(Problem(COURSE_FILE, 1, what, "Give this one another id.")), *problems)))
        else:
            found[name] = course
    return Library(tuple(found.values()), tuple(unusable), language)


def fault_texts() -> dict[str, str]:
    """The files of the faults that come with netless, by name. One that cannot be read is empty here, which its reader then says."""
    texts: dict[str, str] = {}
    for path in sorted((lessons_root() / "faults").glob("*.toml")):
        try:
            texts[path.name] = _text(read_file(path, MOST))
        except (OSError, UnicodeDecodeError, Unfit):
            texts[path.name] = ""
    return texts


def _head(folder: Path) -> tuple[Path, ...]:
    """The folder's course.toml, if it has one."""
    head = folder / COURSE_FILE
    return (head,) if os.path.lexists(head) else ()


def _too_much(why: str) -> tuple[str, str]:
    """What is said, with an advice, of the first page that is not read."""
    return f"this page and those after it are not read: the pages of this course are {why}.", "Make two courses of it."


def _text(read: bytes) -> str:
    """A file's text, with lines as Python has them. Raises UnicodeDecodeError."""
    return read.decode().replace("\r\n", "\n").replace("\r", "\n")
