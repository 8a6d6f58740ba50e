"""What a lab answers and tells of itself, as far as no struct of the model says it."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..course.verdict import Item, Verdict
from ..model.times import Time
from .status import FaultStatus


class Enterable(msgspec.Struct, frozen=True):
    """A node that can be entered; how, is for the one who enters to know (``join``)."""

    node: str


class Parting(msgspec.Struct, frozen=True):
    """What becomes of the lab when the tutor that started it is quit now. ``stays``: why it goes on all the same; "" when it ends.

    Then ``going`` goes with it, in words: what no step of the course would bring back; and so many ``onlookers`` are there.
    """

    stays: str = ""
    going: tuple[str, ...] = ()
    onlookers: int = 0


class ChangeLine(msgspec.Struct, frozen=True):
    """One kernel change in words. ``quiet`` is true for what comes and goes by itself (neighbour states, learned MACs)."""

    sentence: str
    node: str = ""
    quiet: bool = False


class Moved(msgspec.Struct, frozen=True):
    """Where the lab is now, and what was done. ``ended``: what that did to a drill; every view was told already."""

    position: str
    title: str
    text: str
    ended: str = ""


class Judged(msgspec.Struct, frozen=True):
    """A verdict with the words that go with it. ``success`` is what is said of a step that passed, "" of any other: the page's sentence only while
    every word of it is true (``Verdict.told``). ``besides``: what had to be done besides the step, or that nothing had to.
    """

    position: str
    title: str
    verdict: Verdict
    success: str
    besides: str = ""


class Judgement(msgspec.Struct, frozen=True):
    """Every verdict that was asked for. ``text`` says where it goes on, ``fault`` what may be told of something broken on purpose."""

    verdicts: tuple[Judged, ...]
    text: str
    fault: FaultStatus | None = None


class Help(msgspec.Struct, frozen=True):
    """One rung of help, counted from 0 (-1: what the verdict shows right now), and how many are ``left``.

    ``about``: the claim that help from the verdict is about; it is true as long as that stands so in the verdicts that follow.
    """

    rung: int
    text: str
    left: int
    about: Item | None = None


class Broke(msgspec.Struct, frozen=True):
    """Something was broken on purpose: what is noticed, at which step, and what may be told of it."""

    text: str
    position: str
    fault: FaultStatus


class Mended(msgspec.Struct, frozen=True):
    """Nothing is broken any more. ``mended`` is the fault's id, "" when there was none, and ``teaches`` the position of the step that explains it;
    ``came_from`` where the learner was before it all, at the start of that step or with it ``came_done``, "" when he is there now.
    """

    text: str
    position: str
    mended: str = ""
    came_from: str = ""
    teaches: str = ""
    came_done: bool = False


class Entry(msgspec.Struct, frozen=True):
    """One thing done, ``at`` the wall clock. ``lines`` are commands (dialect ip) that do it again; empty when something else brings it along.
    ``unsaid``: there is no plain command for it, and ``lines`` only keep its place. ``anew``: the lab began anew here, and what stands before
    has no part in what it is now.
    """

    at: Time
    who: Literal["tutor", "learner", "lab"]
    text: str
    lines: tuple[str, ...] = ()
    step: str = ""
    anew: bool = False
    unsaid: bool = False


class Account(msgspec.Struct, frozen=True):
    """Everything that was done, and the same written down as a shell ``script`` and as ``markdown``."""

    entries: tuple[Entry, ...]
    script: str
    markdown: str


class FollowStatus(msgspec.Struct, frozen=True):
    """Whether the learner's own traffic is followed; ``missing`` says in words what cannot be seen."""

    following: bool
    missing: tuple[str, ...] = ()


class Packet(msgspec.Struct, frozen=True):
    """One packet: (a layer's name, its fields and their values), outermost first, and its bytes, which are base64 in JSON."""

    layers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    data: bytes


class Capture(msgspec.Struct, frozen=True):
    """A pcapng file, base64 in JSON, and how many frames it holds."""

    pcapng: bytes
    frames: int


class Proven(msgspec.Struct, frozen=True):
    """Lint's proof: what is wrong, which steps were proven, and which were left out and why."""

    problems: tuple[str, ...]
    proven: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()
