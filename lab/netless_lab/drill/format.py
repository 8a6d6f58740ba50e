"""Faults: small TOML files that say how to break a healthy lab, what is seen then, and how to mend it. Read here, never run here.

    format = 1
    id = "forwarding-off"                       the file's own name
    title = "The host does not forward"         for whoever chooses a fault; a drill keeps it secret
    tells = "c1 reaches the host and nothing beyond it."    all that the learner is told
    start = "container/neighbour"               the lesson at whose end the lab stands before it is broken
    setup = [{ ... }]                           what it needs beside that: actions, as in lessons
    inject = [{ forwarding = false }]           the breaking, in actions
    mend = [{ forwarding = true }]              its opposite; without one the lab is rebuilt
    symptom = [{ ping = "198.51.100.10", from = "{node}" }]  probes as in lessons, as they are in health: each fails while it is broken
    still = [{ ping = "10.0.0.1", from = "{node}" }]         probes that go on as in health: they narrow it down
    place = "host:fwd"                          where packets die: a node, node:link or node:gate (``GATES``), or a list
    cause = "forwarding-off"                    a code of Why, or a list
    evidence = ["..."]                          facts that show it

Where more than one place or cause is true (a packet dies in one place of a mistake in another), all are listed, the plainest first.
Which step explains it follows from the causes: the first that a step ``teaches`` (``course.step``) sends there, as Why does.
``number`` is the row in the reference list, where it has one; ``needs`` names what a machine may lack (``model.needs``) beside the programs of
its command lines. A file that speaks of its container by ``{node}``, ``{link}``, ``{port}``, ``{address}``, ``{other}`` ... can be had in
each of the nodes that its course names (``course.world``).
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from ..course import fields
from ..course.catalog import Target, resolve
from ..course.items import causes, probe_nodes, read_action, read_probe
from ..course.markdown import Block, Table, read_table
from ..course.problems import Problem, Report, did_you_mean
from ..course.step import Course, FaultNode, ProbeCheck, taught
from ..course.words import bad_id, objection
from ..errors import Refusal
from ..explain.catalogue import CATALOGUE
from ..primitives.base import Action

GATES: Final = {
    "fwd": "whether {node} forwards",
    "fw": "at the firewall rules of {node}",
    "NAT": "at the address translation of {node}",
    "routing": "at the routes and routing rules of {node}",
    "neighbour": "at the neighbour table of {node}: who has which MAC address",
    "names": "at how {node} finds names",
    "service": "at who listens in {node}",
}
"""The places inside a node: the three gates of the picture, and what every sender and receiver has."""


class Place(msgspec.Struct, frozen=True):
    """Where packets die: somewhere in ``node``, at one of its links, or at one of its gates."""

    node: str
    link: str = ""
    gate: str = ""

    def __str__(self) -> str:
        """``host``, ``host:veth2``, ``host:fwd``"""
        return ":".join(part for part in (self.node, self.link or self.gate) if part)


def in_words(place: Place) -> str:
    """After "look": ``at veth2 in the host``."""
    node = "the host" if place.node == "host" else "the internet" if place.node == "internet" else place.node
    if place.gate:
        return GATES[place.gate].format(node=node)
    return f"at {place.link} in {node}" if place.link else f"at {node} as a whole"


def read_place(text: str, line: int, report: Report) -> Place:
    """``host``, ``host:veth2``, ``host:fwd``: a word after the colon that is no gate is a link."""
    advice = f'Write place = "host:fwd": a node, node:link or node:gate, the gates being {", ".join(GATES)}.'
    node, colon, rest = text.partition(":")
    if rest in GATES and not objection("node", node):
        return Place(node, gate=rest)
    if objection("node", node) or (colon and not rest):
        report.add(line, f'"{text}" is no place.', advice)
    elif rest.lower() in {gate.lower() for gate in GATES}:
        report.add(line, f'there is no gate "{rest}".', did_you_mean(rest, GATES))
    elif rest and objection("link", rest):
        report.add(line, f'"{rest}" is neither a gate nor a link.', advice)
    return Place(node, rest)


class Fault(msgspec.Struct, frozen=True):
    """One fault, as it is in one node. ``nodes`` are all that it can be had in, and ``node`` says which this is; where there are none, it has
    a place of its own. ``teaches`` is the position of the step that explains its causes, "" when no courses are known."""

    id: str
    title: str
    tells: str
    start: str
    inject: tuple[Action, ...]
    symptom: tuple[ProbeCheck, ...]
    still: tuple[ProbeCheck, ...]
    places: tuple[Place, ...]
    causes: tuple[str, ...]
    evidence: tuple[str, ...]
    teaches: str
    setup: tuple[Action, ...] = ()
    mend: tuple[Action, ...] = ()
    number: int | None = None
    needs: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    node: str = ""

    @property
    def place(self) -> Place:
        """Where to look first."""
        return self.places[0]


class FaultReading(msgspec.Struct, frozen=True):
    """What came of reading a folder: the sound faults by id, and every problem of the others."""

    faults: tuple[Fault, ...]
    problems: tuple[Problem, ...]


_KEYS: Final = (
    "format", "id", "number", "title", "tells", "start", "needs", "setup", "inject", "mend", "symptom", "still", "place", "cause",
    "evidence",
)  # fmt: skip
_NEEDED: Final = {
    "inject": "Write inject = [{ forwarding = false }]: what breaks it.",
    "symptom": "A fault that no probe notices is none.",
    "still": "Something always goes on working, and narrows it down.",
    "place": 'Write place = "host:fwd": a node, node:link or node:gate.',
    "cause": 'Write cause = "forwarding-off": a code that Why knows.',
    "evidence": 'Write evidence = ["..."]: a fact that shows the cause, and the command to see it.',
}
"""The lists that no fault goes without, and what is advised where one is missing."""
_SLOT: Final = re.compile(r"\{(?P<name>[a-z_]+)\}")


def read_faults(files: Mapping[str, str], courses: Iterable[Course] = (), node: str = "") -> FaultReading:
    """Every fault of a folder (file name to text), as it is in ``node``, or in the usual node of its course where that has no such node.

    The lesson that each starts from must exist in one of the ``courses``, and a step there must teach one of its causes: one of its own course
    before those of others.
    """
    courses = tuple(courses)
    steps = {course.id: taught((course, *courses)) for course in courses}
    found: list[Fault] = []
    problems: list[Problem] = []
    for file in sorted(files):
        report = Report(file)
        fault = _read(files[file], file, courses, steps, node, report)
        problems += report.problems
        if fault is not None and report.clean:
            found.append(fault)
    return FaultReading(tuple(sorted(found, key=lambda fault: fault.id)), tuple(problems))


def _read(text: str, file: str, courses: tuple[Course, ...], steps: Mapping[str, Mapping[str, str]], node: str, report: Report) -> Fault | None:
    table = read_table(Block(text, 1), report)
    if table is None or not fields.check_format(table, "this fault", report):
        return None
    own = fields.text(table, "start", Report(file)).partition("/")[0]
    nodes = next((course.fault_nodes for course in courses if course.id == own), ())
    chosen = next((known for known in nodes if known.node == node), nodes[0] if nodes else FaultNode("", {}))
    filled = _filled(text, chosen.words, report)
    if filled != text and (table := read_table(Block(filled, 1), report)) is None:
        return None
    fields.check_keys(table, _KEYS, "a fault", report)
    setup, mend, inject = (tuple(own for _, own in fields.each(table, key, read_action, report)) for key in ("setup", "mend", "inject"))
    for key, advice in _NEEDED.items():
        fields.insist(table, key, advice, report)
    start, codes = _start(table, courses, report), causes(table, "cause", report)
    return Fault(
        id=_id(table, file, report),
        title=fields.text(table, "title", report, required='Write title = "The host does not forward": what is broken.'),
        tells=fields.text(table, "tells", report, required='Write tells = "...": what the learner notices, and not why.'),
        start=start,
        setup=setup,
        inject=inject,
        mend=mend,
        symptom=_probes(table, "symptom", report),
        still=_probes(table, "still", report),
        places=tuple(read_place(text, table.line("place", index), report) for index, text in enumerate(fields.texts(table, "place", report))),
        causes=codes,
        evidence=fields.texts(table, "evidence", report),
        teaches=_teaches(table, codes, steps.get(start.partition("/")[0]), report),
        number=_number(table, report),
        needs=fields.needs(table, (*setup, *inject, *mend), report),
        nodes=tuple(known.node for known in nodes) if filled != text else (),
        node=chosen.node if filled != text else "",
    )


def _filled(text: str, words: Mapping[str, str], report: Report) -> str:
    """The text with its placeholders filled in; the lines stay where they are."""

    def fill(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in words:
            report.add(text.count("\n", 0, found.start()) + 1, f'there is no placeholder "{{{name}}}".', did_you_mean(name, words))
        return str(words.get(name, name))

    return _SLOT.sub(fill, text)


def _id(table: Table, file: str, report: Report) -> str:
    fault_id = fields.identity(table, 'Write id = "...": the name of the file will do.', report)
    if fault_id and bad_id(fault_id) is None and file != f"{fault_id}.toml":
        report.add(table.line("id"), f'the fault calls itself "{fault_id}", its file is {file}.', "Make the two agree.")
    return fault_id


def _probes(table: Table, key: str, report: Report) -> tuple[ProbeCheck, ...]:
    found = fields.each(table, key, functools.partial(read_probe, unsaid="guard"), report)
    for line, sender in ((line, sender) for line, check in found for sender in probe_nodes(check)):
        report.refuse(line, objection("node", sender))
    return tuple(check for _, check in found)


def _start(table: Table, courses: tuple[Course, ...], report: Report) -> str:
    """A lesson that exists, with its course; as it is written when no courses are known."""
    text = fields.text(table, "start", report, required='Write start = "container/neighbour".')
    if text and courses:
        try:
            target = _in_one_of(courses, text)
        except Refusal as refusal:
            report.add(table.line("start"), str(refusal))
            return text
        if target.lesson is None:
            report.add(table.line("start"), f'"{text}" is a whole course.', 'Name a lesson: start = "container/neighbour".')
        return str(target)
    return text


def _teaches(table: Table, codes: tuple[str, ...], steps: Mapping[str, str] | None, report: Report) -> str:
    """The step that explains the first of these causes that any of ``steps`` does; "" where it is not known what steps teach."""
    found = next((steps[code] for code in codes if code in steps), "") if steps else ""
    if steps is not None and codes and not found and set(codes) <= set(CATALOGUE):
        report.add(table.line("cause"), f'no step teaches "{codes[0]}".', 'Write it into "teaches" of the step that explains it: a drill sends people there.')
    return found


def _in_one_of(courses: tuple[Course, ...], text: str) -> Target:
    """What ``text`` names in the first course that has it: two courses may call their lessons alike. Raises Refusal."""
    for course in courses:
        with contextlib.suppress(Refusal):
            return resolve((course,), text)
    return resolve(courses, text)


def _number(table: Table, report: Report) -> int | None:
    value = table.values.get("number")
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    report.add(table.line("number"), f'"number" must be a row of the list, not {value!r}.', "Write number = 4, or leave it out.")
    return None
