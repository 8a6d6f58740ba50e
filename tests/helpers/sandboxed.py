"""Run a test function inside a machine of its own: new user, network, mount, pid, uts and ipc namespaces.

    from helpers.sandboxed import sandboxed

    @sandboxed
    def test_something(): ...            # also ``async def``; fixtures work as usual

The function runs as root of that machine, in a forked child of pytest which is its pid 1. /run, /tmp, /proc and /sys are its own,
/etc is a writable copy, everything else is read-only; when it returns, all it made is gone with it. Run by root, each test runs
twice: for root and for the user ``learner``; run by anybody else, once. Fork, not re-exec: the module is imported and rewritten by
pytest already, so a test costs 10 ms. ``tmp_path`` of pytest is hidden inside: use /tmp.
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
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ORDINARY_USER = "learner"
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_MS_NOSUID_NODEV, _MS_BIND, _MS_REC_PRIVATE = 0x2 | 0x4, 0x1000, 0x4000 | 0x40000
_libc = ctypes.CDLL(None, use_errno=True)


def users() -> list[str]:
    """Who runs the kernel tests: ``root`` and ``learner`` when we are root and there is such a user, else only ourselves."""
    if os.geteuid() != 0:
        return ["self"]
    try:
        pwd.getpwnam(ORDINARY_USER)
    except KeyError:
        return ["root"]
    return ["root", ORDINARY_USER]


def sandboxed(test: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a test function: it runs in its own namespaces, once per user of ``users()``."""
    signature = inspect.signature(test)

    @functools.wraps(test)
    def wrapper(sandbox_user: str, **fixtures: Any) -> None:
        failure = run_in_sandbox(functools.partial(test, **fixtures), sandbox_user)
        if failure.startswith("SKIP "):
            pytest.skip(failure[5:])
        if failure:
            pytest.fail(failure, pytrace=False)

    added = inspect.Parameter("sandbox_user", inspect.Parameter.KEYWORD_ONLY)
    wrapper.__signature__ = signature.replace(parameters=[*signature.parameters.values(), added])  # type: ignore[attr-defined]
    del wrapper.__wrapped__
    marked: Callable[..., Any] = pytest.mark.kernel(pytest.mark.parametrize("sandbox_user", users())(wrapper))
    return marked


def run_in_sandbox(test: Callable[[], Any], user: str, limit_s: float = 60.0) -> str:
    """Run ``test`` in fresh namespaces as ``user``. "" when it passed, else the traceback to show, or ``SKIP why``."""
    sys.stdout.flush()
    sys.stderr.flush()
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _outer(test, user, into)
    os.close(into)
    text, end = b"", time.monotonic() + limit_s
    try:
        while select.select([out], [], [], max(0.0, end - time.monotonic()))[0]:
            chunk = os.read(out, 1 << 16)
            if not chunk:
                break
            text += chunk
        else:
            text = f"the test did not end within {limit_s:g} s".encode()
    finally:
        os.close(out)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return "" if text == b"PASSED" else text.decode(errors="replace") or "the sandbox died without a word"


def _outer(test: Callable[[], Any], user: str, into: int) -> None:
    """In the first child: become ``user``, enter the new namespaces, fork the pid 1 that runs the test, wait for it."""
    code = 1
    try:
        _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no test outlives pytest
        if user not in ("root", "self"):
            entry = pwd.getpwnam(user)
            for prefix in {sys.base_prefix, sys.prefix}:
                _open_up(prefix)
            os.setgroups([])
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
            _libc.prctl(4, 1)  # PR_SET_DUMPABLE, lost by the change of user: without it /proc/self/uid_map is root's
            _libc.prctl(1, signal.SIGKILL)
        uid, gid = os.geteuid(), os.getegid()
        _check(_libc.unshare(_NEWUSER), "unshare")
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {uid} 1")
        _write("/proc/self/gid_map", f"0 {gid} 1")
        # after the maps: files of /proc/net are given at birth to whoever root is then
        _check(_libc.unshare(_NEWNET | _NEWNS | _NEWPID | _NEWUTS | _NEWIPC), "unshare")
        inner = os.fork()
        if inner == 0:
            _inner(test, into)
        os.close(into)
        code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
    except BaseException as error:
        os.write(into, f"no sandbox for {user}: {error}".encode())
    finally:
        os._exit(code & 0xFF)


