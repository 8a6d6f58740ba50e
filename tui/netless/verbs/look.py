"""The verbs that only look: courses, snapshot, diagram."""

from __future__ import annotations

import os
import shutil

from netless_lab import protocol
from netless_lab.errors import Refusal
from netless_lab.model.snapshot import Node

from ..new_files import write_over
from ..options import Namespace
from ..printer import Exit, Printer, Styled, plural
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
        at = f"  (the lab is here, at {here})" if here.startswith(f"{course.id}/") else ""
        printer.say(Styled("bold", course.id), f"  {course.title}{at}")
        for lesson in course.lessons:
            printer.say(f"  {course.id}/{lesson.id:<12} {lesson.title}  ({plural(len(lesson.steps), 'step')})")
            for step in lesson.steps:
                printer.say(f"    {'●' if step.earned else '○'} {lesson.id}/{step.id:<16} {step.title}")
        for problem in course.problems:
            printer.narrate(f"  {problem}")
    return Exit.PASS


def snapshot(args: Namespace, printer: Printer) -> int:
    """The state of every node, as the kernel has it."""
    with joined(args) as client:
        state = client.ask(protocol.GetSnapshot())
    printer.document(state)
    for node in state.nodes:
        _node(node, printer)
    return Exit.PASS


def _node(node: Node, printer: Printer) -> None:
    named = f"  named {', '.join(node.names)}" if node.names else ""
    printer.row(Styled("bold", node.name), f"  {node.role}  net:[{node.netns}]{named}")
    for link in node.links:
        state = "up" if link.up and link.carrier else "up, no carrier" if link.up else "down"
        far = f" <-> {link.peer.node or '?'}:{link.peer.name}" if link.peer else ""
        port = f" port of {link.master}" if link.master else ""
        addresses = " ".join(own.cidr for own in link.addresses)
        printer.row(f"  {link.name:<10} {link.kind:<9} {state:<15}{far}{port} {addresses}")
    for route in node.routes:
        if route.family == 4:
            printer.row(f"  route {route.dst}" + (f" via {route.via}" if route.via else "") + (f" dev {route.dev}" if route.dev else ""))
    for chain in node.chains:
        for rule in chain.rules:
            printer.row(f"  rule {chain.family} {chain.table} {chain.name}: {rule.text}")


def diagram(args: Namespace, printer: Printer) -> int:
    """Draw the network: text, SVG, Mermaid or dot."""
    from netless_lab.model import printers, scene

    with joined(args) as client:
        state = client.ask(protocol.GetSnapshot())
    if args.mermaid:
        printer.raw(printers.mermaid(state))
        return Exit.PASS
    if args.dot:
        printer.raw(printers.dot(state))
        return Exit.PASS
    size = shutil.get_terminal_size((100, 30))
    width, height = args.width or min(size.columns, 120), args.height or max(size.lines - 2, 12)
    ascii_only = args.ascii or not printer.can_say("│") or "utf" not in os.environ.get("LC_ALL", os.environ.get("LC_CTYPE", os.environ.get("LANG", "utf"))).lower()
    drawn = scene.lay_out(state, width=width, height=height, glyphs=scene.ASCII if ascii_only else scene.UNICODE)
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
