"""Where courses lie on disk, and their pages as they are read from there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from ..documents import Unfit, read_file
from ..errors import Refusal
from .folder import COURSE_FILE, Reading, read_course
from .places import lessons_root
from .problems import Problem
from .step import Course

MOST: Final = 1 << 20
"""Bytes of one page, course.toml or fault; a page that comes with netless has some ten thousand."""


def read_folder(folder: Path) -> Reading:
    """The course in a folder. A file that is not UTF-8 is a problem of that file alone."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix != ".md" and path.name != COURSE_FILE:
            continue
        try:
            texts[path.name] = _text(path)
        except (OSError, UnicodeDecodeError, Unfit) as error:
            problems.append(Problem(path.name, 1, f"this file cannot be read: {error}.", f"It must be UTF-8 text of at most {MOST >> 10} KiB."))
    reading = read_course(texts, str(folder))
    every = (*problems, *reading.problems)
    if reading.course is None:
        return Reading(None, every)
    return Reading(msgspec.structs.replace(reading.course, path=str(folder), problems=tuple(map(str, every))), every)


def read_root(root: Path) -> tuple[Reading, ...]:
    """Every course under ``root``: each folder with a course.toml, by name."""
    return tuple(read_folder(path.parent) for path in sorted(root.glob(f"*/{COURSE_FILE}")))


def shipped() -> tuple[Course, ...]:
    """The courses that come with netless and can be used, "container" first."""
    courses = [reading.course for reading in read_root(lessons_root()) if reading.course is not None and reading.course.lessons]
    return tuple(sorted(courses, key=lambda course: (course.id != "container", course.id)))


def every(own: str = "") -> tuple[Course, ...]:
    """The courses that come with netless, then those in the folder ``own`` ("" for none). Raises Refusal (2) for two of one name."""
    found = shipped()
    for course in [reading.course for reading in read_root(Path(own))] if own else []:
        if course is None or not course.lessons:
            continue
        if course.id in {other.id for other in found}:
            raise Refusal(f"two courses are called {course.id}: give the one in {course.path} another id in its {COURSE_FILE}")
        found = (*found, course)
    return found


def fault_texts() -> dict[str, str]:
    """The files of the faults that come with netless, by name. One that cannot be read is empty here, which its reader then says."""
    texts: dict[str, str] = {}
    for path in sorted((lessons_root() / "faults").glob("*.toml")):
        try:
            texts[path.name] = _text(path)
        except (OSError, UnicodeDecodeError, Unfit):
            texts[path.name] = ""
    return texts


def _text(path: Path) -> str:
    """A file's text, with lines as Python has them. Raises OSError, UnicodeDecodeError and Unfit."""
    return read_file(path, MOST).decode().replace("\r\n", "\n").replace("\r", "\n")
