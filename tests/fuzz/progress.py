"""Progress files: read by ``load`` as a start does it, and set aside with a notice when they are none; only BadProgress from ``decode``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from fuzz.mutate import mutated
from fuzz.target import Check, Given, Target
from netless_lab.course.bindings import Bindings
from netless_lab.course.progress import BadProgress, DrillRecord, Progress, decode, encode
from netless_lab.course.saved import load, save
from netless_lab.course.step import Position

_FULL = (
    Progress()
    .earn("container", "cable/pair", 100.0)
    .earn("container", "cable/plug", 200.0, by_tutor=True)
    .hinted("container", "cable/plug", 2)
    .at(Position("container", "cable", "plug"))
    .bound("container", Bindings(links={"veth1": "left"}, nets={"10.0.0.0/24": "192.168.7.0/24"}))
    .speaking("legacy")
    .drilled(DrillRecord("forwarding-off", "solved", 300.0, 14.2, seed=11, hints=1))
)
SEEDS = (encode(_FULL), encode(Progress()), b'{"format": 1}')


def make(dice: Random) -> Given:
    """A spoiled file."""
    return Given(mutated(dice.choice(SEEDS), dice, most=8))


@contextmanager
def opened() -> Iterator[Check]:
    """With a folder for the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.json"

        def check(given: Given) -> None:
            try:
                whole: Progress | None = decode(given.data)
            except BadProgress:
                whole = None
            path.write_bytes(given.data)
            loaded = load(path)
            if whole is None:
                (aside,) = Path(folder).iterdir()
                assert aside.read_bytes() == given.data and str(aside) in loaded.notice and loaded.progress == Progress()
                aside.unlink()
            else:
                assert loaded.progress == whole and not loaded.notice
                joined = Progress().merged(whole)
                joined.position("container")
                save(path, joined)
                assert load(path).progress.courses == joined.courses

        yield check


TARGET = Target("progress", make, opened)
