"""A lesson page as a value: text in, ``Lesson`` out, or every problem with its line and a way out."""

from __future__ import annotations

import msgspec

from ..model.snapshot import Snapshot
from . import fields
from .items import causes, probe_nodes, read_action, read_expectation, read_probe
from .markdown import Page, Section, Table, read_table, split
from .outline import outline
from .problems import BadLesson, Report, did_you_mean
from .step import Lesson, Step
from .words import Item, items_of, objection, words_by_role, words_of

_PAGE_KEYS = ("id", "title", "format", "summary")
_STEP_KEYS = ("id", "do", "expect", "probe", "hint", "shell", "needs", "success", "undoes", "exact", "teaches")


def parse_lesson(text: str, file: str, world: Snapshot | None = None, name: str = "") -> Lesson:
    """Read a page. ``world`` is a sketch of the nodes that exist when the lesson begins; without it nodes are not checked. ``name`` is the id that
    the lesson must have, "" for any.

    Raises BadLesson with every problem found.
    """
    report = Report(file)
    page = split(text, report)
    lesson = _read(page, file, world, name, report)
    if not report.clean or lesson is None:
        raise BadLesson(report.problems)
    return lesson


def parse_translation(text: str, file: str, original: Lesson) -> Lesson:
    """A translated page: the same ids, prose only. Returns the lesson in the other language.

    Each heading carries its step's id in a ``toml step`` block, with ``hint`` and ``success`` if wished; the rest is the original's.
    """
    report = Report(file)
    page = split(text, report)
    front = read_table(page.front, report) if page.front else None
    title = summary = ""
    if front is not None and fields.check_format(front, "this page", report):
        fields.check_keys(front, _PAGE_KEYS, "a lesson's front matter", report)
        title = fields.text(front, "title", report, required='Give the translated title: title = "...".')
        summary = fields.text(front, "summary", report)
        if fields.text(front, "id", report, required=f'Write id = "{original.id}".') not in (original.id, ""):
            report.add(front.line("id"), "this page translates another lesson.", f'Write id = "{original.id}".')
    elif front is not None:
        raise BadLesson(report.problems)
    steps = {step.id: step for step in original.steps}
    done: dict[str, Step] = {}
    seen: dict[str, int] = {}
    for section in page.sections:
        own = _translated(section, steps, seen, report)
        if own is not None:
            done[own.id] = own
    for step in original.steps if page.front is not None or page.sections else ():
        if step.id not in done:
            report.add(1, f'the step "{step.id}" is not translated.', "Every step of the page needs its heading, prose and id.")
    if not report.clean:
        raise BadLesson(report.problems)
    every = tuple(done[step.id] for step in original.steps)
    return Lesson(original.id, title, page.intro or original.intro, every, file, summary or original.summary)


def _translated(section: Section, steps: dict[str, Step], seen: dict[str, int], report: Report) -> Step | None:
    table = read_table(section.block, report) if section.block else None
    if table is None:
        if section.block is None:
            report.add(section.line, f'nobody knows which step "{section.title}" translates.', 'Add a toml step block with its id = "...".')
        return None
    fields.check_keys(table, ("id", "hint", "success"), "a translated step", report)
    name = fields.text(table, "id", report, required="Copy the id from the original page.")
    step = steps.get(name)
    if step is None:
        if name:
            report.add(table.line("id"), f'the original has no step "{name}".', did_you_mean(name, steps, "Its steps"))
        return None
    if name in seen:
        report.add(table.line("id"), f'the step "{name}" is translated twice; the first is on line {seen[name]}.', "Leave one of the two out.")
    seen.setdefault(name, table.line("id"))
    _check_prose(section, name, report)
    hints, success = fields.texts(table, "hint", report) or step.hints, fields.text(table, "success", report) or step.success
    return msgspec.structs.replace(step, title=section.title, prose=section.prose, hints=hints, success=success, line=section.line)


def _check_prose(section: Section, name: str, report: Report) -> None:
    if not section.prose:
        report.add(section.line, f'the step "{name}" has no prose.', "Say in a sentence what to do and why, above the block.")


def _read(page: Page, file: str, world: Snapshot | None, name: str, report: Report) -> Lesson | None:
    front = read_table(page.front, report) if page.front else None
    lesson_id = title = summary = ""
    if front is not None:
        if not fields.check_format(front, "this page", report):
            return None
        fields.check_keys(front, _PAGE_KEYS, "a lesson's front matter", report)
        lesson_id = fields.identity(front, "Write a short id in the front matter: id = \"cable\".", report)
        if name and lesson_id not in (name, ""):
            report.add(front.line("id"), f'the page calls itself "{lesson_id}", its file says "{name}".', "Make the two agree.")
        title = fields.text(front, "title", report, required='Write title = "..." in the front matter.')
        summary = fields.text(front, "summary", report)
        if not page.sections:
            report.add(1, "this lesson has no steps.", "Every ## heading with a toml step block under it is a step.")
    steps: list[Step] = []
    seen: dict[str, int] = {}
    for section in page.sections:
        step, world = _step(section, seen, world, report)
        if step is not None:
            steps.append(step)
    return Lesson(lesson_id, title, page.intro, tuple(steps), file, summary)


