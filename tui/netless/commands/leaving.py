"""Quitting on purpose: a lab that this tutor started ends with it, so it is asked first where something would go that nothing brings back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from netless_lab import protocol

from ..desk.desk import Desk
from ..desk.shells import Running
from ..desk.view import View
from .stage import Shells, WayOut

PATIENCE_S: Final = 2.0
"""How long the lab may say nothing, in seconds, when it is to say what would go; it is asked without knowing then."""
_MOST_LOOKS: Final = 8
"""So often it is looked whether it is only slow."""


Ask = Callable[[protocol.Parting | None, Sequence[Running]], Awaitable[WayOut | None]]
"""Asks what becomes of the lab; see ``Windows.choose_way_out``."""


def nothing_to_ask(view: View, began: Callable[[], bool]) -> bool:
    """Whether quitting ends no lab. ``began`` says whether this tutor started the lab that it shows: any other goes on."""
    return view.status is None or bool(view.ended) or not began()


async def way_out(desk: Desk, ask: Ask, began: Callable[[], bool], shells: Shells) -> WayOut | Literal["unasked"] | None:
    """How to quit, None to stay. Unasked it is the lab that says at the end, for what is so now may not be so by then. A lab that takes
    the place of the one that was asked about is not ended by the answer.
    """
    if nothing_to_ask(desk.view, began):
        return "unasked"
    asked_about = _agent(desk.view)
    parting = await _parting(desk)
    if desk.view.ended or (parting is not None and parting.stays):
        return "unasked"
    running = await shells.running()
    if parting is not None and not (parting.going or parting.onlookers or running):
        return "unasked"
    chosen = await ask(parting, running)
    return chosen if _agent(desk.view) == asked_about else None


def _agent(view: View) -> int:
    return view.status.agent_pid if view.status is not None else 0


async def _parting(desk: Desk) -> protocol.Parting | None:
    """What the lab says would go; None where it does not say: it is at work for somebody, or hangs. One on a slow machine is waited for, as long as it
    answers who only looks.
    """
    asked = desk.ask(protocol.WhatLeaves(), saying="Looking what would go")
    saying = asyncio.create_task(asked)
    try:
        for _ in range(_MOST_LOOKS):
            await asyncio.wait((saying,), timeout=PATIENCE_S)
            if saying.done():
                return saying.result()
            if not await _is_only_slow(desk):
                break
    finally:
        saying.cancel()
    return None


async def _is_only_slow(desk: Desk) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            status = await desk.ask(protocol.GetStatus())
            return status is not None and not status.busy
    return False
