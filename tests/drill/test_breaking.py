"""What becomes of a fault when the breaking itself fails: nothing of it stays in the lab, whatever went wrong."""

from __future__ import annotations

import errno
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from netless_lab.course.bindings import UNBOUND
from netless_lab.course.files import fault_texts, shipped
from netless_lab.course.step import positions
from netless_lab.drill import breaking
from netless_lab.drill.format import read_faults
from netless_lab.drill.library import named
from netless_lab.model.clearing import Clearing
from netless_lab.primitives.base import Action


@pytest.mark.parametrize("rebuilt", [False, True], ids=["in the learner's own lab", "in a lab that was built for it"])
@pytest.mark.parametrize("fault_id", ["forwarding-off", "cable-gone"])
async def test_a_failure_that_nobody_expects_takes_the_fault_along(monkeypatch: pytest.MonkeyPatch, fault_id: str, rebuilt: bool) -> None:
    """The lab's process has no file left when the fault is in and its probes are to be sent: it is mended, the lab stands as before it was
    broken, in the mode it was in, and the failure is told as it is.
    """
    courses = shipped()
    fault = named(read_faults(fault_texts(), courses).faults, fault_id)
    done: list[Action | str] = []

    async def nobody(_: str) -> None:
        pass

    stage: Any = SimpleNamespace(
        state=SimpleNamespace(bindings=UNBOUND, course=courses[0], position=positions(courses[0])[-1]),
        library=SimpleNamespace(courses=courses),
        world=SimpleNamespace(end_marked=nobody),
        live=SimpleNamespace(untold=nullcontext),
        mode="as it was",
        enter=lambda mode: setattr(stage, "mode", mode),
    )

    async def quietly(_: Any, actions: tuple[Action, ...]) -> None:
        done.extend(actions)

    async def stand(*_: Any, end: bool, dialect: str) -> None:
        assert end and dialect == "ip"
        done.append("rebuilt")

    async def well(*_: Any) -> None:
        done.append("well")

    async def must_show(*_: Any) -> None:
        assert stage.mode == "broken"
        raise OSError(errno.EMFILE, "Too many open files")

    async def nothing(*_: Any) -> Clearing:
        return Clearing()

    async def stands_at(*_: Any) -> bool:
        return not rebuilt

    for name, fake in {"_quietly": quietly, "stand": stand, "must_be_well": well, "must_show": must_show, "_stands_at": stands_at, "what_is_own": nothing}.items():
        monkeypatch.setattr(breaking, name, fake)
    with pytest.raises(OSError, match="Too many open files"):
        await breaking.break_(stage, fault, "broken", force=False)  # type: ignore[arg-type]
    before = ["rebuilt"] if rebuilt else []
    assert done == [*before, *fault.setup, "well", *fault.inject, *fault.mend, "rebuilt"]
    assert stage.mode == "as it was"
