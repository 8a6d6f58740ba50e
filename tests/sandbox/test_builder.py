"""What the builder hears of a child that works for it for a moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from netless_lab.sandbox.builder import run_and_hear
from netless_lab.sandbox.status import Reporter


@pytest.fixture
def nobody() -> Iterator[Reporter]:
    """Tells to a pipe that nobody reads."""
    reading, writing = os.pipe()
    yield Reporter(writing)
    os.close(reading)
    os.close(writing)


def test_a_child_that_was_killed_when_it_had_said_its_word_has_done_its_work(nobody: Reporter) -> None:
    """PID 1 may end the moment it is told, and its end kills all in its pid namespace, the one too that is just ending: no failure of that one."""
    heard: list[bytes] = []

    def child(into: int) -> None:
        os.write(into, str(os.getpid()).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    run_and_hear(child, "the child", heard.append, nobody)
    (pid,) = map(int, heard)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_a_child_that_was_killed_before_it_said_anything_is_told_of(nobody: Reporter) -> None:
    """By what killed it; one that failed by itself has told why, and only the end is passed on. Nobody is told a word that was not said."""
    with pytest.raises(OSError, match="the child was killed by SIGKILL"):
        run_and_hear(lambda into: os.kill(os.getpid(), signal.SIGKILL), "the child", _never, nobody)
    with pytest.raises(SystemExit) as ended:
        run_and_hear(lambda into: os._exit(3), "the child", _never, nobody)
    assert ended.value.code == 3


def test_that_nobody_waits_for_the_word_any_more_is_for_others_to_tell(nobody: Reporter) -> None:
    """PID 1 has ended before: whoever made it says why, and the builder goes quietly."""
    reading, writing = os.pipe()
    os.close(reading)

    def child(into: int) -> None:
        os.write(into, b"done")

    run_and_hear(child, "the child", lambda said: os.write(writing, said), nobody)
    os.close(writing)


def _never(said: bytes) -> None:
    raise AssertionError(said)
