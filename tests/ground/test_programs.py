"""How programs of a lab end: those that carry a mark, with all that they start, and not before they hold nothing any more."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from netless_lab.ground import programs

LARGE = "import socket, time; own = socket.create_server(('127.0.0.1', 0)); room = bytearray(1 << 29); print(1, flush=True); time.sleep(1000)"
"""A server that takes a while to end: its memory is given back before its sockets are closed."""


@pytest.fixture
def mark() -> Iterator[str]:
    """A variable that no other process has; who has it is ended with the test."""
    own = f"NETLESS_TEST_{uuid.uuid4().hex}"
    yield own
    programs.end_marked(own)


def test_who_was_ended_has_ended(mark: str) -> None:
    """A large server is gone when its end returns, so that another can have its port at once."""
    server = subprocess.Popen([sys.executable, "-c", LARGE], env={**os.environ, mark: "1"}, stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None and server.stdout.readline() == b"1\n"
        programs.end_marked(mark)
        ended = server.poll()
        server.kill()
    assert ended == -9


def test_a_mark_is_there_before_a_program_is(mark: str, tmp_path: Path) -> None:
    """What a marked line leaves in the background is ended also while it is still a copy of the shell, which here waits for a file to open."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    subprocess.run(["sh", "-c", programs.marked(f"sleep 1000 < {pipe} &", mark)], check=True)
    programs.end_marked(mark)
    with pytest.raises(OSError, match="No such device or address"):  # nobody has it open for reading: open(2), ENXIO
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)


def test_who_carries_no_mark_goes_on(mark: str) -> None:
    """Whoever has the variable's name in a value, or in his command line, is not ended."""
    with subprocess.Popen(["sleep", "1000"], env={**os.environ, "OTHER": mark}) as other:
        programs.end_marked(mark)
        assert other.poll() is None
        other.kill()
