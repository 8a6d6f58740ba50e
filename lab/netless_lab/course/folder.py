"""A course folder as a value: ``course.toml`` and its pages become a ``Course``. A broken page does not take the others with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from . import fields
from .bind import settled
from .markdown import Block, Table, read_table
from .outline import outline, start
from .parse import parse_lesson, parse_translation
from .places import COURSE_FILE, FORM, choices
from .problems import BadLesson, Problem, Report, did_you_mean
from .step import Course, Lesson, World
from .world import read_fault_nodes, read_world

_PAGE = re.compile(rf"^(?:\d+-)?(?P<id>[a-z0-9-]+?)(?:\.(?P<language>{FORM}))?\.md$")
_KEYS = ("format", "id", "title", "about", "lessons", "world", "faults")
MOST_LESSONS = 200
"""More than any course has; what is more than that was written by a program, to keep its readers busy."""


class Reading(msgspec.Struct, frozen=True):
    """What came of reading a folder, ``path``: a course with the lessons that are sound, and every problem, theirs and the others'."""

    course: Course | None
    problems: tuple[Problem, ...]
    path: str = ""


def read_course(files: Mapping[str, str], path: str = "") -> Reading:
    """Read a course from its files, name to text. ``course`` is None when ``course.toml`` itself cannot be used."""
    report = Report(COURSE_FILE)
    if COURSE_FILE not in files:
        report.add(1, "this folder has no course.toml.", 'It names the course: format = 1, id, title, about, lessons = ["..."].')
        return Reading(None, report.problems)
    table = read_table(Block(files[COURSE_FILE], 1), report)
    if table is None or not fields.check_format(table, "this course", report):
        return Reading(None, report.problems)
    head = _head(table, report)
    names = fields.texts(table, "lessons", report)
    if not names:
        report.add(table.line("lessons"), "this course lists no lessons.", 'Write lessons = ["first", "second"], by their ids.')
    if not report.clean:
        return Reading(None, report.problems)
    lessons, problems = _lessons(table, names, files, head.world, report)
    course = msgspec.structs.replace(head, lessons=lessons, path=path, problems=tuple(map(str, problems)))
    return Reading(course, problems)


def _head(table: Table, report: Report) -> Course:
    fields.check_keys(table, _KEYS, "a course", report)
    course_id = fields.identity(table, 'Write id = "container": the folder\'s name will do.', report)
    title = fields.text(table, "title", report, required='Write title = "...".')
    about = fields.text(table, "about", report, required='Write about = "...": one sentence for the list of courses.')
    return Course(course_id, title, about, (), read_world(table, report), fault_nodes=read_fault_nodes(table, report))


def _lessons(
    table: Table, names: tuple[str, ...], files: Mapping[str, str], world: World, report: Report
) -> tuple[tuple[Lesson, ...], tuple[Problem, ...]]:
    """The sound lessons in order, and the problems of all."""
    if len(names) > MOST_LESSONS:
        report.add(table.line("lessons"), f"{len(names)} lessons are more than a course can have.", f"At most {MOST_LESSONS} are; make two courses of it.")
        names = names[:MOST_LESSONS]
    pages = _pages(files)[""]
    sketch = start(world)
    whole = True
    lessons: list[Lesson] = []
    called: dict[str, str] = {}
    taught: dict[str, str] = {}
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, name in enumerate(names):
        line = table.line("lessons", index)
        if name in seen:
            report.add(line, f'the lesson "{name}" is listed twice.', "Leave one of them out.")
            continue
        seen.add(name)
        file, *others = pages.get(name, ("",))
        if not file:
            near = did_you_mean(name, pages, "")
            advice = near if near.startswith("Did") else f"Write the page {index + 1:02d}-{name}.md."
            report.add(line, f'there is no page for the lesson "{name}".', advice)
            whole = False
            continue
        problems.extend(_second_pages(name, file, others))
        try:
            lesson = parse_lesson(files[file], file, sketch if whole else None, name)
            lesson, own = _refer(lesson, called, whole=whole)
        except BadLesson as error:
            problems.extend(error.problems)
            whole = False
            continue
        if others:
            whole = False
            continue
        problems.extend(_taught_before(lesson, taught))
        called |= own
        lessons.append(lesson)
        sketch = outline(sketch, (action for step in lesson.steps for action in step.do))
    for name, file in ((name, file) for name, found in pages.items() if name not in names for file in found):
        report.add(table.line("lessons"), f"the page {file} is in no lesson list.", f'Add "{name}" to lessons, or move the page away.')
    return settled(lessons, start(world)), (*report.problems, *problems)


