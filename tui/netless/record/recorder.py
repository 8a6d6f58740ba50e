"""Writes a recording while the app runs, without the app ever waiting for the disk.

What is told is put in line and written by a thread: whole lines, each handed to the kernel at once, so that whatever ends the process leaves a
file that can be played to its last line. A disk that is full or too slow ends the recording, not the app.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from .asciicast import Code, line

MOST_HELD: Final = 16 << 20
"""Characters that wait to be written at most: a whole screen of 200x60 is some 50,000, so this is a disk that has stood still."""
_PATIENCE_S: Final = 3.0
"""How long the end waits for what is still to be written."""


class Recorder:
    """Writes to ``file``, a descriptor that it closes. ``lost`` is told once, from any thread, why nothing more is recorded."""

    def __init__(self, file: int, header: bytes, lost: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._lost, self._clock = file, lost, clock
        self._began = clock()
        self._news = threading.Condition()
        self._waiting: list[tuple[float, Code, str]] = []
        self._held = 0
        self._closed = False
        self.failed = ""
        """Why something of what was told is not in the file; "" when all is."""
        self._thread = threading.Thread(target=self._run, args=(header,), daemon=True, name="recorder")
        self._thread.start()

    def written(self, text: str) -> None:
        """This was written to the terminal."""
        self._put("o", text)

    def resized(self, columns: int, rows: int) -> None:
        """The terminal has another size."""
        self._put("r", f"{columns}x{rows}")

    def passed(self, label: str) -> None:
        """A place that a player can jump to."""
        self._put("m", label)

    def close(self) -> None:
        """Write what is still to be written. Harmless when called again, or when all was lost."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join(_PATIENCE_S)

    def _put(self, code: Code, data: str) -> None:
        with self._news:
            if self._closed:
                return
            self._held += len(data)
            if self._held <= MOST_HELD:
                self._waiting.append((self._clock() - self._began, code, data))
                self._news.notify()
                return
        self._end("the disk is too slow for it")

    def _run(self, header: bytes) -> None:
        try:
            self._write(header)
            while taken := self._take():
                self._write(b"".join(line(*event) for event in taken))
        except OSError as error:
            self._end(error.strerror or str(error))
        finally:
            with suppress(OSError):
                os.close(self._file)

    def _end(self, reason: str) -> None:
        """Record no more, and tell why, once."""
        with self._news:
            first, self._closed = not self.failed, True
            self.failed = self.failed or reason
            self._news.notify()
        if first:
            self._lost(reason)

    def _take(self) -> list[tuple[float, Code, str]]:
        """All that waits, as soon as something does; nothing at the end."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closed)
            taken, self._waiting, self._held = self._waiting, [], 0
            return taken

    def _write(self, lines: bytes) -> None:
        """Write whole lines; of a line that finds no room nothing is left."""
        done = 0
        try:
            while done < len(lines):
                done += os.write(self._file, lines[done:])
        except OSError:
            whole = lines.rfind(b"\n", 0, done) + 1
            with suppress(OSError):
                os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR) - (done - whole))
            raise
