"""The one-way talk from the processes that make a room to the client that asked for it: JSON lines on a pipe.

``{"keeper": 4710}``  the keeper's pid
``{"pid": 4711}``     the agent's pid as seen from outside
``{"ready": {...}}``  the room is ready; nothing follows
``{"failed": {...}}`` it will never be; the first such line counts
"""

from __future__ import annotations

import contextlib
import json
import os
import traceback
from collections.abc import Iterator
from typing import Literal, NamedTuple

Stage = Literal[
    "start", "name", "keeper", "user namespace", "uid map", "namespaces", "mounts", "proc and sys", "system calls", "locked mounts", "agent"
]
"""What is being done on the way to a room."""


class Failure(NamedTuple):
    """Where the making of a room ended. ``errno`` is 0 when it was not the kernel that refused."""

    stage: Stage
    errno: int
    text: str


class Heard(NamedTuple):
    """What the client has heard so far: the two pids, 0 until they are known; the notes of a room that is ready, or why it will never be."""

    keeper: int = 0
    pid: int = 0
    ready: tuple[str, ...] | None = None
    failed: Failure | None = None

    def and_also(self, line: bytes) -> Heard:
        """With one line more."""
        message = json.loads(line)
        if "failed" in message:
            return self._replace(failed=self.failed or Failure(**message["failed"]))
        if "ready" in message:
            return self._replace(ready=tuple(message["ready"]["notes"]))
        return self._replace(keeper=message.get("keeper", self.keeper), pid=message.get("pid", self.pid))


class Reporter:
    """The writing end. ``stage`` names what is being tried, for the failure that may come."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.stage: Stage = "start"
        os.set_inheritable(fd, False)

    def keeper(self, pid: int) -> None:
        """The pid of the process that stays outside."""
        self._write({"keeper": pid})

    def pid(self, pid: int) -> None:
        """The agent's pid, as this process sees it."""
        self._write({"pid": pid})

    def ready(self, notes: tuple[str, ...]) -> None:
        """The room can be used. Raises BrokenPipeError when nobody waits for it any more."""
        self._write({"ready": {"notes": notes}})
        self.close()

    def failed(self, error: BaseException) -> None:
        """Why it cannot go on, for the client; and the whole story for the log. No client, no report."""
        traceback.print_exception(error)
        number = (error.errno or 0) if isinstance(error, OSError) else 0
        text = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        self.refuse(Failure(self.stage, number, text))

    def refuse(self, failure: Failure) -> None:
        """Report a failure; nothing happens when the client is gone or was told that all is ready."""
        with contextlib.suppress(OSError):
            self._write({"failed": failure._asdict()})

    def fileno(self) -> int:
        """For poll: an error condition means that the client is gone."""
        return self._fd

    def close(self) -> None:
        """Nothing more to say from this process."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    @contextlib.contextmanager
    def to_the_end(self) -> Iterator[None]:
        """A process's whole life: it ends with the block, and whatever escapes is reported with the stage it was in."""
        code = 1
        try:
            yield
            code = 0
        except SystemExit as request:
            code = request.code if isinstance(request.code, int) else int(request.code is not None)
        except BaseException as error:
            self.failed(error)
        finally:
            os._exit(code)

    def _write(self, message: dict[str, object]) -> None:
        if self._fd >= 0:
            os.write(self._fd, json.dumps(message).encode() + b"\n")
