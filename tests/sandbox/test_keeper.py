"""What an agent wants kept, and when its keeper writes it."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from helpers.sandboxed import sandboxed_once
from netless_lab.sandbox import keeper
from netless_lab.sandbox.lines import AGENT, HEADER, KEEP, LAST, READY
from netless_lab.sandbox.status import Reporter


class Kept:
    """A keeper in a process of its own; what it keeps goes to ``save``, and the test is its agent."""

    def __init__(self, save: Callable[[bytes], None]) -> None:
        told, report = os.pipe()
        callers, its_callers = socket.socketpair()
        its_words, self._words = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            with suppress(SystemExit):
                os.close(self._words)
                callers.close()
                listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                listener.bind("")  # a name of the kernel's choice (unix(7))
                terminals = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                keeper.Keeper(Reporter(report), listener, terminals, its_callers, its_words, lambda: save).run()
            os._exit(0)
        os.close(report)
        os.close(its_words)
        self._held = told, callers, its_callers
        stands_for_it = subprocess.Popen(["sleep", "infinity"])  # whom the keeper kills at the end
        self.say(AGENT, b"%d" % stands_for_it.pid)
        self.say(READY, b"[]")

    def say(self, letter: bytes, data: bytes = b"") -> None:
        """One frame."""
        os.write(self._words, HEADER.pack(letter, len(data)) + data)

    def end(self) -> None:
        """The agent ends; returns when the keeper has too."""
        os.close(self._words)
        os.waitpid(self._pid, 0)


class Disk:
    """A folder that is not there at first, so that nothing can be written; every attempt is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._heard, self._told = os.pipe()

    def save(self, data: bytes) -> None:
        """Write it, if it can be."""
        try:
            (self._folder / "kept").write_bytes(data)
        finally:
            os.write(self._told, b".")

    def tried(self) -> None:
        """Returns when it was tried once more."""
        os.read(self._heard, 1)

    @property
    def kept(self) -> bytes:
        """What is written."""
        return (self._folder / "kept").read_bytes()


@sandboxed_once
def test_nothing_is_kept_once_the_name_is_free() -> None:
    """The next lab of that name may have read what was kept, and have written since: what an agent that ends still says is too late."""
    disk = Disk(Path("/tmp"))
    kept = Kept(disk.save)
    kept.say(KEEP, b"in time")
    kept.say(LAST)
    kept.say(KEEP, b"too late")
    kept.end()
    assert disk.kept == b"in time"


@sandboxed_once
def test_what_could_not_be_written_is_written_at_the_end() -> None:
    """A disk may be full for a while: what was to be kept then is kept before the lab's name is free, though nothing else was to be kept since."""
    disk = Disk(folder := Path("/tmp/late"))
    kept = Kept(disk.save)
    kept.say(KEEP, b"earned")
    disk.tried()
    folder.mkdir()
    kept.say(LAST)
    kept.end()
    assert disk.kept == b"earned"


@sandboxed_once
def test_what_could_not_be_written_by_the_end_is_not_written_after_it() -> None:
    """The name is another lab's then."""
    disk = Disk(folder := Path("/tmp/late"))
    kept = Kept(disk.save)
    kept.say(KEEP, b"earned")
    disk.tried()
    kept.say(LAST)
    disk.tried()
    folder.mkdir()
    kept.end()
    assert list(folder.iterdir()) == []


@sandboxed_once
def test_what_could_not_be_written_is_tried_again_by_itself() -> None:
    """While the lab goes on: it may be killed at any moment."""
    keeper.AGAIN_S = 0.05  # type: ignore[misc]  # in a process of this test's own
    disk = Disk(folder := Path("/tmp/late"))
    kept = Kept(disk.save)
    kept.say(KEEP, b"earned")
    disk.tried()
    folder.mkdir()
    disk.tried()
    kept.end()
    assert disk.kept == b"earned"


@sandboxed_once
def test_what_is_no_progress_is_not_tried_again() -> None:
    """It will not become one: what comes next is written."""
    tried: list[bytes] = []
    heard, told = os.pipe()

    def save(data: bytes) -> None:
        tried.append(data)
        os.write(told, b"%d" % len(tried))
        if data == b"none":
            raise ValueError("that is none")

    kept = Kept(save)
    kept.say(KEEP, b"none")
    assert os.read(heard, 1) == b"1"
    kept.say(KEEP, b"one")
    assert os.read(heard, 1) == b"2"
    kept.say(LAST)
    kept.end()
    os.close(told)
    assert os.read(heard, 1) == b""
