"""What is told in passing when there is more of it than anybody reads."""

from __future__ import annotations

from typing import Any

import pytest

from app.driving import opened, until
from netless.app import app as app_module
from netless.app.view import KEPT_SAYINGS
from netless_lab import protocol


async def test_notices_that_come_too_fast_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab that says notices without end fills no screen with them: so many are shown, and of all the others it is said how many they were."""
    monkeypatch.setattr(app_module, "LATELY_S", 3600.0)
    sent = 10 * KEPT_SAYINGS
    shown: list[str] = []
    async with opened() as (app, pilot, peer):
        notify = app.notify

        def watched(text: str, **more: Any) -> None:
            shown.append(text)
            notify(text, **more)

        monkeypatch.setattr(app, "notify", watched)
        before = app.view.sayings[-1].serial if app.view.sayings else 0
        for number in range(sent):
            peer.say(protocol.Notice("info", f"notice {number}"))
            await pilot.pause()
        await until(pilot, lambda: app.view.sayings[-1].serial == before + sent and app._told == before + sent)
        assert 0 < len(shown) <= KEPT_SAYINGS
        told = len(shown)
        app._tell_unsaid()
        assert shown[-1] == f"! Notices that came too fast to be shown: {sent - told}"


async def test_a_few_notices_are_all_told() -> None:
    """Nothing is left out of what a person can read."""
    async with opened() as (app, pilot, peer):
        peer.say(*(protocol.Notice("info", f"notice {number}") for number in range(5)))
        await until(pilot, lambda: {f"notice {number}" for number in range(5)} <= {toast.message for toast in app._notifications})
