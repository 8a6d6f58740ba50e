"""The faults that come with netless, read once and when they are first wanted."""

from __future__ import annotations

import shutil

from ..course.files import fault_texts
from ..course.step import Course
from ..model.listed import Listed
from .draw import listed
from .format import NEEDS, PROGRAMS, Fault, FaultReading, read_faults


class Library:
    """Faults as they are in each container."""

    def __init__(self, courses: tuple[Course, ...]) -> None:
        self._courses = courses
        self._read: dict[str, FaultReading] = {}

    def faults(self, node: str = "c1") -> tuple[Fault, ...]:
        """Every sound fault, as it is in this container."""
        return self._reading(node).faults

    def lacking(self, fault: Fault) -> str:
        """The programs this machine lacks for a fault, in words; "" when none. What the kernel lacks shows when it is tried."""
        return " and ".join(NEEDS[need] for need in fault.needs if need in PROGRAMS and shutil.which(need) is None)

    def listed(self) -> tuple[Listed, ...]:
        """For whoever chooses one."""
        return listed(self.faults(), self.lacking)

    def problems(self) -> tuple[str, ...]:
        """Files that cannot be used, in words."""
        return tuple(map(str, self._reading("c1").problems))

    def _reading(self, node: str) -> FaultReading:
        if node not in self._read:
            self._read[node] = read_faults(fault_texts(), self._courses, node)
        return self._read[node]
