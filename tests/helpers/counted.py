"""A lab that writes down when it looks at its nodes, and when it hears of the kernel: how often that is, nobody outside could tell.

It is a whole lab, but for what would look at any time: the slow poll of what makes no event, and the end of a train of what packets taught, which
never comes here. Else a machine on which the judge's packets take longer than such a train would have more to look at after each of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pytest

from helpers.running import Running, running
from netless_lab import inside, labs
from netless_lab.kernel import watch
from netless_lab.kernel.read import NodeRef, Reader
from netless_lab.model.snapshot import Snapshot
from netless_lab.sandbox.pid1 import Room

_DIARY: Final = "/run/diary"


def main(room: Room) -> None:
    """What runs as PID 1 of such a lab."""
    watch.PULSE_S = watch.LONGEST_S = 3600  # type: ignore[misc]
    look, note = Reader.snapshot, watch.Burst.note

    def looking(reader: Reader, refs: Sequence[NodeRef]) -> Snapshot:
        _write("look")
        return look(reader, refs)

    def hearing(burst: watch.Burst) -> None:
        _write("learned" if burst.quiet_s == watch.LONGEST_S else "heard")
        note(burst)

    setattr(Reader, "snapshot", looking)  # noqa: B010
    setattr(watch.Burst, "note", hearing)  # noqa: B010
    inside.main(room)


@contextmanager
def counted() -> Iterator[Running]:
    """Such a lab, running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labs, "ENTRY", f"{__name__}:main")
        with running() as lab:
            yield lab


def happened(lab: Running, begin: int, end: int) -> list[str]:
    """What it did between two times of ``time.monotonic_ns``, in order: ``look``, ``heard`` of what somebody did, or ``learned`` of what packets
    taught.
    """
    lines = (line.split() for line in lab.sh(f"cat {_DIARY}").splitlines())
    return [what for at, what in lines if begin <= int(at) <= end]


def _write(what: str) -> None:
    with open(_DIARY, "a", encoding="ascii") as file:
        file.write(f"{time.monotonic_ns()} {what}\n")
