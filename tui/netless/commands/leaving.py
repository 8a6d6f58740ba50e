"""Quitting on purpose: a lab that this tutor started ends with it, so it is asked first where something would go that nothing brings back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from netless_lab import protocol

from ..desk.desk import Desk
from ..desk.shells import Running
from ..desk.view import View
from .stage import Shells, WayOut

PATIENCE_S: Final = 2.0
"""How long the lab may take to say what would go, in seconds; it is asked without knowing then."""


Ask = Callable[[protocol.Parting | None, Sequence[Running]], Awaitable[WayOut | None]]
"""Asks what becomes of the lab; see ``Windows.choose_way_out``."""


def nothing_to_ask(view: View, began: Callable[[], bool]) -> bool:
    """Whether quitting ends no lab. ``began`` says whether this tutor started the lab that it shows: any other goes on."""
    return view.status is None or bool(view.ended) or not began()


async def way_out(desk: Desk, ask: Ask, began: Callable[[], bool], shells: Shells) -> WayOut | None:
    """How to quit, None to stay. A lab that takes the place of the one that was asked about is not ended by the answer."""
    if nothing_to_ask(desk.view, began):
        return "end"
    asked_about = _agent(desk.view)
    parting = await _parting(desk)
    if desk.view.ended or (parting is not None and parting.stays):
        return "end"
    running = await shells.running()
    if parting is not None and not (parting.going or parting.onlookers or running):
        return "end"
    chosen = await ask(parting, running)
    return chosen if _agent(desk.view) == asked_about else None


def _agent(view: View) -> int:
    return view.status.agent_pid if view.status is not None else 0


async def _parting(desk: Desk) -> protocol.Parting | None:
    """What the lab says would go; None where it does not say."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await desk.ask(protocol.WhatLeaves(), saying="Looking what would go")
    except TimeoutError:
        return None
