"""What an attempt is, and how one is made: in a process of its own, with a time limit, answered as data.

    @attempt("refused")
    def write_owners_home(bait: Bait) -> object:
        \"\"\"A file is made in the owner's home.\"\"\"
        return write(f"{bait.home}/{bait.mark}")

A function that returns has succeeded, and what it returns is what it got. One that raises OSError or ``Refused``, or that a signal of the
kernel ends, was refused. Anything else is a mistake in the attempt. Standard library only: it is imported inside the lab.

Expected: ``refused`` must not succeed. ``private`` may, and whether it was seen outside is for the witnesses (``witnesses``) to say.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hostile.bait import Bait

GROUPS = ("files", "mounts", "processes", "terminals", "sockets", "keyrings", "kernel", "cgroups", "devices", "network")
LIMIT_S = 10
"""What one attempt may take; the longest that waits by itself waits a second."""
Answer = Literal["refused", "private"]
Whose = Literal["root", "user", "both"]
"""Whose labs: those that root starts, those of ordinary users."""
Kind = Literal["got", "refused", "lacking", "hung", "broken"]
_NEWNS = 0x20000


class Refused(Exception):
    """The attempt found nothing of what it looked for."""


class Lacking(Exception):
    """This machine has nothing to try it on: it would be refused to anybody."""


@dataclass(frozen=True)
class Attempt:
    """One attempt. ``until`` names the item of the plan that will close it and ``hole`` in whose labs it is open until then.

    ``control`` says who succeeds with it outside, where no wall is: there it is tried too, so that a refusal is the wall's.
    """

    name: str
    run: Callable[[Bait], object]
    expected: Answer
    until: str
    hole: Whose
    control: Whose | None

    def is_open(self, root: bool) -> bool:
        """Whether it is known to get out of such a lab today."""
        return bool(self.until) and self.hole in ("both", "root" if root else "user")

    def has_control(self, root: bool) -> bool:
        """Whether it is tried outside as well."""
        return self.control in ("both", "root" if root else "user")


@dataclass(frozen=True)
class Outcome:
    """How one ended: ``what`` it got, the error, or what is lacking."""

    kind: Kind
    what: str


ATTEMPTS: dict[str, Attempt] = {}
"""All of them by name, ``GROUP-FUNCTION`` or ``GROUP-FUNCTION-VARIANT``, once ``every`` was asked."""


def attempt(
    expected: Answer, *, over: tuple[object, ...] = (), until: str = "", hole: Whose = "both", control: Whose | None = None
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register a function as an attempt, or as one for each of ``over``, which it then takes after the bait. The module is its group."""

    def register(function: Callable[..., object]) -> Callable[..., object]:
        group = function.__module__.rpartition(".")[2]
        for value in over or (None,):
            name = f"{group}-{function.__name__}" + ("" if value is None else f"-{str(value).strip('/').replace('/', '.').replace(' ', '_') or 'top'}")
            if name in ATTEMPTS:
                raise ValueError(f"two attempts are called {name}")
            ATTEMPTS[name] = Attempt(name, _given(function, value), expected, until, hole, control)
        return function

    return register


def _given(function: Callable[..., object], value: object) -> Callable[[Bait], object]:
    return function if value is None else lambda bait: function(bait, value)


def every() -> dict[str, Attempt]:
    """All attempts, in the order in which they are made."""
    for group in GROUPS:
        importlib.import_module(f"hostile.attempts.{group}")
    return ATTEMPTS


def tried(one: Attempt, bait: Bait) -> Outcome:
    """Make an attempt in a child that has a copy of the mounts, so that the next one finds all as it was."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        with contextlib.suppress(BaseException):
            os.write(into, json.dumps(_answer(one, bait)).encode())
        os._exit(0)
    os.close(into)
    text = b""
    while chunk := os.read(out, 4096):
        text += chunk
    os.close(out)
    status = os.waitpid(pid, 0)[1]
    if text:
        kind, what = json.loads(text)
        return Outcome(kind, what)
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGALRM:
        return Outcome("hung", f"no end within {LIMIT_S} s")
    return Outcome("refused" if number else "broken", f"ended by {signal.Signals(number).name}" if number else "ended without a word")


def _answer(one: Attempt, bait: Bait) -> tuple[Kind, str]:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIMIT_S)
    ctypes.CDLL(None).unshare(_NEWNS)
    try:
        return "got", repr(one.run(bait))[:300]
    except OSError as error:
        return "refused", f"{errno.errorcode.get(error.errno or 0, error.errno)} {error.strerror}"
    except Refused as error:
        return "refused", str(error)
    except Lacking as error:
        return "lacking", str(error)
    except BaseException as error:
        return "broken", f"{type(error).__name__}: {error}"