def _inner(test: Callable[[], Any], into: int) -> None:
    """As pid 1: private mounts, then the test, then its result into the pipe."""
    code = 1
    try:
        _libc.prctl(1, signal.SIGKILL)
        _mount(None, "/", None, _MS_REC_PRIVATE)
        _read_only("/")
        _mount("proc", "/proc", "proc", 0)
        _mount("sysfs", "/sys", "sysfs", 0)
        for path in ("/run", "/tmp"):
            _mount("tmpfs", path, "tmpfs", _MS_NOSUID_NODEV)
        os.makedirs("/tmp/.etc/upper")
        os.makedirs("/tmp/.etc/work")
        _mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir=/tmp/.etc/upper,workdir=/tmp/.etc/work,userxattr")
        os.environ["HOME"] = "/tmp"
        os.chdir("/tmp")
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


def _open_up(prefix: str) -> None:
    """Let an ordinary user reach an interpreter that lies in root's home, by a private mount that shows only the interpreter."""
    parents = [str(parent) for parent in reversed(Path(prefix).parents)]
    closed = next((parent for parent in parents if not os.stat(parent).st_mode & 0o001), None)
    if closed is None:
        return
    _check(_libc.unshare(_NEWNS), "unshare")
    _mount(None, "/", None, _MS_REC_PRIVATE)
    keep = os.open(prefix, os.O_PATH)
    _mount("tmpfs", closed, "tmpfs", _MS_NOSUID_NODEV)
    os.chmod(closed, 0o755)
    os.makedirs(prefix)
    _mount(f"/proc/self/fd/{keep}", prefix, None, _MS_BIND)
    os.close(keep)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    _check(_libc.mount(*encoded, flags, options.encode()), f"mount {kind or 'private'} on {target}")


def _read_only(path: str) -> None:
    """mount_setattr(2) with AT_RECURSIVE and MOUNT_ATTR_RDONLY: ``path`` and all mounts below it."""
    attributes = struct.pack("=QQQQ", 1, 0, 0, 0)
    _check(_libc.syscall(442, -100, path.encode(), 0x8000, attributes, len(attributes)), "mount_setattr")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def sh(script: str, **options: Any) -> str:
    """Run a shell script, as a learner would in a terminal; its output. Raises with what it printed when any command fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise AssertionError(f"exit {done.returncode} of:\n{script}\n{done.stdout}{done.stderr}")
    return done.stdout


def answers(to: str, node: int | None = None, seconds: float = 10.0) -> bool:
    """Whether ping(8) gets an answer from ``to`` within a time, sent from here or from the namespace of the process ``node``.

    Asked again and again: what was just built drops packets for up to 1 s, and an ARP that goes unanswered meanwhile ends ping at once.
    """
    enter = [] if node is None else ["nsenter", f"--net=/proc/{node}/ns/net"]
    end = time.monotonic() + seconds
    while subprocess.run([*enter, "ping", "-nqc1", "-W1", to], capture_output=True, check=False).returncode:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def container(hostname: str = "") -> Iterator[int]:
    """The pid of a process in a network and mount namespace of its own (and uts, with ``hostname``), as ``--net=none`` does."""
    uts = ["--uts"] if hostname else []
    name = f"hostname {hostname}; " if hostname else ""
    script = f"{name}echo ready; exec sleep 1000"
    process = subprocess.Popen(["unshare", "--net", "--mount", *uts, "sh", "-ec", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process.pid
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
