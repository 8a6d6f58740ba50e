"""What a learner has done, by the ids of courses and steps: a frozen value with its JSON.

A tick once earned stays: a later step that takes a result away, a repair, a reset and a lesson update never touch it. Only passing
a step earns it; looking at its solution does not. Ids this version does not know are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from ..documents import read_json
from ..model.times import Span, Time
from ..primitives.roles import Dialect
from .bindings import Bindings
from .step import Position

FORMAT = 1
MOST = 1 << 20
"""Bytes of a progress: no more can be kept of a lab (``sandbox.keeper``)."""
KEPT_DRILLS = 500
"""How many drills are kept, the newest: each change of a progress writes it whole."""


class BadProgress(ValueError):
    """A progress file that cannot be read; the text says why."""


class StepRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened at one step. ``earned`` is the time of the first pass in seconds since the epoch.

    ``hints`` counts the rungs opened. ``by_tutor``: the tutor did it (``run``, ``goto --end``) and it passed; ``by_hand``: it passed by the
    learner's own doing, whether or not the tutor did it another time.
    """

    earned: Time | None = None
    hints: int = 0
    by_tutor: int = 0
    by_hand: int = 0


class CourseRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Progress in one course. Steps are keyed ``lesson/step``; ``position`` is such a key."""

    steps: dict[str, StepRecord] = {}
    position: str | None = None
    bindings: Bindings = Bindings()


class DrillRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A drill that is over: something was broken, and the learner was not told what.

    ``fault`` is its id, ``node`` the container it was in, ``seed`` what drew it (None: it was chosen). ``at`` is when it ended, in seconds
    since the epoch, ``seconds`` how long the network was broken. ``hints`` and ``whys`` count the help asked for; an ``exam`` has none.
    """

    fault: str
    result: Literal["solved", "gave up"]
    at: Time
    seconds: Span
    node: str = ""
    seed: int | None = None
    exam: bool = False
    hints: int = 0
    whys: int = 0


