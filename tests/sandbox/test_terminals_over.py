"""Terminals that a lab keeps whose program ends while nobody is there: who comes back is told. A program's parent is the witness of its end."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from helpers.running import Running
from helpers.terminals import collected, ended, forget, full, left, left_in, program, taken_from
from helpers.waiting import becomes
from netless_lab import keeping
from netless_lab.keeping import Over
from netless_lab.sandbox import terminals

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]

UNTIL: Final = "echo one; until [ -e {mark} ]; do sleep 0.01; done; echo last; exit {code}"
"""A program that ends with a file."""


@asynccontextmanager
async def over(lab: str, mark: Path, code: int = 7) -> AsyncIterator[int]:
    """One that ended while nobody was there; its parent knows that it did."""
    async with left(lab, UNTIL.format(mark=shlex.quote(str(mark)), code=code), "c1", b"noted") as watch:
        taken = await taken_from(lab)
        os.close(taken.master)
        assert taken.kept.leave()
        mark.touch()
        assert await becomes(lambda: collected(watch))
        yield watch


async def test_what_ended_while_nobody_was_there_is_told(lab: Running, tmp_path: Path) -> None:
    """When that was, and what it printed last; once, and to one of those who ask."""
    before = int(time.time())
    async with over(lab.name, tmp_path / "mark"):
        one = await left_in(lab.name)
        assert isinstance(one, Over)
        assert (one.node, one.note, one.shown) == ("c1", b"noted", (b"one\r\nlast\r\n", True, b"as noted"))
        assert before <= one.at <= time.time()
        assert await keeping.take(lab.name, ()) is None


@pytest.mark.kernel_may_lack
async def test_how_it_ended_is_told_where_the_kernel_says_so(lab: Running, tmp_path: Path) -> None:
    """To who is not its parent."""
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 15):
        pytest.skip("this kernel tells only a parent what a process ended with")
    async with over(lab.name, tmp_path / "mark", 7):
        one = await left_in(lab.name)
        assert isinstance(one, Over) and one.code == 7


async def test_who_goes_on_comes_before_who_is_over(lab: Running, tmp_path: Path) -> None:
    """And the other one is still told of afterwards; nobody is told of one in a node that he does not ask about."""
    async with over(lab.name, tmp_path / "mark"), left(lab.name, "echo two; read word", "host"):
        taken = await taken_from(lab.name)
        assert taken.node == "host"
        assert await keeping.take(lab.name, ("c1",)) is None
        assert isinstance(await left_in(lab.name), Over)
        forget(taken)


async def test_who_is_over_makes_room_first(lab: Running, tmp_path: Path) -> None:
    """Before any that goes on."""
    async with program("echo one; read word") as (_, child), over(lab.name, tmp_path / "mark"), left(lab.name, "echo two; read word") as lonely:
        with full(lab.name, child.master, terminals.MOST - 1):
            taken = await taken_from(lab.name)
            assert taken.node == "host" and not ended(lonely)
            assert await keeping.take(lab.name, ()) is None
            forget(taken)
