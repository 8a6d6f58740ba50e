"""An agent under somebody else's control does not outlive what is known of its lab."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.waiting import eventually
from hostile.helpers import namer
from hostile.helpers.hider import ENTRY
from netless_lab.sandbox import find
from netless_lab.sandbox.start import StartError
from netless_lab.sandbox.stop import stop
from sandbox.helpers.alone import Machine, alone, remains
from sandbox.helpers.rooms import launch


@contextlib.contextmanager
def hidden(by: str) -> Iterator[tuple[int, int]]:
    """A lab of such an agent's; its agent and its keeper, as pidfds."""
    started = launch("test", ENTRY, argument=by).wait()
    agent, keeper = os.pidfd_open(started.pid), os.pidfd_open(started.keeper)
    try:
        yield agent, keeper
    finally:
        for own in (agent, keeper):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(own, signal.SIGKILL)
            os.close(own)
        started.close()


@pytest.mark.parametrize("by", ["ends", "hangs up"])
@alone
def test_who_gives_his_name_away_is_ended(by: str) -> None:
    """A lab that has given its name away, or the line by which it held it, so that nobody could end it by its name, is gone soon, with its keeper."""
    with hidden(by) as (agent, keeper):
        assert eventually(lambda: find.labs() == ())
        assert eventually(lambda: _has_ended(agent)), "it lives on without a name"
        assert eventually(lambda: _has_ended(keeper))


@alone
def test_who_says_nonsense_instead_of_being_ready_is_ended() -> None:
    """What is no word of an agent's ends the keeper, and the lab with it, though nothing ties its first process to those who made it."""
    before = Machine.now()
    with pytest.raises(StartError):
        launch("test", ENTRY, argument="babbles").wait()
    assert remains(of=before) == [], "it lives on without a name"


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGCONT], ids=["a keeper that does not react", "a keeper that does"])
@alone
def test_who_does_not_heed_his_keeper_is_stopped(number: signal.Signals) -> None:
    """``stop`` returns when the agent is dead, whatever has become of the keeper meanwhile."""
    with hidden("stays") as (agent, keeper), find.connect("test") as sock:
        signal.pidfd_send_signal(keeper, number)
        stop(sock)
        assert _has_ended(agent), "it lives on without a name"
        assert _has_ended(keeper)


@alone
def test_who_has_a_line_to_his_keeper_takes_no_name_with_it() -> None:
    """The line is a socket of the machine's network, where names are anybody's who is first: an agent can give it none."""
    before = Path("/proc/net/unix").read_text(encoding="utf-8")
    started = launch("test", namer.ENTRY).wait()
    try:
        assert "tried" in started.log()
        assert namer.NAME not in Path("/proc/net/unix").read_text(encoding="utf-8") and namer.NAME not in before
    finally:
        os.kill(started.pid, signal.SIGKILL)
        started.close()


def _has_ended(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], 0)[0])
