"""The faults that come with netless, read once and when they are first wanted: all there are, the one of a name, or one by lot."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ..course.files import fault_texts
from ..course.problems import nearest
from ..course.step import Course
from ..errors import Refusal
from ..model.listed import Listed
from ..model.needs import Lack
from .format import Fault, FaultReading, read_faults


class Library:
    """Faults as they are in each node."""

    def __init__(self, courses: tuple[Course, ...]) -> None:
        self._courses = courses
        self._read: dict[str, FaultReading] = {}

    def faults(self, node: str = "") -> tuple[Fault, ...]:
        """Every sound fault, as it is in this node, or in the usual one."""
        return self._reading(node).faults

    def needs(self) -> frozenset[str]:
        """All that a machine may lack for any of them."""
        return frozenset(need for fault in self.faults() for need in fault.needs)

    def problems(self) -> tuple[str, ...]:
        """Files that cannot be used, in words."""
        return tuple(map(str, self._reading("").problems))

    def _reading(self, node: str) -> FaultReading:
        if node not in self._read:
            self._read[node] = read_faults(fault_texts(), self._courses, node)
        return self._read[node]


def lacking(fault: Fault, lacks: Iterable[Lack]) -> tuple[Lack, ...]:
    """What is lacking for this fault, of all that the machine ``lacks``."""
    return tuple(lack for lack in lacks if lack.need in fault.needs)


def listed(faults: Iterable[Fault], lacks: Iterable[Lack] = ()) -> tuple[Listed, ...]:
    """For whoever chooses one, on a machine that ``lacks`` this."""
    lacks = tuple(lacks)
    return tuple(Listed(one.id, one.title, one.tells, one.teaches, one.start, one.number, one.nodes, one.needs,
                        " and ".join(lack.title for lack in lacking(one, lacks))) for one in faults)


def named(faults: Iterable[Fault], fault_id: str) -> Fault:
    """The fault of this id. Raises Refusal (2) with the nearest ids."""
    known = {fault.id: fault for fault in faults}
    if fault_id in known:
        return known[fault_id]
    near = nearest(fault_id, known) or tuple(name for name in known if fault_id and fault_id in name)[:3]
    raise Refusal(f'there is no fault "{fault_id}": `netless faults` lists them.', nearest=near)


def drawn(faults: Iterable[Fault], seed: int) -> tuple[tuple[str, str], ...]:
    """Every (id, node) in the order in which this seed draws them: always the same for the same faults, on every machine."""
    lot = random.Random(seed)
    order = sorted(faults, key=lambda fault: fault.id)
    lot.shuffle(order)
    return tuple((fault.id, lot.choice(fault.nodes) if fault.nodes else fault.node) for fault in order)
