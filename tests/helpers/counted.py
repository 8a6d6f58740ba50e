"""A lab that writes down when it looks at its nodes: how often that is, nobody outside could tell.

It is a whole lab, but for the slow poll of what makes no event, which would look at any time.
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

_LOOKS: Final = "/run/looks"


def main(room: Room) -> None:
    """What runs as PID 1 of such a lab."""
    watch.PULSE_S = 3600  # type: ignore[misc]
    look = Reader.snapshot

    def counted(reader: Reader, refs: Sequence[NodeRef]) -> Snapshot:
        with open(_LOOKS, "a", encoding="ascii") as file:
            file.write(f"{time.monotonic_ns()}\n")
        return look(reader, refs)

    setattr(Reader, "snapshot", counted)  # noqa: B010
    inside.main(room)


@contextmanager
def counted() -> Iterator[Running]:
    """Such a lab, running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labs, "ENTRY", f"{__name__}:main")
        with running() as lab:
            yield lab


def looks(lab: Running, begin: int, end: int) -> int:
    """How often it looked between two times of ``time.monotonic_ns``."""
    return sum(begin <= int(line) <= end for line in lab.sh(f"cat {_LOOKS}").split())
