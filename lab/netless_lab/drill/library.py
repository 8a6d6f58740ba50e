"""The faults that come with netless, read once and when they are first wanted."""

from __future__ import annotations

from ..course.files import fault_texts
from ..course.step import Course
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
