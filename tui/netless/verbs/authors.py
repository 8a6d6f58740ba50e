"""The verb for authors: lint reads a lesson or course, then proves every step in a throwaway lab."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from netless_lab import labs
from netless_lab.client import Client
from netless_lab.course.files import read_folder
from netless_lab.course.places import COURSE_FILE
from netless_lab.errors import Refusal
from netless_lab.protocol import Down, Hello, Prove, Proven

from ..options import Namespace
from ..printer import Exit, Printer
from ..say.counted import plural


class Linted(msgspec.Struct, frozen=True):
    """One course in the document: ``course`` is its id, or its folder when it has none."""

    course: str
    problems: tuple[str, ...]
    proven: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def lint(args: Namespace, printer: Printer) -> int:
    """Every problem with file, line and a way out; then the proof, step by step."""
    folders = _folders(Path(args.path))
    lesson = Path(args.path).name if Path(args.path).is_file() and Path(args.path).suffix == ".md" else ""
    worst = Exit.PASS
    documents: list[Linted] = []
    for folder in folders:
        document = _lint(folder, lesson, args.static, printer)
        documents.append(document)
        if document.problems:
            worst = Exit.USAGE
    printer.document({"courses": documents})
    return worst


def _lint(folder: Path, lesson: str, static: bool, printer: Printer) -> Linted:
    reading = read_folder(folder, translations=True)
    problems, proof = tuple(map(str, reading.problems)), Proven((), ())
    course = reading.course
    if course is not None and course.lessons and not static:
        wanted = [known.id for known in course.lessons if not lesson or Path(known.path).name == lesson]
        count = sum(len(known.steps) for known in course.lessons if known.id in wanted)
        printer.narrate(f"proving {plural(count, 'step')} of {course.id} ...")
        proof = _prove(folder, wanted)
        problems += proof.problems
    for problem in problems:
        printer.say(problem)
    for place, why in proof.skipped:
        printer.say(f"{place}: skipped, {why}")
    if course is not None:
        counted = plural(sum(len(known.steps) for known in course.lessons), "step")
        how = "" if static else f", {len(proof.proven)} proven"
        printer.say(f"{course.id}: {plural(len(course.lessons), 'lesson')}, {counted}{how}, {plural(len(problems), 'problem')}")
    return Linted(course.id if course else str(folder), problems, proof.proven, proof.skipped)


def _folders(path: Path) -> list[Path]:
    if not path.exists():
        raise Refusal(f"there is no {path}: give a course's folder, one of its lessons, or a folder of courses")
    if path.is_file():
        return [path.parent]
    if (path / COURSE_FILE).exists():
        return [path]
    folders = sorted(own.parent for own in path.glob(f"*/{COURSE_FILE}"))
    if not folders:
        raise Refusal(f"{path} holds no {COURSE_FILE}: a course is a folder with a {COURSE_FILE} and its lessons beside it")
    return folders


def _prove(folder: Path, lessons: list[str]) -> Proven:
    lab = f"lint-{os.getpid()}"
    sock = labs.start(lab, folder=str(folder.resolve()), keep_progress=False)
    with Client(sock, Hello(client="cli", lab=lab)) as client:
        try:
            return client.ask(Prove(tuple(lessons)))
        finally:
            client.ask(Down())
