"""The verbs about what was done: progress (show, take along, bring back) and history (written down)."""

from __future__ import annotations

import sys

import msgspec

from netless_lab import labs
from netless_lab.course.progress import MOST, BadProgress, CourseRecord, Progress, decode, encode
from netless_lab.errors import Refusal
from netless_lab.protocol import GetHistory

from ..new_files import write_over
from ..options import Namespace
from ..printer import Exit, Printer, quieted
from ..say.changes import noted
from ..say.progress import drilled, kept_of
from . import courses, joined


def progress(args: Namespace, printer: Printer) -> int:
    """Show, export to a file (or stdout), or import from a file (or stdin)."""
    kept = labs.progress_of(args.lab)
    if args.what == "import":
        return _import(args, printer)
    if args.what == "export":
        if args.file:
            write_over(args.file, quieted(encode(kept).decode()).encode())
            printer.narrate(f"wrote {args.file}")
        else:
            printer.raw_document(encode(kept).decode().rstrip("\n"))
        return Exit.PASS
    printer.document(msgspec.to_builtins(kept))
    for name, record in kept.courses.items():
        for row in kept_of(name, record):
            printer.say(row)
    if kept.drills:
        printer.say("drills:")
    for drill in kept.drills:
        printer.say(drilled(drill))
    if not kept.courses:
        printer.say("nothing is earned yet")
    return Exit.PASS


def history(args: Namespace, printer: Printer) -> int:
    """What was done in the lab, as a list, a shell script or Markdown notes."""
    with joined(args) as client:
        told = client.ask(GetHistory())
    if printer.as_json:
        printer.document(told.entries)
        return Exit.PASS
    if args.script or args.markdown:
        printer.raw((told.script if args.script else told.markdown).rstrip("\n"))
        return Exit.PASS
    for entry in told.entries:
        printer.row(noted(entry))
    return Exit.PASS


def _import(args: Namespace, printer: Printer) -> int:
    if labs.connect(args.lab) is not None:
        raise Refusal(f"the lab {args.lab} is running: end it with `netless down` first, then import")
    with open(args.file, "rb") if args.file else sys.stdin.buffer as source:
        data = source.read(MOST + 1)  # one more than can be progress
    try:
        incoming = decode(data)
    except BadProgress as error:
        raise Refusal(f"{args.file or 'the input'} cannot be imported: {error}") from error
    known, unknown = _sorted_out(incoming)
    if unknown and not known.drills and not any(record.steps for record in known.courses.values()):
        raise Refusal(f"nothing was imported: no course here has {', '.join(unknown)}")
    labs.keep_progress(args.lab, labs.progress_of(args.lab).merged(known))
    printer.document({"lab": args.lab, "imported": known, "refused": unknown})
    printer.say("imported: ticks of both are kept")
    if unknown:
        printer.narrate(f"left out, for no course here has {'it' if len(unknown) == 1 else 'them'}: {', '.join(unknown)}")
    return Exit.PASS


def _sorted_out(incoming: Progress) -> tuple[Progress, tuple[str, ...]]:
    """What the courses here know of it, and the steps (or courses) that none of them has."""
    from netless_lab.course.step import positions

    places = {course.id: {place.key for place in positions(course)} for course in courses().courses}
    kept: dict[str, CourseRecord] = {}
    unknown: list[str] = []
    for name, record in incoming.courses.items():
        here = places.get(name, set())
        standing = (record.position,) if record.position is not None else ()
        unknown += [f"{name}/{place}" for place in dict.fromkeys((*record.steps, *standing)) if place not in here]
        steps = {place: step for place, step in record.steps.items() if place in here}
        position = record.position if record.position in here else None
        if name in places:
            kept[name] = CourseRecord(steps, position, record.bindings)
    return msgspec.structs.replace(incoming, courses=kept), tuple(unknown)