def _step(section: Section, seen: dict[str, int], world: Snapshot | None, report: Report) -> tuple[Step | None, Snapshot | None]:
    """A step, and a sketch of the nodes after it: of ``world``, those before it, as long as every action is known."""
    if section.block is None:
        report.add(section.line, f'the heading "{section.title}" has no step block.',
                   "Add a ```toml step block under it, or make it ### if it is only prose.")
        return None, None
    table = read_table(section.block, report)
    if table is None:
        return None, None
    before = len(report.problems)
    fields.check_keys(table, _STEP_KEYS, "a step", report)
    step_id = fields.identity(table, 'Write id = "plug": progress is kept by it.', report)
    if step_id in seen:
        what = f'the id "{step_id}" is used twice; the first is on line {seen[step_id]}.'
        report.add(table.line("id"), what, "Give this step another id.")
    elif step_id:
        seen[step_id] = table.line("id")
    sound = len(report.problems)
    actions = fields.each(table, "do", read_action, report)
    after = outline(world, (item for _, item in actions)) if world is not None and len(report.problems) == sound else None
    expectations = fields.each(table, "expect", read_expectation, report)
    probes = fields.each(table, "probe", read_probe, report)
    step = Step(
        id=step_id,
        title=section.title,
        prose=section.prose,
        do=tuple(item for _, item in actions),
        expect=tuple(item for _, item in expectations),
        probes=tuple(item for _, item in probes),
        hints=fields.texts(table, "hint", report),
        shell=fields.text(table, "shell", report, default="host") or "host",
        needs=fields.needs(table, (item for _, item in actions), report),
        success=fields.text(table, "success", report),
        undoes=fields.texts(table, "undoes", report),
        exact=fields.texts(table, "exact", report),
        teaches=causes(table, "teaches", report),
        line=section.line,
    )
    called = step_id or section.title
    _check_prose(section, called, report)
    if len(report.problems) == before:
        _check_sense(step, table, report)
    _check_whole(called, table, report)
    if world is not None and after is not None:
        items: list[tuple[int, Item]] = [*actions, *expectations]
        named = [(line, name) for line, item in items for name in words_by_role((item,), "node")]
        named += [(line, name) for line, check in probes for name in probe_nodes(check)]
        _check_nodes([*named, (table.line("shell"), step.shell)], {node.name for sketch in (world, after) for node in sketch.nodes}, report)
    return step, after


def _check_whole(called: str, table: Table, report: Report) -> None:
    """What a step as a whole must have. What is there and cannot be read is in the report already."""
    lacks = {key for key in ("do", "expect", "probe", "hint") if table.values.get(key, []) == []}
    if "do" in lacks:
        report.add(table.line("do"), f'the step "{called}" does nothing.', 'Add do = [{ ... }]: how the tutor itself solves it.')
    if lacks >= {"expect", "probe"}:
        report.add(table.first, f'the step "{called}" checks nothing, so everybody passes it.', "Add expect = [{ ... }], or probe = [{ ... }].")
    if "hint" in lacks:
        advice = 'Write hint = ["..."]: what to look at. The last rung, the command itself, is added from "do".'
        report.add(table.line("hint"), f'the step "{called}" has no hint.', advice)


def _check_sense(step: Step, table: Table, report: Report) -> None:
    """What only a step that can be read in full can be asked."""
    if step.probes and not step.expect and all(check.demand == "observation" for check in step.probes):
        report.add(table.line("probe"),
                   f'the step "{step.id}" only observes that packets do not arrive, and an observation refuses nobody.',
                   'Add expect = [{ ... }]: what must be there; or write silence = "guard" where the silence is the goal itself.')
    spoken = {word.text for item in items_of(step) for word in words_of(item)}
    for index, name in enumerate(step.exact):
        if name not in spoken:
            report.add(table.line("exact", index), f'"exact" names "{name}", which the step never speaks of.', did_you_mean(name, spoken))


def _check_nodes(named: list[tuple[int, str]], known: set[str], report: Report) -> None:
    """Every node that a step speaks of is ``known`` by then. ``named`` are they, with their lines."""
    for line, name in named:
        if not report.refuse(line, objection("node", name)) and name not in known:
            report.add(line, f'there is no node "{name}" at this step.', did_you_mean(name, known, "Nodes"))
