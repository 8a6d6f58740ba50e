"""What the screen tells by signs, places and a picture, in words alone: for readers that speak and for terminals of any width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from netless_lab.course.ending import not_done
from netless_lab.course.verdict import Item, ItemResult, Verdict
from netless_lab.model.gates import gates_of, leads_out
from netless_lab.model.needs import unable
from netless_lab.model.snapshot import Link, Snapshot
from netless_lab.model.telling import the
from netless_lab.primitives.base import DIALECTS
from netless_lab.protocol import CourseView, StepView

from ..desk.view import View, passed_by
from .check import scored
from .counted import listed, plural
from .detail import GATE_STATES, GATE_WORDS
from .lesson import mark, to_come
from .prose import blocks_of
from .status import broken
from .text import EMPTY, Block, Blocks, Row, blanks, joined, plain, ticked

WELCOME: Final = (
    "This is netless, line by line. A word such as `check`, `hint`, `next`, `run` or `help` is for the tutor; any other line is run in a node of the lab."
)
HOLDS: Final[Mapping[ItemResult, str]] = {
    "pass": "Holds: ", "fail": "Not yet: ", "error": "Cannot be judged: ", "waiting": "Waited for: ", "unknown": "Cannot be told: ", "ahead": "Ahead: ",
    "lapsed": "Gone: ",
}  # fmt: skip
"""How a condition stands, in front of it."""


def step(view: View, width: int) -> Blocks:
    """The step that one is at, as a page: where it is, what is told, what can be typed. While something is broken on purpose, what is told of that."""
    status = view.status
    if status is None:
        return ()
    page, fault = status.page, status.fault
    if fault is not None:
        return (Block(ticked(place(view))), *(Block(joined(f"Hint {number}: ", ticked(hint))) for number, hint in enumerate(fault.hints_open, 1)))
    out = [EMPTY, Block(joined((page.title, "strong"))), Block(plain(place(view))), EMPTY]
    for notice in (*filter(None, (unable(page.lacks),)), *status.notices):
        out += [Block(joined("Notice: ", ticked(notice))), EMPTY]
    return (*out, *_unruled(blocks_of(page.prose, width)), EMPTY, *commands(view))


def place(view: View) -> str:
    """Where one is, in a sentence."""
    status = view.status
    if status is None:
        return "The lab is not there yet."
    if status.fault is not None:
        told = broken(status.fault)
        return f"{told[0].upper()}{told[1:]}"
    page = status.page
    return f"Step {page.number} of {page.of} in the lesson {page.lesson_title}, course {status.course.title}. It is about {the(page.shell)}."


def commands(view: View) -> Blocks:
    """What can be typed for the step, in the dialect in hand."""
    status = view.status
    if status is None or not view.commands:
        return ()
    others = [name for name in DIALECTS if name != view.dialect and any(own.dialect == name for own in status.page.commands)]
    more = f" (`dialect` tells them in {' or '.join(others)})" if others else ""
    head = joined("To do it yourself, in ", view.dialect, ticked(f"{more}:"))
    lines = (Block(plain(line, "command"), first=blanks(2), rest=blanks(4)) for line in view.commands)
    return (Block(head), *lines, *to_come(view.commands))


def conditions(verdict: Verdict | None) -> Iterator[Block]:
    """Each condition with how it stands, and of what does not hold yet what is expected, seen, and how to look."""
    if verdict is None:
        yield Block(plain("Nothing was judged yet."))
        return
    yield Block(scored(verdict))
    for item in verdict.items:
        yield Block(joined((HOLDS[item.result], "strong"), ticked(item.claim)))
        yield from _why(item)
    for text in verdict.extras:
        yield Block(joined("Also there: ", ticked(text)))


def _why(item: Item) -> Iterator[Block]:
    if item.result == "pass":
        return
    if item.near:
        yield Block(ticked(item.near), first=blanks(2))
    for label, text in (("Expected: ", item.expected), ("Seen: ", item.seen)):
        if text:
            yield Block(joined(label, ticked(text)), first=blanks(2), rest=blanks(4))
    if item.look:
        yield Block(joined("Look: ", item.look), first=blanks(2), rest=blanks(4))


def picture(snapshot: Snapshot | None) -> Iterator[Block]:
    """The network, node by node: every link with how it is, where its other end is, and what it has."""
    for node in snapshot.nodes if snapshot is not None else ():
        named = f", named {', '.join(node.names)} in /run/netns" if node.names else ""
        head = f"The {node.name}" if node.name in ("host", "internet") else f"{node.name}, {'a namespace of its own' if node.role == 'unknown' else f'a {node.role}'}"
        yield Block(joined((head, "strong"), f"{named}:"))
        for link in node.links:
            yield Block(plain(_link(link)), first=blanks(2), rest=blanks(4))
        routes = [route.dst + (f" by {route.via}" if route.via else f" on {route.dev}") for route in node.routes if route.table == 254 and route.family == 4]
        if routes:
            yield Block(plain(f"Routes: {'; '.join(routes)}."), first=blanks(2), rest=blanks(4))
        for gate in gates_of(node) if leads_out(node) else ():
            state = GATE_STATES.get((gate.name, gate.state), gate.state)
            yield Block(plain(f"Gate {GATE_WORDS.get(gate.name, gate.name)}: {state}."), first=blanks(2), rest=blanks(4))


def _link(link: Link) -> str:
    state = "down" if not link.up else "up" if link.carrier else "up, without a carrier"
    parts = [f"{link.name}{f', a {link.kind},' if link.kind else ''} is {state}"]
    if link.peer is not None:
        end = "its other end is" if link.kind == "veth" else "it stands on"
        parts.append(f"{end} {link.peer.name} in {the(link.peer.node)}" if link.peer.node else "its other end cannot be seen")
    if link.master:
        parts.append(f"it is a port of {link.master}")
    if len(link.addresses) > 1:
        parts.append("its addresses are " + listed([own.cidr for own in link.addresses]))
    else:
        parts.append(f"its address is {link.addresses[0].cidr}" if link.addresses else "it has no address")
    return ", ".join(parts) + "."


def onward(view: View) -> Block:
    """How it goes on from a step that holds."""
    if view.more:
        return Block(ticked("`next` goes on to the next step."))
    words = ("That was the last step of this course.", not_done(passed_by(view)), "`courses` lists them all, `quit` ends.")
    return Block(ticked(" ".join(filter(None, words))))


def drawn(node: str) -> str:
    """Of a program in this node that draws on a whole screen."""
    return (
        "This program draws on a whole screen, which cannot be told in lines: what it shows is left out until it ends. Its own keys end it, typed as a"
        f" line (`:q!` in vi, `q` in most others), or ctrl+c; `sh {node}` gives a terminal to draw on."
    )


def lessons(courses: tuple[CourseView, ...], here: str) -> list[Row]:
    """The courses, each with what it is about, and a choice for each lesson; how far one is stands behind it in words."""
    out: list[Row] = []
    for course in courses:
        out += [Row(plain(f"{course.title}: {_far([step for lesson in course.lessons for step in lesson.steps])}.", "strong"))]
        out += [Row(plain(course.about))] if course.about else []
        for lesson in course.lessons:
            target = f"{course.id}/{lesson.id}"
            out.append(Row(plain(f"{lesson.title}, {_far(lesson.steps)}{_HERE if target == here else ''}"), target))
        out += [Row(plain(f"Notice: {problem}")) for problem in course.problems]
    return out


def steps(courses: tuple[CourseView, ...], position: str) -> list[Row]:
    """The lessons, and a choice for each step."""
    out: list[Row] = []
    for course in courses:
        for lesson in course.lessons:
            out.append(Row(plain(f"{lesson.title}, {_far(lesson.steps)}:", "strong")))
            for own in lesson.steps:
                target = f"{course.id}/{lesson.id}/{own.id}"
                _, note = mark(own, here=target == position)
                more = f"{', done' if own.earned else ''}{_HERE if target == position else ''}{f', {note.strip()}' if note else ''}"
                out.append(Row(plain(f"{own.title}{more}"), target))
    return out


_HERE: Final = ", you are here"


def _far(steps: Sequence[StepView]) -> str:
    return f"{sum(own.earned for own in steps)} of {plural(len(steps), 'step')} done"


def _unruled(blocks: Blocks) -> Blocks:
    """Without lines that are drawn."""
    return tuple(block for block in blocks if not set(block.content.plain) or set(block.content.plain) - {"─", " "})