def _refer(lesson: Lesson, earlier: Mapping[str, str], *, whole: bool) -> tuple[Lesson, dict[str, str]]:
    """The lesson with every entry of ``undoes`` written as ``lesson/step``, and what its own steps are called, which ``earlier`` has of all before.

    Bare ids look in the own lesson first, then backwards.
    """
    problems: list[Problem] = []
    steps = []
    own: dict[str, str] = {}
    for step in lesson.steps:
        resolved = []
        for name in step.undoes:
            found = own.get(name) or earlier.get(name)
            if found:
                resolved.append(found)
            elif whole:
                advice = did_you_mean(name, (*own, *earlier)) or "There is no step before this one."
                problems.append(Problem(lesson.path, step.line, f'"undoes" names "{name}", and no earlier step is called so.', advice))
        steps.append(msgspec.structs.replace(step, undoes=tuple(resolved)))
        full = f"{lesson.id}/{step.id}"
        own |= {step.id: full, full: full}
    if problems:
        raise BadLesson(tuple(problems))
    return msgspec.structs.replace(lesson, steps=tuple(steps)), own


def _taught_before(lesson: Lesson, taught: dict[str, str]) -> Iterator[Problem]:
    """Causes that an earlier step, or this lesson's own, teaches already: Why can send people to one step only. Its own join those ``taught``."""
    for step in lesson.steps:
        for code in step.teaches:
            if code in taught:
                what = f'"teaches" names "{code}", which {taught[code]} teaches already.'
                yield Problem(lesson.path, step.line, what, "Leave it to one of the two: Why sends people to one step.")
            taught.setdefault(code, f"{lesson.id}/{step.id}")


def translated(files: Mapping[str, str], course: Course, language: str) -> Reading:
    """The course in another language: ``02-cable.zh.md`` beside ``02-cable.md``. Lessons without a page that will do stay as they are."""
    problems: list[Problem] = []
    pages = _pages(files)
    lessons = []
    for lesson in course.lessons:
        file, *others = next((found for own in choices(language) if (found := pages.get(own, {}).get(lesson.id))), ("",))
        told = lesson
        try:
            told = parse_translation(files[file], file, lesson) if file else lesson
        except BadLesson as error:
            problems.extend(error.problems)
        problems.extend(_second_pages(lesson.id, file, others))
        lessons.append(lesson if others else told)
    return Reading(msgspec.structs.replace(course, lessons=tuple(lessons)), tuple(problems))


def mistranslated(files: Mapping[str, str], course: Course) -> tuple[Problem, ...]:
    """What is wrong with any translation of a sound lesson, and pages that translate no lesson of this course, sound or not."""
    problems: list[Problem] = []
    pages = _pages(files)
    lessons = pages.pop("")
    for name, (file, *others) in ((name, found) for language in pages.values() for name, found in language.items()):
        lesson = course.lesson(name)
        problems.extend(_second_pages(name, file, others))
        if name not in lessons:
            problems.append(Problem(file, 1, f'this page translates the lesson "{name}", and there is none.', did_you_mean(name, lessons, "Lessons")))
        elif lesson is not None:
            try:
                parse_translation(files[file], file, lesson)
            except BadLesson as error:
                problems.extend(error.problems)
    return tuple(problems)


def _pages(files: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """The pages by language, "" being their own, and lesson: of each there should be one."""
    pages: dict[str, dict[str, list[str]]] = {"": {}}
    for file in sorted(files):
        if found := _PAGE.match(file):
            pages.setdefault(found["language"] or "", {}).setdefault(found["id"], []).append(file)
    return pages


def _second_pages(name: str, first: str, others: Iterable[str]) -> Iterator[Problem]:
    """Pages of a name that another has already: nobody can know which is meant."""
    for file in others:
        yield Problem(file, 1, f'"{name}" is the page {first} already.', "Leave one of the two out, or give this one a name of its own.")