class Progress(msgspec.Struct, frozen=True):
    """All progress of one lab, ``drills`` from the oldest to the newest, ``here`` the id of the course that the learner was in last ("" before
    the first). Updates return a new value.
    """

    format: int = FORMAT
    dialect: Dialect = "ip"
    courses: dict[str, CourseRecord] = {}
    drills: tuple[DrillRecord, ...] = ()
    here: str = ""

    def course(self, course: str) -> CourseRecord:
        """The record of a course, empty when it was never begun."""
        return self.courses.get(course, CourseRecord())

    def step(self, place: str, course: str) -> StepRecord:
        """The record of a step, ``place`` being ``lesson/step``."""
        return self.course(course).steps.get(place, StepRecord())

    def earned(self, place: str, course: str) -> bool:
        """Whether the step was ever passed."""
        return self.step(place, course).earned is not None

    def ticks(self) -> frozenset[tuple[str, str]]:
        """Course and place of every step that was ever passed."""
        return frozenset((course, place) for course, record in self.courses.items() for place, step in record.steps.items() if step.earned is not None)

    def opened(self, place: str, course: str) -> int:
        """How many rungs of help were opened at the step."""
        return self.step(place, course).hints

    def position(self, course: str) -> Position | None:
        """Where the learner stands in the course; the step may no longer exist."""
        lesson, _, step = (self.course(course).position or "").partition("/")
        return Position(course, lesson, step) if step else None

    def bindings(self, course: str) -> Bindings:
        """The learner's own names in the course."""
        return self.course(course).bindings

    def earn(self, course: str, place: str, at: float, *, by_tutor: bool = False) -> Progress:
        """The step was passed at this time. The first time counts; who did it is counted every time."""
        old = self.step(place, course)
        new = msgspec.structs.replace(old, earned=at if old.earned is None else old.earned, by_tutor=old.by_tutor + by_tutor,
                                      by_hand=old.by_hand + (not by_tutor))
        return self._with_step(course, place, new)

    def hinted(self, course: str, place: str, opened: int) -> Progress:
        """So many rungs are open now; it never goes back."""
        old = self.step(place, course)
        return self._with_step(course, place, msgspec.structs.replace(old, hints=max(old.hints, opened)))

    def at(self, position: Position) -> Progress:
        """The learner stands here."""
        return msgspec.structs.replace(self._with_course(position.course, position=position.key), here=position.course)

    def bound(self, course: str, bindings: Bindings) -> Progress:
        """The learner's own names."""
        return self._with_course(course, bindings=bindings)

    def drilled(self, record: DrillRecord) -> Progress:
        """A drill is over."""
        return msgspec.structs.replace(self, drills=(*self.drills, record)[-KEPT_DRILLS:])

    def speaking(self, dialect: Dialect) -> Progress:
        """Commands are shown in this dialect."""
        return msgspec.structs.replace(self, dialect=dialect)

    def started_over(self, course: str) -> Progress:
        """Back to the course's beginning with no names bound. Ticks and hints stay: they were earned and opened."""
        return self._with_course(course, position=None, bindings=Bindings())

    def merged(self, other: Progress) -> Progress:
        """Both together, for an import: a tick of either counts, the earlier time holds; place and names are the imported ones.

        A drill that both know counts once.
        """
        courses = dict(self.courses)
        for name, theirs in other.courses.items():
            mine = self.course(name)
            steps = dict(mine.steps)
            for place, record in theirs.steps.items():
                steps[place] = _joined(mine.steps.get(place, StepRecord()), record)
            courses[name] = CourseRecord(steps, theirs.position or mine.position, theirs.bindings)
        drills = sorted({*self.drills, *other.drills}, key=lambda record: record.at)
        return msgspec.structs.replace(self, dialect=other.dialect, courses=courses, drills=tuple(drills[-KEPT_DRILLS:]),
                                       here=other.here or self.here)

    def done(self, course: str, places: Iterable[str]) -> int:
        """How many of these steps are earned."""
        return sum(self.earned(place, course) for place in places)

    def _with_step(self, course: str, place: str, record: StepRecord) -> Progress:
        return self._with_course(course, steps={**self.course(course).steps, place: record})

    def _with_course(self, course: str, **changes: object) -> Progress:
        record = msgspec.structs.replace(self.course(course), **changes)
        return msgspec.structs.replace(self, courses={**self.courses, course: record})


def encode(progress: Progress) -> bytes:
    """As JSON, indented, with a newline at its end. It may be more than ``MOST``."""
    return msgspec.json.format(msgspec.json.encode(progress), indent=2) + b"\n"


_head = msgspec.json.Decoder(dict[str, msgspec.Raw])
_version = msgspec.json.Decoder()
_whole = msgspec.json.Decoder(Progress)


def decode(data: bytes) -> Progress:
    """From JSON. Raises BadProgress in words when it is no progress of this format."""
    if len(data) > MOST:
        raise BadProgress(f"it is larger than {MOST >> 10} KiB")
    try:
        head = read_json(data, _head)
        version = read_json(head["format"], _version) if "format" in head else None
    except msgspec.MsgspecError as error:
        raise BadProgress(f"it is not JSON: {error}") from error
    if version != FORMAT:
        if isinstance(version, int) and version > FORMAT:
            raise BadProgress(f"it is of format {version}, from a newer netless; this one reads format {FORMAT}")
        raise BadProgress(f'it does not say "format": {FORMAT}')
    try:
        return read_json(data, _whole)
    except msgspec.MsgspecError as error:
        raise BadProgress(f"it is no netless progress: {error}") from error


def _joined(mine: StepRecord, theirs: StepRecord) -> StepRecord:
    times = [time for time in (mine.earned, theirs.earned) if time is not None]
    return StepRecord(min(times) if times else None, max(mine.hints, theirs.hints), max(mine.by_tutor, theirs.by_tutor),
                      max(mine.by_hand, theirs.by_hand))
