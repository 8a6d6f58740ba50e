"""Run a test function in a forked child of pytest, inside namespaces of its own. What those are is said by a recipe.

``helpers.sandboxed`` and ``sandbox.helpers.alone`` are the two recipes. Run by root, each test runs twice: for root and for the user
``learner``; run by anybody else, once. Fork, not re-exec: the module is imported and rewritten by pytest already, so a test costs
10 ms. The function may be ``async``, and fixtures work as usual; ``tmp_path`` of pytest is hidden inside: use /tmp.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import inspect
import os
import pwd
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

ORDINARY_USER = "learner"
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
"""unshare(2)"""
NOSUID_NODEV, PRIVATE = 0x2 | 0x4, 0x4000 | 0x40000
"""mount(2)"""
_BIND = 0x1000
_TUN, _TUN_NUMBER = "/dev/net/tun", os.makedev(10, 200)
_SET_PDEATHSIG, _SET_DUMPABLE = 1, 4
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Recipe:
    """How a child gets into namespaces of its own.

    ``enter(user)`` runs in the first child, as whoever runs pytest: it becomes ``user`` where that is wanted and unshares, the pid
    namespace too. ``set_up(user)`` runs in the second child, pid 1 of that namespace, before the test does. ``limit_s`` is for all of it.
    """

    enter: Callable[[str], None]
    set_up: Callable[[str], None]
    limit_s: float


def users() -> list[str]:
    """Who runs the kernel tests: ``root`` and ``learner`` when we are root and there is such a user, else only ourselves."""
    if os.geteuid() != 0:
        return ["self"]
    try:
        pwd.getpwnam(ORDINARY_USER)
    except KeyError:
        return ["root"]
    return ["root", ORDINARY_USER]


def ordinary() -> list[str]:
    """Those of ``users()`` who are not root."""
    return [user for user in users() if user != "root"]


def decorated(test: Callable[..., Any], recipe: Recipe, who: Sequence[str]) -> Callable[..., Any]:
    """The test as pytest shall see it: it runs by the recipe, once for each of these users."""
    signature = inspect.signature(test)

    @functools.wraps(test)
    def wrapper(sandbox_user: str, **fixtures: Any) -> None:
        verdict(run(functools.partial(test, **fixtures), sandbox_user, recipe))

    added = inspect.Parameter("sandbox_user", inspect.Parameter.KEYWORD_ONLY)
    wrapper.__signature__ = signature.replace(parameters=[*signature.parameters.values(), added])  # type: ignore[attr-defined]
    del wrapper.__wrapped__
    marked: Callable[..., Any] = pytest.mark.kernel(pytest.mark.parametrize("sandbox_user", who)(wrapper))
    return marked


def verdict(said: str) -> None:
    """Skip or fail the test that runs, by what ``run`` said."""
    if said.startswith("SKIP "):
        pytest.skip(said[5:])
    if said:
        pytest.fail(said, pytrace=False)


def run(test: Callable[[], Any], user: str, recipe: Recipe) -> str:
    """Run ``test`` as ``user``. "" when it passed, else the traceback to show, or ``SKIP why``."""
    sys.stdout.flush()
    sys.stderr.flush()
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _outer(test, user, into, recipe)
    os.close(into)
    text, end = b"", time.monotonic() + recipe.limit_s
    try:
        while select.select([out], [], [], max(0.0, end - time.monotonic()))[0]:
            chunk = os.read(out, 1 << 16)
            if not chunk:
                break
            text += chunk
        else:
            text = f"the test did not end within {recipe.limit_s:g} s".encode()
    finally:
        os.close(out)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return "" if text == b"PASSED" else text.decode(errors="replace") or "the test's process died without a word"


def _outer(test: Callable[[], Any], user: str, into: int, recipe: Recipe) -> NoReturn:
    """In the first child: enter the new namespaces, fork the pid 1 that runs the test, wait for it."""
    code = 1
    try:
        die_with_parent()
        recipe.enter(user)
        inner = os.fork()
        if inner == 0:
            _inner(test, user, into, recipe)
        os.close(into)
        code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
    except BaseException as error:
        os.write(into, f"no namespaces for {user}: {error}".encode())
    finally:
        os._exit(code & 0xFF)


def _inner(test: Callable[[], Any], user: str, into: int, recipe: Recipe) -> NoReturn:
    """As pid 1: what the recipe puts there, then the test, then its result into the pipe."""
    code = 1
    try:
        die_with_parent()
        recipe.set_up(user)
        result = test()
        if inspect.iscoroutine(result):
            asyncio.run(result)
        os.write(into, b"PASSED")
        code = 0
    except pytest.skip.Exception as skipped:
        os.write(into, f"SKIP {skipped.msg}".encode())
    except BaseException:
        excinfo: pytest.ExceptionInfo[BaseException] = pytest.ExceptionInfo.from_current()
        os.write(into, str(excinfo.getrepr(style="short")).encode()[:60_000])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def become(user: str) -> None:
    """Be ``user``, for good, with the rights to speak of oneself in /proc that a change of user takes away."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    check(_libc.prctl(_SET_DUMPABLE, 1), "prctl")  # without it /proc/self/uid_map is root's
    die_with_parent()  # lost by the change of user


def die_with_parent() -> None:
    """No test outlives pytest."""
    check(_libc.prctl(_SET_PDEATHSIG, signal.SIGKILL), "prctl")


def open_interpreter() -> None:
    """Let an ordinary user reach an interpreter that lies in root's home, by a private mount that shows only the interpreter."""
    for prefix in {sys.base_prefix, sys.prefix}:
        parents = [str(parent) for parent in reversed(Path(prefix).parents)]
        closed = next((parent for parent in parents if not os.stat(parent).st_mode & 0o001), None)
        if closed is None:
            continue
        unshare(NEWNS)
        mount(None, "/", None, PRIVATE)
        keep = os.open(prefix, os.O_PATH)
        mount("tmpfs", closed, "tmpfs", NOSUID_NODEV)
        os.chmod(closed, 0o755)
        os.makedirs(prefix)
        mount(f"/proc/self/fd/{keep}", prefix, None, _BIND)
        os.close(keep)


def lend_tun() -> None:
    """Let whoever we become open /dev/net/tun, by a private node of ours: on many machines the real one is root's alone."""
    if os.path.exists(_TUN):
        unshare(NEWNS)
        mount(None, "/", None, PRIVATE)
        put_tun(0o666)


def put_tun(mode: int) -> None:
    """Cover /dev/net by a folder with a tun device of this mode, in our own mount namespace. Only root can."""
    mount("tmpfs", os.path.dirname(_TUN), "tmpfs", 0, "mode=755")
    os.mknod(_TUN, stat.S_IFCHR, _TUN_NUMBER)
    os.chmod(_TUN, mode)


def unshare(kinds: int) -> None:
    """unshare(2)"""
    check(_libc.unshare(kinds), "unshare")


def new_user_namespace(*, root_inside: bool) -> None:
    """Enter a user namespace in which we are root, or who we are, and nobody else is anybody."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{0 if root_inside else uid} {uid} 1")
    _write("/proc/self/gid_map", f"{0 if root_inside else gid} {gid} 1")


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2)"""
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    check(_libc.mount(*encoded, flags, options.encode()), f"mount {kind or 'private'} on {target}")


def check(result: int, what: str) -> None:
    """Raise the error that a call of the C library left behind when its result is not 0."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
