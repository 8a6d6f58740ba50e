"""The verbs that only look: courses, snapshot, diagram."""

from __future__ import annotations

import os
import shutil

from netless_lab import protocol
from netless_lab.errors import Refusal

from ..new_files import write_over
from ..options import Namespace
from ..printer import Exit, Printer
from ..say.detail import listing
from ..say.places import catalogue
from . import courses as known_courses
from . import find, joined


def courses(args: Namespace, printer: Printer) -> int:
    """Courses, lessons and steps, with ticks and the place where it stands when a lab runs. Needs no lab."""
    client, here = find(args.lab), ""
    if client is not None:
        with client:
            views = client.ask(protocol.GetCourses())
            here = client.ask(protocol.GetStatus()).position
    else:
        from netless_lab.session.pages import course_views

        views = course_views(known_courses())
    printer.document(views)
    for course in views:
        for row in catalogue(course, here):
            printer.say(row)
        for problem in course.problems:
            printer.narrate(f"  {problem}")
    return Exit.PASS


def snapshot(args: Namespace, printer: Printer) -> int:
    """The state of every node, as the kernel has it."""
    with joined(args) as client:
        state = client.ask(protocol.GetSnapshot())
    printer.document(state)
    for node in state.nodes:
        for row in listing(node):
            printer.row(row)
    return Exit.PASS


def diagram(args: Namespace, printer: Printer) -> int:
    """Draw the network: text, SVG, Mermaid or dot."""
    from netless_lab.model import printers, scene

    from ..config.glyphs import ascii_only
    from ..config.place import settings

    with joined(args) as client:
        state = client.ask(protocol.GetSnapshot())
    if args.mermaid or args.dot:
        form, write = ("mermaid", printers.mermaid) if args.mermaid else ("dot", printers.dot)
        printer.document({form: write(state)})
        printer.say(write(state))
        return Exit.PASS
    size = shutil.get_terminal_size((100, 30))
    width, height = args.width or min(size.columns, 120), args.height or max(size.lines - 2, 12)
    plain = args.ascii or not printer.can_say("│") or ascii_only(settings(args.environment, args.options).glyphs, os.environ)
    drawn = scene.lay_out(state, width=width, height=height, glyphs=scene.ASCII if plain else scene.UNICODE)
    text = printers.text(drawn)
    if args.svg == "-":
        if printer.as_json:
            raise Refusal("--json and an SVG picture cannot share stdout: name a file")
        printer.raw(printers.svg(drawn))
        return Exit.PASS
    if args.svg:
        write_over(args.svg, printers.svg(drawn).encode(errors="replace"))
        printer.say(f"wrote {args.svg}")
    else:
        printer.say(text)
    printer.document({"width": width, "height": height, "text": text, "svg": args.svg})
    return Exit.PASS
